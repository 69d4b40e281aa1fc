package han

// characters maps single characters to others. Zero is a map that changes none.
type characters struct {
	// basic has those of the basic plane, 0 for itself; those to or from outside
	// are in rare.
	basic [1 << 16]uint16
	rare  map[rune]rune
}

// inRare stands in basic for "see rare"; it is no character.
const inRare = 0xFFFF

// set makes one character another.
func (c *characters) set(from, to rune) {
	switch {
	case from == to:
	case from < 1<<16 && to < 1<<16:
		c.basic[from] = uint16(to)
	default:
		if c.rare == nil {
			c.rare = make(map[rune]rune)
		}
		c.rare[from] = to
		if from < 1<<16 {
			c.basic[from] = inRare
		}
	}
}

// convert returns what a character that stands alone becomes.
func (c *characters) convert(r rune) rune {
	if r < 1<<16 {
		switch to := c.basic[r]; to {
		case 0:
			return r
		case inRare:
		default:
			return rune(to)
		}
	}
	if to, ok := c.rare[r]; ok {
		return to
	}
	return r
}
