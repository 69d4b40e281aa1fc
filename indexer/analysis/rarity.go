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
