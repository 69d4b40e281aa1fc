package lexicon

import (
	"strings"
	"unicode/utf8"
)

// flatReader reads the plain part of YAML that lexicon files are written in:
// entities in flow or block style, texts on one line, lists, comments. What else
// YAML has, and all that is wrong, it leaves to the YAML library, which takes ten
// times as long: every method reports false then.
type flatReader struct {
	file string
	s    string
	i    int
	line int
}

// parseFlat returns what parse returns for a file without faults, or false if it
// does not understand all of the file.
func parseFlat(file, data string) ([]entry, bool) {
	if strings.ContainsFunc(data, func(r rune) bool {
		return r < ' ' && r != '\n' || r == 0x7F || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xFEFF || r == utf8.RuneError
	}) {
		return nil, false
	}
	r := flatReader{file: file, s: data, line: 1}
	var entries []entry
	for {
		r.blank()
		if r.i == len(r.s) {
			return entries, true
		}
		if !r.take("- ") {
			return nil, false
		}
		e := entry{file: file, line: r.line}
		ok := false
		if r.take("{") {
			ok = r.flow(&e) && r.endOfLine()
		} else {
			ok = r.block(&e)
		}
		if !ok {
			return nil, false
		}
		entries = append(entries, e)
	}
}

// blank skips empty lines and lines of comment.
func (r *flatReader) blank() {
	for r.i < len(r.s) {
		j := r.i
		for j < len(r.s) && r.s[j] == ' ' {
			j++
		}
		switch {
		case j < len(r.s) && r.s[j] == '\n':
			r.i = j + 1
		case j < len(r.s) && r.s[j] == '#':
			k := strings.IndexByte(r.s[j:], '\n')
			if k < 0 {
				r.i = len(r.s)
				return
			}
			r.i = j + k + 1
		default:
			return
		}
		r.line++
	}
}

func (r *flatReader) take(text string) bool {
	if !strings.HasPrefix(r.s[r.i:], text) {
		return false
	}
	r.i += len(text)
	return true
}

// endOfLine skips spaces and the end of the line.
func (r *flatReader) endOfLine() bool {
	for r.take(" ") {
	}
	if r.i == len(r.s) {
		return true
	}
	if r.s[r.i] != '\n' {
		return false
	}
	r.i++
	r.line++
	return true
}

// space skips spaces and, within brackets, ends of lines.
func (r *flatReader) space() {
	for r.i < len(r.s) && (r.s[r.i] == ' ' || r.s[r.i] == '\n') {
		if r.s[r.i] == '\n' {
			r.line++
		}
		r.i++
	}
}

// key reads a key and its colon.
func (r *flatReader) key() (string, bool) {
	j := r.i
	for j < len(r.s) && (r.s[j] >= 'a' && r.s[j] <= 'z' || r.s[j] == '_') {
		j++
	}
	if j == r.i || !strings.HasPrefix(r.s[j:], ":") || j+1 == len(r.s) || r.s[j+1] != ' ' && r.s[j+1] != '\n' {
		return "", false
	}
	k := r.s[r.i:j]
	r.i = j + 1
	return k, true
}

// flow reads the keys of an entity in braces; the opening one is read.
func (r *flatReader) flow(e *entry) bool {
	seen := ""
	for {
		r.space()
		if r.take("}") {
			return seen != ""
		}
		if seen == "" {
			e.line = r.line
		}
		k, ok := r.key()
		if !ok || strings.Contains(seen, k+" ") {
			return false
		}
		seen += k + " "
		r.space()
		if !r.value(e, k, true) {
			return false
		}
		r.space()
		if !r.take(",") && !strings.HasPrefix(r.s[r.i:], "}") {
			return false
		}
	}
}

// block reads the keys of an entity on lines of their own; the first stands
// behind the hyphen.
func (r *flatReader) block(e *entry) bool {
	seen := ""
	for {
		k, ok := r.key()
		if !ok || strings.Contains(seen, k+" ") {
			return false
		}
		seen += k + " "
		for r.take(" ") {
		}
		if r.i < len(r.s) && r.s[r.i] == '\n' {
			if ok = r.items(e, k); !ok {
				return false
			}
		} else if !r.value(e, k, false) || !r.endOfLine() {
			return false
		}
		r.blank()
		if !strings.HasPrefix(r.s[r.i:], "  ") {
			return true
		}
		if r.i += 2; strings.HasPrefix(r.s[r.i:], " ") {
			return false
		}
	}
}

// items reads a list with an item on each line.
func (r *flatReader) items(e *entry, key string) bool {
	if !r.endOfLine() {
		return false
	}
	for n := 0; ; n++ {
		r.blank()
		if !strings.HasPrefix(r.s[r.i:], "    - ") {
			return n > 0
		}
		r.i += len("    - ")
		if !r.item(e, key, false) || !r.endOfLine() {
			return false
		}
	}
}

