package han

import "unicode/utf8"

// Simplify converts Traditional Chinese to Simplified. The result has as many
// code points as s, in the same places; all else is left as it is.
func Simplify(s string) string {
	c := loadConversion()
	i := firstConvertible(c, s)
	if i == len(s) {
		return s
	}
	out := make([]byte, 0, len(s)+len(s)/16)
	out = append(out, s[:i]...)
	return string(c.appendSimplified(out, s[i:]))
}

// firstConvertible returns where s first holds something that conversion
// could change.
func firstConvertible(c *conversion, s string) int {
	for i, r := range s {
		if r < utf8.RuneSelf {
			continue
		}
		if r >= 1<<16 || c.basic[r] != 0 || c.flags[r]&startsPhrase != 0 {
			return i
		}
	}
	return len(s)
}

func (c *conversion) appendSimplified(out []byte, s string) []byte {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			out = append(out, s[i])
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r < 1<<16 && c.flags[r]&startsPhrase != 0 {
			if p, ok := c.phraseAt(r, s[i:]); ok {
				out = append(out, p.to...)
				i += len(p.from)
				continue
			}
		}
		if to := c.convert(r); to != r {
			out = utf8.AppendRune(out, to)
		} else {
			out = append(out, s[i:i+n]...)
		}
		i += n
	}
	return out
}
