package bleve

import (
	"strings"

	"xinwen/indexer/analysis"
	"xinwen/indexer/query"
)

// A phrase of two words that nearly every English article has would have to be
// looked for in nearly all of them. So two common words in a row are a term of
// their own, in fieldPairs: such a phrase is looked up. That takes some forty
// bytes for an English article of 2 KB, and nothing for a Chinese one, whose
// grams are pairs already.

// commonWords are the most frequent words of English news, in folded form.
var commonWords = func() map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(`
		a about after against all also am an and any are as at back be because been before being between both but by
		can company could day did do does down during each even first for from get good government had has have he her
		here him his how i if in into is it its just last like long made make many market may me million billion more
		most much must my new next no not now number of off on one only or other our out over own part people percent
		per price quarter said same say says second see set several she should since so some still such take than that
		the their them then there these they this those three through time to today told too two under up us use very
		was way we week well were what when where which while who will with work world would year years yet you your`) {
		set[w] = true
	}
	return set
}()

// pairOf returns the term of two words in a row, which must both be common.
func pairOf(first, second string) (term string, ok bool) {
	if !commonWords[first] || !commonWords[second] {
		return "", false
	}
	return first + " " + second, true
}

// appendPairs appends to dst the pairs among the grams of a text.
func appendPairs(dst []string, grams []analysis.Token) []string {
	before := 0 // where the position before begins
	for i, begin := 0, 0; i < len(grams); i++ {
		g := grams[i]
		if i > begin && g.Position != grams[begin].Position {
			before, begin = begin, i
		}
		for _, f := range grams[before:begin] {
			if pair, ok := pairOf(f.Term, g.Term); ok && f.Position+1 == g.Position {
				dst = append(dst, pair)
			}
		}
	}
	return dst
}

// pairsOf returns the pairs that an article must have to match a sequence, and
// whether one that has them, in title or text, does match it.
func pairsOf(c *query.Clause) (pairs []string, all bool) {
	single := func(s query.Slot) bool { return len(s.Terms) == 1 && !s.Prefix }
	for i := range c.Slots[1:] {
		a, b := c.Slots[i], c.Slots[i+1]
		if !single(a) || !single(b) || b.Offset != a.Offset+1 {
			continue
		}
		if pair, ok := pairOf(a.Terms[0], b.Terms[0]); ok {
			pairs = append(pairs, pair)
		}
	}
	return pairs, len(c.Slots) == 2 && len(pairs) == 1
}
