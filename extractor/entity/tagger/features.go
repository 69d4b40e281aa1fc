package tagger

// Known is a span of the folded text whose kind is known.
type Known struct {
	Start, End int
	// Kind is any small number from 1 on that the caller uses for one kind.
	Kind uint8
}

// maxWord is the longest dictionary word that is looked for, in units.
const maxWord = 7

// reader makes the features of one sentence after another.
type reader struct {
	words *Words
	units []unit
	// begin, end and over are, for each unit, the longest word that begins
	// there, ends there, and lies over it with a unit on both sides: its length
	// and 256 times its class.
	begin, end, over []uint32
	// beginKey and endKey are the keys of those words.
	beginKey, endKey []uint32
	// seg is, for each unit, its place in its word, the length and the class of
	// that; segKey its key, segNext and segBefore where its neighbours are.
	seg, segKey      []uint32
	segStart, segEnd []int32
	cost             []float32
	from             []int32
	known            []uint32 // kind and place of the known name over each unit
	inside           []uint32 // the bracket that is open
	out              []uint32
	// wide is nil if only the neighbours are looked at. topic is, for each kind,
	// how likely the sentence has names of it, main the likeliest; listed the
	// kinds of the listed name over each unit and the place in it.
	wide          *wide
	topic, listed []uint32
	main          uint32
}

