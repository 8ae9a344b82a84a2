// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"testing"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

func TestHasExactly(t *testing.T) {
	const admin, raw = cap.NET_ADMIN, cap.NET_RAW
	tests := map[string]struct {
		permitted, effective, inheritable []cap.Value
		want                              bool
	}{
		"as systemd starts it":   {[]cap.Value{admin}, []cap.Value{admin}, []cap.Value{admin}, true},
		"nothing to inherit":     {[]cap.Value{admin}, []cap.Value{admin}, nil, true},
		"none":                   {nil, nil, nil, false},
		"not effective":          {[]cap.Value{admin}, nil, nil, false},
		"one more":               {[]cap.Value{admin, raw}, []cap.Value{admin}, nil, false},
		"one more, in effect":    {[]cap.Value{admin, raw}, []cap.Value{admin, raw}, nil, false},
		"one more to inherit":    {[]cap.Value{admin}, []cap.Value{admin}, []cap.Value{admin, raw}, false},
		"another":                {[]cap.Value{raw}, []cap.Value{raw}, nil, false},
		"inheritable, not there": {nil, nil, []cap.Value{admin}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			set := cap.NewSet()
			for flag, values := range map[cap.Flag][]cap.Value{
				cap.Permitted: tc.permitted, cap.Effective: tc.effective, cap.Inheritable: tc.inheritable,
			} {
				if len(values) == 0 {
					continue
				}
				if err := set.SetFlag(flag, true, values...); err != nil {
					t.Fatal(err)
				}
			}
			got, err := hasExactly(set, bits([]cap.Value{admin}))
			if err != nil || got != tc.want {
				t.Errorf("got %t, %v, want %t", got, err, tc.want)
			}
		})
	}
}
