// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"log/slog"
	"sync/atomic"
	"time"

	"nuconntrack/policy"
)

// warnings logs what peers do wrong, at a bounded rate: a peer must not be able to push
// the audit out of the journal with them.
type warnings struct {
	log     *slog.Logger
	bucket  *policy.Bucket
	skipped atomic.Uint64
}

func newWarnings(log *slog.Logger) *warnings {
	return &warnings{log: log, bucket: policy.NewBucket(warningRate, warningBurst, time.Now())}
}

// warn logs, or counts what it leaves out and says so the next time.
func (w *warnings) warn(message string, args ...any) {
	if ok, _ := w.bucket.Take(time.Now()); !ok {
		w.skipped.Add(1)
		return
	}
	if n := w.skipped.Swap(0); n > 0 {
		args = append(args, "left_out_before", n)
	}
	w.log.Warn(message, args...)
}
