package pattern

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxExact is how many strings a part of an expression may stand for to be
	// counted out, maxNeeded how many literals are worth looking for.
	maxExact  = 64
	maxNeeded = 400
)

// needed returns literals, in lower case and of at least two bytes, one of which
// is in every match of re; nil if it finds none.
func needed(re *syntax.Regexp) []string {
	if set := exact(re); set != nil {
		return useful(set)
	}
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needed(re.Sub[0])
		}
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			one := needed(sub)
			if one == nil || len(all)+len(one) > maxNeeded {
				return nil
			}
			all = append(all, one...)
		}
		return useful(all)
	case syntax.OpConcat:
		// Neighbours that can be counted out are taken together.
		var best []string
		for i := range re.Sub {
			best = better(best, needed(alone(re.Sub[i])))
			run := []string{""}
			for _, sub := range re.Sub[i:] {
				once := sub
				if sub.Op == syntax.OpPlus { // it is there once at least
					once = sub.Sub[0]
				}
				set := exact(once)
				if set == nil || len(run)*len(set) > maxExact {
					break
				}
				run = product(run, set)
				best = better(best, useful(run))
				if once != sub {
					break
				}
			}
		}
		return best
	}
	return nil
}

// alone returns re unless it can be counted out: the runs of neighbours have it
// then.
func alone(re *syntax.Regexp) *syntax.Regexp {
	if set := exact(re); set != nil && len(set) <= maxExact {
		return &syntax.Regexp{Op: syntax.OpEmptyMatch}
	}
	return re
}

// exact returns all strings that re can match, in lower case, and nil if they
// are too many or unknown.
func exact(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}
	case syntax.OpLiteral:
		out := []string{""}
		for _, r := range re.Rune {
			set := []string{fold(r)}
			if re.Flags&syntax.FoldCase != 0 {
				set = folds(r)
			}
			if r == utf8.RuneError || len(out)*len(set) > maxExact {
				return nil
			}
			out = product(out, set)
		}
		return out
	case syntax.OpCharClass:
		var out []string
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if re.Rune[i+1]-re.Rune[i] > maxExact || re.Rune[i] <= utf8.RuneError && utf8.RuneError <= re.Rune[i+1] {
				return nil
			}
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				out = append(out, fold(r))
			}
		}
		return few(out)
	case syntax.OpCapture:
		return exact(re.Sub[0])
	case syntax.OpQuest:
		if set := exact(re.Sub[0]); set != nil {
			return few(append(slices.Clone(set), ""))
		}
	case syntax.OpRepeat:
		if re.Min == re.Max && re.Min <= 4 {
			out := []string{""}
			set := exact(re.Sub[0])
			for range re.Min {
				if set == nil || len(out)*len(set) > maxExact {
					return nil
				}
				out = product(out, set)
			}
			return out
		}
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			set := exact(sub)
			if set == nil || len(out)+len(set) > maxNeeded {
				return nil
			}
			out = append(out, set...)
		}
		return few(out)
	case syntax.OpConcat:
		out := []string{""}
		for _, sub := range re.Sub {
			set := exact(sub)
			if set == nil || len(out)*len(set) > maxExact {
				return nil
			}
			out = product(out, set)
		}
		return out
	}
	return nil
}

// few returns a set without repetitions, nil if it is empty or large.
func few(set []string) []string {
	slices.Sort(set)
	set = slices.Compact(set)
	if len(set) == 0 || len(set) > maxNeeded {
		return nil
	}
	return set
}

// fold returns a character in lower case if it is ASCII.
func fold(r rune) string {
	if r < utf8.RuneSelf {
		return string(lower[byte(r)])
	}
	return string(r)
}

// folds returns the characters that stand for r where case does not matter. Of
// those of k and s beyond ASCII the set of literals knows.
func folds(r rune) []string {
	var out []string
	for f := r; ; {
		if f != 'ſ' && f != '\u212a' || r >= utf8.RuneSelf {
			out = append(out, fold(f))
		}
		if f = unicode.SimpleFold(f); f == r {
			break
		}
	}
	return few(out)
}

func product(a, b []string) []string {
	out := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, x+y)
		}
	}
	return out
}

// useful returns a set as literals to look for, nil if it has one that is too
// short. What contains another is left out.
func useful(set []string) []string {
	set = few(slices.Clone(set))
	var out []string
	slices.SortStableFunc(set, func(a, b string) int { return len(a) - len(b) })
	for _, s := range set {
		if len(s) < 2 {
			return nil
		}
		if !slices.ContainsFunc(out, func(o string) bool { return strings.Contains(s, o) }) {
			out = append(out, s)
		}
	}
	return out
}

// better returns the set that is rarer in texts.
func better(a, b []string) []string {
	if b == nil || a != nil && rate(a) <= rate(b) {
		return a
	}
	return b
}

// rate guesses how often one of a set stands in a text.
func rate(set []string) float64 {
	sum := 0.0
	for _, s := range set {
		x := 1.0
		for _, r := range s {
			switch {
			case r == ' ':
				x *= 0.2
			case '0' <= r && r <= '9':
				x *= 0.1
			case r < utf8.RuneSelf:
				x *= 0.05
			default:
				x *= 0.002
			}
		}
		sum += x
	}
	return sum
}
