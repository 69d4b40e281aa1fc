package analysis

import "unicode/utf8"

// Rarity guesses the log probability of a gram at a given place of an article.
// It knows how common characters are, and that long words are rarer.
func (a *Analyzer) Rarity(gram string) float64 {
	if !IsIdeograph(gram) {
		return max(-16, -6-float64(utf8.RuneCountInString(gram)))
	}
	sum := 0.0
	for _, r := range gram {
		if r < 1<<16 {
			sum += float64(a.dict.rarity[r])
		} else {
			sum -= 15
		}
	}
	return sum
}

// Frequency returns the log probability of a word of Chinese at a given place of
// a text: that of the dictionary or, for a word that is not in it, of its
// characters.
func (a *Analyzer) Frequency(word string) float64 {
	node := uint32(0)
	for _, r := range word {
		if node = a.dict.next(node, r); node == 0 {
			return a.Rarity(word)
		}
	}
	if w := a.dict.weights[node]; w != 0 {
		return float64(w)
	}
	return a.Rarity(word)
}