func resize(s []uint32, n int) []uint32 {
	if cap(s) < n {
		return make([]uint32, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// prepare looks at all units of a sentence.
func (r *reader) prepare(known []Known) {
	n := len(r.units)
	r.begin, r.end, r.over = resize(r.begin, n), resize(r.end, n), resize(r.over, n)
	r.beginKey, r.endKey = resize(r.beginKey, n), resize(r.endKey, n)
	r.known, r.inside = resize(r.known, n), resize(r.inside, n)
	for i := range r.units {
		key := uint32(0)
		for k := i; k < n && k < i+maxWord; k++ {
			key = join(key, r.units[k].hash)
			if k > i && (r.units[k].class == mark && r.units[k].text != "·" && r.units[k].text != "-" && r.units[k].text != "&") {
				break
			}
			if k == i && r.units[i].class == ideo {
				continue // single characters are all words
			}
			w := spread(key) | 1
			c := r.words.class(w)
			if c == 0 {
				continue
			}
			v := uint32(k-i+1) | uint32(c&15)<<8
			r.begin[i], r.beginKey[i] = v, w
			if r.end[k] == 0 { // the first that ends here is the longest
				r.end[k], r.endKey[k] = v, w
			}
			for j := i + 1; j < k; j++ {
				if r.over[j]&255 < v&255 {
					r.over[j] = v
				}
			}
		}
	}
	r.segment()
	k := 0
	var open uint32
	for i := range r.units {
		u := &r.units[i]
		for k < len(known) && known[k].End <= u.start {
			k++
		}
		if k < len(known) && known[k].Start < u.end {
			place := uint32(1)
			if i == 0 || r.units[i-1].start < known[k].Start {
				place |= 2
			}
			if u.end >= known[k].End {
				place |= 4
			}
			r.known[i] = uint32(known[k].Kind)<<3 | place
		}
		if u.class == mark {
			switch u.text {
			case "《", "(", "【", "[", "「", "『":
				open = u.hash
			case "》", ")", "】", "]", "」", "』":
				open = 0
			case "\"":
				if open == u.hash {
					open = 0
				} else {
					open = u.hash
				}
			}
		}
		r.inside[i] = open
	}
}

// segment cuts the sentence into the likeliest words.
func (r *reader) segment() {
	n := len(r.units)
	r.seg, r.segKey = resize(r.seg, n), resize(r.segKey, n)
	if cap(r.segStart) < n {
		r.segStart, r.segEnd = make([]int32, n, max(n, maxUnits)), make([]int32, n, max(n, maxUnits))
	}
	r.segStart, r.segEnd = r.segStart[:n], r.segEnd[:n]
	if cap(r.cost) < n+1 {
		r.cost, r.from = make([]float32, n+1), make([]int32, n+1)
	}
	r.cost, r.from = r.cost[:n+1], r.from[:n+1]
	for i := 1; i <= n; i++ {
		r.cost[i] = 1e9
	}
	r.cost[0] = 0
	for i := range n {
		if c := r.cost[i] + 11; c < r.cost[i+1] {
			r.cost[i+1], r.from[i+1] = c, int32(i)
		}
		key := r.units[i].hash
		key = join(0, key)
		for k := i + 1; k < n && k < i+maxWord; k++ {
			key = join(key, r.units[k].hash)
			if c := r.words.class(spread(key) | 1); c != 0 {
				if c := r.cost[i] + 17 - 0.69*float32(c>>4); c < r.cost[k+1] {
					r.cost[k+1], r.from[k+1] = c, int32(i)
				}
			}
		}
	}
	for e := n; e > 0; {
		b := int(r.from[e])
		key := uint32(0)
		for k := b; k < e; k++ {
			key = join(key, r.units[k].hash)
		}
		w := spread(key) | 1
		c := uint32(r.words.class(w) & 15)
		if e-b == 1 {
			c = uint32(r.units[b].class) + 16
		}
		for k := b; k < e; k++ {
			place := uint32(0)
			if k == b {
				place |= 1
			}
			if k == e-1 {
				place |= 2
			}
			r.seg[k] = place | uint32(min(e-b, 5))<<2 | c<<8
			r.segKey[k] = w
			r.segStart[k], r.segEnd[k] = int32(b), int32(e)
		}
		e = b
	}
}

func (r *reader) hash(i int) uint32 {
	switch {
	case i < 0:
		return 0xa5a5a5 + uint32(-i)
	case i >= len(r.units):
		return 0x5a5a5a + uint32(i-len(r.units))
	}
	return r.units[i].hash
}

func (r *reader) shape(i int) uint32 {
	if i < 0 || i >= len(r.units) {
		return 99
	}
	return uint32(r.units[i].class)
}

func at(s []uint32, i int) uint32 {
	if i < 0 || i >= len(s) {
		return 7777
	}
	return s[i]
}

func (r *reader) add(t, v uint32) { r.out = append(r.out, feature(t, v)) }

// chinese makes the features of unit i of Chinese text.
func (r *reader) chinese(i int) {
	r.out = r.out[:0]
	a3, a2, a1, c, b1, b2, b3 := r.hash(i-3), r.hash(i-2), r.hash(i-1), r.hash(i), r.hash(i+1), r.hash(i+2), r.hash(i+3)
	r.add(1, c)
	r.add(2, a1)
	r.add(3, b1)
	r.add(4, a2)
	r.add(5, b2)
	r.add(6, join(a1, c))
	r.add(7, join(c, b1))
	r.add(8, join(a2, a1))
	r.add(9, join(b1, b2))
	r.add(10, join(a1, b1))
	r.add(11, join(join(a2, a1), c))
	r.add(12, join(join(a1, c), b1))
	r.add(13, join(join(c, b1), b2))
	r.add(14, join(a3, a2))
	r.add(15, join(b2, b3))
	r.add(16, join(join(join(a3, a2), a1), c))
	r.add(17, join(join(join(c, b1), b2), b3))
	r.add(18, join(join(a3, a2), a1))
	r.add(19, join(join(b1, b2), b3))
	r.add(20, r.shape(i)<<8|r.shape(i-1)<<4|r.shape(i+1))
	// Words of the dictionary.
	begin, end, over := r.begin[i], r.end[i], r.over[i]
	r.add(30, begin)
	r.add(31, end)
	r.add(32, over)
	r.add(33, join(join(begin&255, end&255), over&255))
	r.add(34, at(r.end, i-1))
	r.add(35, at(r.begin, i+1))
	if begin > 0 {
		r.add(36, r.beginKey[i])
	}
	if end > 0 {
		r.add(37, r.endKey[i])
	}
	if i > 0 {
		r.add(38, join(r.endKey[i-1], c))
		r.add(39, r.endKey[i-1])
	}
	if i+1 < len(r.units) {
		r.add(40, join(r.beginKey[i+1], c))
		r.add(41, r.beginKey[i+1])
	}
	r.add(42, join(at(r.end, i-1), begin))
	r.add(43, join(end, at(r.begin, i+1)))
	r.segmented(i)
	r.around(i)
}

func (r *reader) segmented(i int) {
	s, p, q := r.seg[i], int(r.segStart[i])-1, int(r.segEnd[i])
	r.add(70, s)
	r.add(71, join(s, r.segKey[i]))
	place := s & 3
	r.add(72, join(place, at(r.segKey, p)))
	r.add(73, join(place, at(r.segKey, q)))
	ps, qs := at(r.seg, p)>>8, at(r.seg, q)>>8
	r.add(74, join(s, ps))
	r.add(75, join(s, qs))
	r.add(76, join(join(s, ps), qs))
	r.add(77, join(join(place, r.segKey[i]), at(r.segKey, p)))
	r.add(78, join(join(place, r.segKey[i]), at(r.segKey, q)))
	pp, qq := -1, len(r.units)
	if p >= 0 {
		pp = int(r.segStart[p]) - 1
	}
	if q < len(r.units) {
		qq = int(r.segEnd[q])
	}
	r.add(79, join(place, at(r.segKey, pp)))
	r.add(80, join(place, at(r.segKey, qq)))
	r.add(81, at(r.seg, i-1))
	r.add(82, at(r.seg, i+1))
	r.add(83, join(join(at(r.seg, i-1), s), at(r.seg, i+1)))
}

// around adds what is known of the neighbours, and the bracket.
func (r *reader) around(i int) {
	k0, k1, k2 := at(r.known, i), at(r.known, i-1), at(r.known, i+1)
	r.add(50, k0)
	r.add(51, k1)
	r.add(52, k2)
	r.add(53, join(k0, r.hash(i)))
	r.add(54, join(k1, k2))
	r.add(55, at(r.known, i-2))
	r.add(56, at(r.known, i+2))
	r.add(57, join(join(k1, k0), k2))
	if r.inside[i] != 0 {
		r.add(58, r.inside[i])
		r.add(59, join(r.inside[i], r.hash(i)))
		if i > 0 && r.inside[i-1] == 0 || i+1 < len(r.units) && r.inside[i+1] == 0 {
			r.add(60, r.inside[i])
		}
	}
}

// english makes the features of unit i of English text.
func (r *reader) english(i int) {
	r.out = r.out[:0]
	u := &r.units[i]
	a2, a1, c, b1, b2 := r.hash(i-2), r.hash(i-1), u.hash, r.hash(i+1), r.hash(i+2)
	s, sa, sb := r.shape(i), r.shape(i-1), r.shape(i+1)
	first := uint32(0)
	if i == 0 {
		first = 1
	}
	r.add(101, c)
	r.add(102, a1)
	r.add(103, b1)
	r.add(104, a2)
	r.add(105, b2)
	r.add(106, join(a1, c))
	r.add(107, join(c, b1))
	r.add(108, join(a1, b1))
	r.add(109, join(c, s))
	r.add(110, s<<1|first)
	r.add(111, s<<8|sa<<4|sb)
	r.add(112, join(a1, s))
	r.add(113, join(b1, s))
	r.add(114, join(join(a2, a1), s))
	r.add(115, join(join(b1, b2), s))
	r.add(116, join(s<<8|sa<<4|sb, r.shape(i-2)<<4|r.shape(i+2)))
	if u.class >= lower && u.class <= mixed {
		t := u.text
		for n := 1; n <= 4 && n < len(t); n++ {
			r.add(120+uint32(n), join(hashOf(t[:n]), s))
			r.add(130+uint32(n), join(hashOf(t[len(t)-n:]), s))
		}
		r.add(140, uint32(min(len(t), 9))<<4|s)
	}
	// The word's habits, and those of its neighbours.
	w0, w1, w2 := r.begin[i], at(r.begin, i-1), at(r.begin, i+1)
	r.add(150, join(w0, s<<1|first))
	r.add(151, join(w1, s))
	r.add(152, join(w2, s))
	r.add(153, join(join(w1, w0), s<<8|sa<<4|sb))
	r.add(154, join(join(w0, w2), s<<8|sa<<4|sb))
	r.add(155, r.end[i])
	r.add(156, r.over[i])
	r.around(i)
}