// value reads what belongs to a key of an entity; flow says that it stands in
// braces.
func (r *flatReader) value(e *entry, key string, flow bool) bool {
	switch key {
	case "id":
		return r.text(&e.id, flow)
	case "en":
		return r.text(&e.en, flow)
	case "zh_hans":
		return r.text(&e.hans, flow)
	case "zh_hant":
		return r.text(&e.hant, flow)
	case "parent":
		return r.text(&e.parent, flow)
	case "note":
		var t text
		ok := r.text(&t, flow)
		e.note = t.s
		return ok
	case "aliases", "cn", "tw", "hk", "tickers", "remove":
		return r.list(func() bool { return r.item(e, key, true) })
	}
	return false
}

// item reads one of a list that belongs to a key of an entity.
func (r *flatReader) item(e *entry, key string, flow bool) bool {
	region := ""
	switch key {
	case "tickers":
		e.tickers = append(e.tickers, text{})
		return r.text(&e.tickers[len(e.tickers)-1], flow)
	case "remove":
		e.removed = append(e.removed, text{})
		return r.text(&e.removed[len(e.removed)-1], flow)
	case "cn", "tw", "hk":
		region = key
	case "aliases":
	default:
		return false // an unknown key, or one without a list
	}
	f := form{Alias: Alias{Region: region, Origin: origin(r.file)}}
	if r.take("{") {
		if !r.rules(&f) {
			return false
		}
	} else {
		var t text
		if !r.text(&t, flow) {
			return false
		}
		f.Text, f.at = t.s, place{r.file, t.line}
	}
	f.key = Key(f.Text)
	e.aliases = append(e.aliases, f)
	return true
}

// list reads the items in brackets.
func (r *flatReader) list(item func() bool) bool {
	if !r.take("[") {
		return false
	}
	for {
		r.space()
		if r.take("]") {
			return true
		}
		if !item() {
			return false
		}
		r.space()
		if !r.take(",") && !strings.HasPrefix(r.s[r.i:], "]") {
			return false
		}
	}
}

// rules reads the keys of an alias in braces; the opening one is read.
func (r *flatReader) rules(f *form) bool {
	seen := ""
	for {
		r.space()
		if r.take("}") {
			return f.Text != ""
		}
		if seen == "" {
			f.at = place{r.file, r.line}
		}
		k, ok := r.key()
		if !ok || strings.Contains(seen, k+" ") {
			return false
		}
		seen += k + " "
		r.space()
		switch k {
		case "text":
			var t text
			if !r.text(&t, true) {
				return false
			}
			f.Text = t.s
		case "near", "not":
			list := &f.Near
			if k == "not" {
				list = &f.Not
			}
			if !r.list(func() bool {
				var t text
				ok := r.text(&t, true)
				*list = append(*list, t.s)
				return ok
			}) || len(*list) == 0 {
				return false
			}
		case "case", "weak", "abbrev":
			if !r.take("true") {
				return false
			}
			switch k {
			case "case":
				f.Case = true
			case "weak":
				f.Weak = true
			default:
				f.Abbrev = true
			}
		default:
			return false
		}
		r.space()
		if !r.take(",") && !strings.HasPrefix(r.s[r.i:], "}") {
			return false
		}
	}
}

// text reads a text on one line, in double quotes without escapes or in none.
func (r *flatReader) text(t *text, flow bool) bool {
	t.line = r.line
	if r.take(`"`) {
		n := strings.IndexAny(r.s[r.i:], "\"\\\n")
		if n < 0 || r.s[r.i+n] != '"' {
			return false
		}
		t.s = r.s[r.i : r.i+n]
		r.i += n + 1
		return checkText(t.s) == ""
	}
	end := strings.IndexAny(r.s[r.i:], "\n")
	if flow {
		end = strings.IndexAny(r.s[r.i:], ",]}[{\n")
	}
	if end < 0 {
		end = len(r.s) - r.i
	}
	s := strings.TrimRight(r.s[r.i:r.i+end], " ")
	if flow && r.i+end < len(r.s) && strings.IndexByte("\n[{", r.s[r.i+end]) >= 0 {
		return false // a text of two lines, or brackets within one
	}
	r.i += end
	t.s = s
	return plain(s) && checkText(s) == ""
}

// plain reports whether YAML takes s for nothing but text, or for a number that
// is text here.
func plain(s string) bool {
	if s == "" || strings.IndexByte("&*!|>%@`\"'?-:#,[]{}.~=<", s[0]) >= 0 || strings.HasSuffix(s, ":") {
		return false
	}
	for i := range len(s) {
		switch s[i] {
		case '#':
			if s[i-1] == ' ' {
				return false
			}
		case '\\':
			return false
		}
	}
	if before, after, ok := strings.Cut(s, ":"); ok {
		// TWSE:2330 and org:tsmc are text; what else has a colon may be more.
		return allLetters(before) && after != "" && !strings.ContainsFunc(after, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.')
		}) && after[0] != '-' && after[0] != '.' && !constant(before) && !constant(after)
	}
	switch strings.ToLower(s) {
	case "yes", "no", "on", "off", "y", "n": // truth values of an older YAML
		return false
	}
	return !constant(s)
}

// constant reports whether YAML has a meaning of its own for s.
func constant(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "null":
		return true
	}
	return false
}

func allLetters(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
}
