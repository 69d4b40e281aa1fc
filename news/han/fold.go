package han

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Shadow is the folded form of a text together with the way back to it.
type Shadow struct {
	// Text is the folded text.
	Text string
	// steps are the places where the distance between offsets in Text and in
	// the original changes, in order. Before the first the distance is 0.
	steps []step
}

// A step says that offset shadow in Text is offset original in the original.
type step struct {
	shadow, original int
	// whole says that the bytes from here to the next step stand for one unit
	// of the original: offsets between them have no counterpart of their own.
	whole bool
}

// Fold returns the shadow of s. Bytes that are not UTF-8 fold to U+FFFD.
func Fold(s string) Shadow {
	f := folder{conversion: loadConversion(), table: loadFolds()}
	f.fold(s)
	return Shadow{Text: string(f.out), steps: f.steps}
}

// FoldString returns the text of the shadow of s.
func FoldString(s string) string { return Fold(s).Text }

// Original returns the span of the original text that the span from start to
// end of s.Text stands for; all are byte offsets. A span that cuts through the
// folded form of one character covers the whole character.
func (s *Shadow) Original(start, end int) (int, int) {
	if len(s.steps) == 0 {
		return start, end
	}
	from := s.originalStart(start)
	if end <= start {
		return from, from
	}
	return from, s.originalEnd(end)
}

// originalStart maps the start of a span: characters without a folded form
// that stand just before it are left out.
func (s *Shadow) originalStart(offset int) int {
	i := s.after(offset)
	if i == 0 {
		return offset
	}
	p := s.steps[i-1]
	if p.whole {
		return p.original
	}
	return p.original + offset - p.shadow
}

// originalEnd maps the end of a span: characters without a folded form that
// stand just after it are left out.
func (s *Shadow) originalEnd(offset int) int {
	i := s.after(offset - 1)
	if i < len(s.steps) && s.steps[i].shadow == offset {
		return s.steps[i].original
	}
	if i == 0 {
		return offset
	}
	p := s.steps[i-1]
	if p.whole {
		return s.steps[i].original // a whole unit always ends in a step
	}
	return p.original + offset - p.shadow
}

// after returns the index of the first step beyond offset.
func (s *Shadow) after(offset int) int {
	lo, hi := 0, len(s.steps)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if s.steps[mid].shadow <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// folder folds one text in one pass.
type folder struct {
	*conversion
	table *folds
	out   []byte
	steps []step
}

func (f *folder) fold(s string) {
	f.out = make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			if 'A' <= b && b <= 'Z' {
				b += 'a' - 'A'
			}
			f.out = append(f.out, b)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r < 1<<16 && f.flags[r]&startsPhrase != 0 {
			if p, ok := f.phraseAt(r, s[i:]); ok {
				f.phrase(i, p)
				i += len(p.from)
				continue
			}
		}
		f.unit(i, n, r)
		i += n
	}
}

// phrase appends a converted phrase rune by rune.
func (f *folder) phrase(at int, p phrase) {
	from := p.from
	for _, to := range p.to {
		_, n := utf8.DecodeRuneInString(from)
		start := len(f.out)
		f.out = utf8.AppendRune(f.out, to)
		f.step(start, at, n)
		from, at = from[n:], at+n
	}
}

// unit appends the folded form of one rune of n bytes.
func (f *folder) unit(at, n int, r rune) {
	start := len(f.out)
	switch to := f.table.fold(r); {
	case to >= 0:
		f.out = utf8.AppendRune(f.out, f.convert(to))
	default:
		for _, to := range f.table.long[r] {
			f.out = utf8.AppendRune(f.out, f.convert(to))
		}
	}
	f.step(start, at, n)
}

// step notes that the bytes of out from start on stand for one rune of n bytes
// of the original at offset at, unless they are one rune of as many bytes.
func (f *folder) step(start, at, n int) {
	if len(f.out)-start == n && utf8.RuneCount(f.out[start:]) == 1 {
		return
	}
	if k := len(f.steps) - 1; k >= 0 && f.steps[k].shadow == start && f.steps[k].original == at {
		f.steps[k].whole = len(f.out) > start
	} else {
		f.steps = append(f.steps, step{start, at, len(f.out) > start})
	}
	f.steps = append(f.steps, step{len(f.out), at + n, false})
}

// folds maps runes to their compatibility and case folded form.
type folds struct {
	// single holds the folded rune for each rune of the basic plane, or isLong.
	single [1 << 16]uint16
	// long holds the forms that are not one rune of the basic plane.
	long map[rune][]rune
}

const isLong = 0xFFFF

// fold returns the folded form of r, or -1 if it is in long.
func (f *folds) fold(r rune) rune {
	if r < 1<<16 {
		if to := f.single[r]; to != isLong {
			return rune(to)
		}
		return -1
	}
	if _, ok := f.long[r]; ok {
		return -1
	}
	return r
}

var loadFolds = sync.OnceValue(func() *folds {
	f := &folds{long: make(map[rune][]rune)}
	fold := cases.Fold()
	var buf []byte
	for r := rune(0); r <= maxFolded; r++ {
		if r < 1<<16 {
			f.single[r] = uint16(r)
		}
		if unchanged(r) {
			continue
		}
		buf = utf8.AppendRune(buf[:0], r)
		var to []rune
		for _, c := range fold.String(norm.NFKD.String(string(buf))) {
			if c = punctuation(c); c != dropped && !isAccent(c) {
				to = append(to, c)
			}
		}
		if isAccent(r) || punctuation(r) == dropped {
			to = nil
		} else if !latinLike(r) {
			// Accents are dropped from European letters only; kana and
			// Hangul stay composed.
			to = to[:0]
			for _, c := range fold.String(norm.NFKC.String(string(buf))) {
				to = append(to, punctuation(c))
			}
		}
		switch {
		case len(to) == 1 && to[0] == r:
		case len(to) == 1 && to[0] < isLong && r < 1<<16:
			f.single[r] = uint16(to[0])
		default:
			f.long[r] = to
			if r < 1<<16 {
				f.single[r] = isLong
			}
		}
	}
	return f
})

// maxFolded is the last rune with a compatibility form (CJK compatibility
// ideographs supplement).
const maxFolded = 0x2FA1D

// unchanged names the large blocks in which nothing folds.
func unchanged(r rune) bool {
	switch {
	case r >= 0x3400 && r <= 0x4DBF, r >= 0x4E00 && r <= 0x9FFF, // CJK ideographs
		r >= 0xAC00 && r <= 0xD7FF,   // Hangul
		r >= 0xD800 && r <= 0xF8FF,   // surrogates and private use
		r >= 0x1F600 && r <= 0x2F7FF: // pictographs and rare ideographs
		return true
	case r >= 0x10000:
		return r < 0x1D400 && (r < 0x10400 || r > 0x10427) // Deseret has case
	}
	return false
}

// latinLike says that r is of a script written with optional accents.
func latinLike(r rune) bool {
	return unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic)
}

func isAccent(r rune) bool { return r >= 0x300 && r <= 0x36F }

// dropped is what punctuation returns for characters that do not show.
const dropped = -2

// punctuation unifies marks that writers and converters use for one another.
func punctuation(r rune) rune {
	switch r {
	case 0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF: // soft hyphen, zero width
		return dropped
	case 0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212:
		return '-'
	case 0x2018, 0x2019, 0x02BC:
		return '\''
	case 0x201C, 0x201D:
		return '"'
	case 0x2022, 0x2027, 0x22C5, 0x30FB, 0xFF65: // dots between parts of a name
		return 0x00B7
	}
	return r
}
