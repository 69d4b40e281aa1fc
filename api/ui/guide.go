package ui

import (
	"embed"
	"net/http"
	"strings"
)

// The guide is written in docs, which is not part of this module; tests hold the
// two alike.
//
//go:generate cp ../../docs/guide.md ../../docs/guide.zh-CN.md ../../docs/guide.zh-TW.md guide/
//go:embed guide/*.md
var guides embed.FS

// GuideBlock is a part of the guide: one of a heading, a paragraph, a list, a table
// and code.
type GuideBlock struct {
	Level  int // of a heading
	Text   []Inline
	Items  [][]Inline
	Header [][]Inline
	Rows   [][][]Inline
	Code   string
}

// Inline is a run of text: plain, code or a link.
type Inline struct {
	Text, URL string
	Code      bool
}

// guideNames are the files of the guide by language.
var guideNames = [languages]string{en: "guide.md", hans: "guide.zh-CN.md", hant: "guide.zh-TW.md"}

func (u *UI) guide(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	text, err := guides.ReadFile("guide/" + guideNames[lang])
	if err != nil {
		u.failure(w, r, err)
		return
	}
	u.render(w, r, http.StatusOK, "guide.html", page{Title: say(lang, "guide"), Section: "help", Data: blocks(string(text))})
}

// blocks reads the part of Markdown that the guide is written in. What it does
// not know is a paragraph.
func blocks(text string) []GuideBlock {
	var out []GuideBlock
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.TrimSpace(line) == "":
		case strings.HasPrefix(line, "#"):
			level := len(line) - len(strings.TrimLeft(line, "#"))
			out = append(out, GuideBlock{Level: level, Text: inline(strings.TrimSpace(line[level:]))})
		case strings.HasPrefix(line, "```"):
			var code []string
			for i++; i < len(lines) && !strings.HasPrefix(lines[i], "```"); i++ {
				code = append(code, lines[i])
			}
			out = append(out, GuideBlock{Code: strings.Join(code, "\n")})
		case strings.HasPrefix(line, "- "):
			b := GuideBlock{}
			for ; i < len(lines) && strings.HasPrefix(lines[i], "- "); i++ {
				b.Items = append(b.Items, inline(lines[i][2:]))
			}
			i--
			out = append(out, b)
		case strings.HasPrefix(line, "|"):
			b := GuideBlock{Header: cells(line)}
			for i++; i < len(lines) && strings.HasPrefix(lines[i], "|"); i++ {
				if !strings.HasPrefix(lines[i], "|-") {
					b.Rows = append(b.Rows, cells(lines[i]))
				}
			}
			i--
			out = append(out, b)
		default:
			out = append(out, GuideBlock{Text: inline(line)})
		}
	}
	return out
}

func cells(row string) [][]Inline {
	var out [][]Inline
	for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(row), "|"), "|") {
		out = append(out, inline(strings.TrimSpace(cell)))
	}
	return out
}

// inline cuts a line at its code and links. Only links that lead on from a page
// are links.
func inline(s string) []Inline {
	var out []Inline
	add := func(i Inline) {
		if i.Text != "" {
			out = append(out, i)
		}
	}
	for s != "" {
		at := strings.IndexAny(s, "`[")
		if at < 0 {
			break
		}
		if s[at] == '`' {
			end := strings.IndexByte(s[at+1:], '`')
			if end < 0 {
				break
			}
			add(Inline{Text: s[:at]})
			add(Inline{Text: s[at+1 : at+1+end], Code: true})
			s = s[at+end+2:]
			continue
		}
		label, rest, ok := strings.Cut(s[at+1:], "](")
		target, rest, closed := strings.Cut(rest, ")")
		if !ok || !closed || strings.ContainsAny(label, "[]") {
			add(Inline{Text: s[:at+1]})
			s = s[at+1:]
			continue
		}
		add(Inline{Text: s[:at]})
		s = rest
		if strings.HasPrefix(target, "guide.") {
			continue // the guide in another language: pages have a choice of languages
		}
		l := Inline{Text: label, URL: web(target)}
		if strings.HasPrefix(target, "/") {
			l.URL = target
		}
		add(l)
	}
	add(Inline{Text: s})
	return out
}
