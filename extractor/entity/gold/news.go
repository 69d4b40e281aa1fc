package gold

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"xinwen/news"
)

// Article is one article annotated by hand.
type Article struct {
	ID, Lang, Title, Text, Date string
	Mentions                    []Mention
	// Doubtful are spans that count neither way.
	Doubtful [][2]int `json:"-"`
}

// Mention is a marked span of title, newline and text, in code points.
type Mention struct {
	Start, End int
	Type       string
	Name       string
}

// Kind is the kind of m as mentions have it.
func (m *Mention) Kind() news.Kind { return news.Kind(strings.ToLower(m.Type)) }

// Content is what mentions count their offsets in.
func (a *Article) Content() string { return a.Title + "\n" + a.Text }

// Published is the date of a, zero if it has none.
func (a *Article) Published() time.Time {
	t, _ := time.Parse(time.DateOnly, a.Date) // "" leaves it zero
	return t
}

// Doubts reports whether a span overlaps one that counts neither way.
func (a *Article) Doubts(start, end int) bool {
	return slices.ContainsFunc(a.Doubtful, func(d [2]int) bool { return start < d[1] && d[0] < end })
}

// News reads dev_gold.jsonl and dev_doubts.tsv of a folder.
func News(dir string) ([]Article, error) {
	f, err := os.Open(filepath.Join(dir, "dev_gold.jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	doubts, err := readDoubts(filepath.Join(dir, "dev_doubts.tsv"))
	if err != nil {
		return nil, err
	}
	var list []Article
	for d := json.NewDecoder(f); ; {
		var a Article
		if err := d.Decode(&a); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		a.Doubtful = doubts[a.ID]
		list = append(list, a)
	}
}

func readDoubts(path string) (map[string][][2]int, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list := make(map[string][][2]int)
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		c := strings.Split(sc.Text(), "\t")
		if len(c) < 3 {
			continue
		}
		a, err1 := strconv.Atoi(c[1])
		b, err2 := strconv.Atoi(c[2])
		if err1 == nil && err2 == nil {
			list[c[0]] = append(list[c[0]], [2]int{a, b})
		}
	}
	return list, sc.Err()
}

// Score is what mentions of articles are worth: typed spans by kind, by language
// and in all ("all"), and the right spans whose entity has the marked name.
type Score struct {
	Spans         map[string]*Counts
	Linked, Links int
	// Told is called for each fault: "miss", "extra" or "link".
	Told func(fault string, m Mention, got string)
}

// Add scores the mentions found in an article.
func (s *Score) Add(a *Article, found []news.Mention) {
	if s.Spans == nil {
		s.Spans = make(map[string]*Counts)
	}
	type span struct {
		start, end int
		kind       news.Kind
	}
	counts := func(kind news.Kind, do func(*Counts)) {
		for _, key := range [...]string{"all", a.Lang, string(kind)} {
			if s.Spans[key] == nil {
				s.Spans[key] = new(Counts)
			}
			do(s.Spans[key])
		}
	}
	tell := func(fault string, m Mention, got string) {
		if s.Told != nil {
			s.Told(fault, m, got)
		}
	}
	got := make(map[span]*news.Mention)
	for i := range found {
		if m := &found[i]; !a.Doubts(m.Start, m.End) {
			got[span{m.Start, m.End, m.Kind}] = m
			counts(m.Kind, func(c *Counts) { c.Found++ })
		}
	}
	for _, w := range a.Mentions {
		if a.Doubts(w.Start, w.End) {
			continue
		}
		k := span{w.Start, w.End, w.Kind()}
		m := got[k]
		delete(got, k)
		counts(k.kind, func(c *Counts) {
			c.Gold++
			if m != nil {
				c.Right++
			}
		})
		if m == nil {
			tell("miss", w, "")
			continue
		}
		switch k.kind {
		case news.Org, news.Person, news.Place, news.Product, news.Tech:
			if w.Name == "" {
				continue
			}
			s.Links++
			if same(w.Name) == same(m.Name) {
				s.Linked++
			} else {
				tell("link", w, m.Name)
			}
		}
	}
	for k, m := range got {
		tell("extra", Mention{Start: k.start, End: k.end, Type: string(k.kind)}, m.Surface)
	}
}

// same is a name as names are compared: letters and digits, in one case.
func same(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
