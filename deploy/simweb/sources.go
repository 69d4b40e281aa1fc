package simweb

import (
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// SourceOptions say how a crawler should read the sites.
type SourceOptions struct {
	// Keep chooses sites by ID; nil keeps all.
	Keep func(id string) bool
	// Delay, Interval and Timeout are written into every source; zero leaves
	// the crawler's default.
	Delay    time.Duration
	Interval time.Duration
	Timeout  time.Duration
}

// sourceFile is the form that the crawler reads.
type sourceFile struct {
	Sources []sourceEntry `yaml:"sources"`
}

type sourceEntry struct {
	ID        string      `yaml:"id"`
	Name      string      `yaml:"name"`
	Home      string      `yaml:"home"`
	Lang      string      `yaml:"lang,omitempty"`
	Script    string      `yaml:"script,omitempty"`
	TimeZone  string      `yaml:"time_zone,omitempty"`
	Feeds     []string    `yaml:"feeds,omitempty"`
	ListPages []listEntry `yaml:"list_pages,omitempty"`
	Delay     string      `yaml:"delay,omitempty"`
	Interval  string      `yaml:"interval,omitempty"`
	Timeout   string      `yaml:"timeout,omitempty"`
}

type listEntry struct {
	URL   string `yaml:"url"`
	Next  string `yaml:"next,omitempty"`
	Pages int    `yaml:"pages,omitempty"`
}

// maxListPages is how many pages of a list a source follows.
const maxListPages = 10

// Sources returns the text of a sources.yaml with every site of the Web, in
// order of ID.
func (w *Web) Sources() string { return w.SourcesFor(SourceOptions{}) }

// SourcesFor is Sources with options.
func (w *Web) SourcesFor(o SourceOptions) string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var list []sourceEntry
	for _, s := range w.sites {
		if o.Keep == nil || o.Keep(s.ID) {
			list = append(list, s.source(o))
		}
	}
	slices.SortFunc(list, func(a, b sourceEntry) int { return strings.Compare(a.ID, b.ID) })
	text, err := yaml.Marshal(sourceFile{list})
	if err != nil {
		panic(err) // strings and lists of strings always have a YAML form
	}
	return string(text)
}

func (s *site) source(o SourceOptions) sourceEntry {
	base := "http://" + s.Host
	e := sourceEntry{
		ID: s.ID, Name: s.Name, Home: base + "/",
		Delay: duration(o.Delay), Interval: duration(o.Interval), Timeout: duration(o.Timeout),
	}
	if s.saved == nil { // nobody vouches for what index.json says of a page
		e.Lang, e.Script = langScript(s.Lang)
		e.TimeZone = s.zone.String()
	}
	if s.Follow == "list" {
		e.ListPages = []listEntry{{URL: base + s.List.Path, Next: "auto", Pages: maxListPages}}
		return e
	}
	for _, f := range s.Feeds {
		e.Feeds = append(e.Feeds, base+f.Path)
	}
	return e
}

func duration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
