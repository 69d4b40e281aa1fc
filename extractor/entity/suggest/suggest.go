// Package suggest collects the names that articles have and the lexicon lacks, so
// that the lexicon grows by what is read: how often, where, in which spellings, and
// as entries of a lexicon file to correct and keep.
package suggest

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"xinwen/extractor/entity/pinyin"
	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// Name is a name that the lexicon lacks.
type Name struct {
	ID       string // the provisional one
	Kind     news.Kind
	Articles int
	Mentions int
	// Sources is how many publishers have it.
	Sources int
	// Surfaces are its spellings, the most frequent first.
	Surfaces []string
	// English is the name that mentions gave it, "" if none.
	English string
	// Contexts are pieces of text around it, each of another article.
	Contexts []string
}

// maxContexts is how many contexts of a name are kept.
const maxContexts = 3

// Collector counts the unknown names of articles.
type Collector struct {
	names map[string]*tally
}

// tally is what is known of one name.
type tally struct {
	Name
	surfaces map[string]int
	sources  map[string]bool
}

// Add counts the names of one article.
func (c *Collector) Add(a *news.Article) {
	if c.names == nil {
		c.names = make(map[string]*tally)
	}
	seen := make(map[string]bool)
	var runes []rune
	for i := range a.Mentions {
		m := &a.Mentions[i]
		if !strings.Contains(m.Entity, ":unknown-") {
			continue
		}
		n := c.names[m.Entity]
		if n == nil {
			n = &tally{Name: Name{ID: m.Entity, Kind: m.Kind}, surfaces: make(map[string]int), sources: make(map[string]bool)}
			c.names[m.Entity] = n
		}
		n.Mentions++
		n.surfaces[m.Surface]++
		n.English = cmp.Or(n.English, m.Name)
		if seen[m.Entity] {
			continue
		}
		seen[m.Entity] = true
		n.Articles++
		if s := cmp.Or(a.Publisher, a.Source); s != "" {
			n.sources[s] = true
		}
		if len(n.Contexts) < maxContexts {
			if runes == nil {
				runes = []rune(a.Content())
			}
			n.Contexts = append(n.Contexts, around(runes, m.Start, m.End))
		}
	}
}

// around is the text around a span, on one line.
func around(text []rune, start, end int) string {
	start, end = min(max(start, 0), len(text)), min(max(end, 0), len(text))
	from, to := max(0, start-24), min(len(text), max(start, end)+24)
	return strings.Join(strings.Fields(string(text[from:to])), " ")
}

// Names returns the names that at least least articles have, the most frequent
// first.
func (c *Collector) Names(least int) []Name {
	var out []Name
	for _, id := range slices.Sorted(maps.Keys(c.names)) {
		n := c.names[id]
		if n.Articles < least {
			continue
		}
		x := n.Name
		x.Sources = len(n.sources)
		x.Surfaces = slices.SortedFunc(maps.Keys(n.surfaces), func(a, b string) int {
			return cmp.Or(n.surfaces[b]-n.surfaces[a], cmp.Compare(a, b))
		})
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b Name) int { return cmp.Or(b.Articles-a.Articles, b.Mentions-a.Mentions) })
	return out
}

// WriteYAML writes names as entries of a lexicon file. What is guessed (an ID, an
// English name spelt from the Chinese one) is to be corrected. lex is the lexicon
// that the entries are for: what it has already gets a number.
func WriteYAML(w io.Writer, names []Name, lex *lexicon.Lexicon) error {
	if _, err := io.WriteString(w, "# Names that the lexicon lacks. Correct the English names and IDs, delete what is none, and save the file\n# in the folder lexicon beside the configuration.\n"); err != nil {
		return err
	}
	used := make(map[string]bool)
	taken := func(id, en string) bool {
		_, ok := lex.Entity(id)
		return ok || used[id] || used[lexicon.Key(en)] || len(lex.Lookup(en)) > 0
	}
	for i := range names {
		if err := writeEntry(w, &names[i], taken, used); err != nil {
			return err
		}
	}
	return nil
}

func writeEntry(w io.Writer, n *Name, taken func(id, en string) bool, used map[string]bool) error {
	en, hans, hant := n.English, "", ""
	var aliases []string
	for _, s := range n.Surfaces {
		switch {
		case !strings.ContainsFunc(s, han.IsHan):
			if en == "" {
				en = s
			} else if lexicon.Key(s) != lexicon.Key(en) {
				aliases = append(aliases, s)
			}
		case hans == "":
			if hans = han.Simplify(s); han.Script(s) == news.ScriptHant {
				hant = s
			}
		case lexicon.Key(s) != lexicon.Key(hans):
			aliases = append(aliases, s)
		}
	}
	en = cmp.Or(en, pinyin.Name(hans, false), pinyin.Spell(han.FoldString(hans)))
	slug := slugOf(en)
	if en == "" || slug == "" || strings.ContainsFunc(en, han.IsHan) {
		return nil // no way to write it in Latin letters
	}
	id, name := string(n.Kind)+":"+slug, en
	for k := 2; taken(id, en); k++ {
		id, en = fmt.Sprintf("%s:%s-%d", n.Kind, slug, k), fmt.Sprintf("%s (%d)", name, k)
	}
	used[id], used[lexicon.Key(en)] = true, true
	var b strings.Builder
	fmt.Fprintf(&b, "# %d articles of %d sources: %s\n", n.Articles, n.Sources, strings.Join(n.Contexts, " … "))
	fmt.Fprintf(&b, "- {id: %s, en: %q", id, en)
	for _, x := range [...]struct{ key, text string }{{"zh_hans", hans}, {"zh_hant", hant}} {
		if x.text != "" {
			fmt.Fprintf(&b, ", %s: %q", x.key, x.text)
		}
	}
	for k, s := range aliases {
		sep := ", "
		if k == 0 {
			sep = ", aliases: ["
		}
		fmt.Fprintf(&b, "%s%q", sep, s)
	}
	if len(aliases) > 0 {
		b.WriteByte(']')
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

func slugOf(name string) string {
	return strings.Trim(notSlug.ReplaceAllString(han.FoldString(name), "-"), "-")
}
