package tagger

// Doubtful reports whether a sentence seems to name more than is marked in it:
// words of the dictionary that are names, capitals within an English sentence.
// names says which classes of words are names. Such a sentence would teach that
// names are none.
func (s *Sentence) Doubtful(l Language, words *Words, names func(class uint8) bool) bool {
	r := reader{words: words}
	r.units = cut(nil, s.Text, 0, len(s.Text), s.Capital)
	r.prepare(s.Known)
	marked := make([]bool, len(r.units))
	for i := range r.units {
		marked[i] = r.known[i] != 0
		for _, n := range s.Names {
			marked[i] = marked[i] || r.units[i].start < n.End && n.Start < r.units[i].end
		}
	}
	for i := range r.units {
		u := &r.units[i]
		if marked[i] {
			continue
		}
		switch {
		case l == Chinese:
			if r.segEnd[i]-r.segStart[i] > 1 && names(words.class(r.segKey[i])) {
				return true
			}
		case i > 0 && (u.class == title || u.class == upper || u.class == mixed) && len(u.text) > 1 && r.units[i-1].class != mark:
			return true
		}
	}
	return false
}
