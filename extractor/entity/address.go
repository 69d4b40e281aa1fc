package entity

import (
	"slices"
	"strings"
)

// addresses returns the web and mail addresses in a text, whose parts are no
// mentions: www.nvidia.com/2025-11-17, press@intel.com.
func addresses(s string) [][2]int {
	var out [][2]int
	for _, mark := range [...]string{"://", "www.", "@"} {
		for at := 0; ; {
			k := strings.Index(s[at:], mark)
			if k < 0 {
				break
			}
			start, end := at+k, at+k+len(mark)
			for start > 0 && addressByte(s[start-1]) {
				start--
			}
			for end < len(s) && addressByte(s[end]) {
				end++
			}
			at = end
			if mark == "@" && (start == end-1 || !strings.Contains(s[start:end], ".")) {
				continue // a handle
			}
			out = append(out, [2]int{start, end})
		}
	}
	slices.SortFunc(out, func(a, b [2]int) int { return a[0] - b[0] })
	return out
}

// addressByte reports whether b may stand in an address.
func addressByte(b byte) bool {
	return b > ' ' && b < 0x7f && !strings.ContainsRune("\"'<>()[]{}|,;", rune(b))
}

// outside returns what of list does not overlap spans, both in order.
func outside(list []found, spans [][2]int) []found {
	if len(spans) == 0 {
		return list
	}
	return slices.DeleteFunc(list, func(f found) bool {
		k, _ := slices.BinarySearchFunc(spans, f.start, func(x [2]int, start int) int {
			if x[1] <= start {
				return -1
			}
			return 1
		})
		return k < len(spans) && spans[k][0] < f.end
	})
}
