// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"errors"
	"hash/maphash"
	"testing"
)

// TestReadBrokenFramingEndsTheDump: what comes behind broken framing is not read, however much.
func TestReadBrokenFramingEndsTheDump(t *testing.T) {
	good := conn(target(6, "192.0.2.1", "192.0.2.2", 1))
	data := [][]byte{good[: len(good)-1 : len(good)-1], {9, 9, 9, 9}}
	most := 4 * relayBuffers * relayBufferSize / len(good)
	for range most {
		data = append(data, good)
	}
	src := &replay{packets: data}
	var framing *FramingError
	if _, err := Read(t.Context(), src, ReadConfig{Seed: maphash.MakeSeed()}); !errors.As(err, &framing) {
		t.Errorf("Read = %v, want a framing error", err)
	}
}
