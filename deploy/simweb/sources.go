package simweb

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// sourceEntry is one source in the form that the crawler reads.
type sourceEntry struct {
	ID    string   `yaml:"id"`
	Name  string   `yaml:"name"`
	URL   string   `yaml:"url"`
	Lang  string   `yaml:"lang,omitempty"`
	Zone  string   `yaml:"time_zone,omitempty"`
	Feeds []string `yaml:"feeds,omitempty"`
	Lists []string `yaml:"lists,omitempty"`
}

// Sources returns the text of a sources.yaml with every site of the Web, in
// order of ID.
func (w *Web) Sources() string { return w.SourcesOf(func(string) bool { return true }) }

// SourcesOf is Sources with those sites alone whose ID keep accepts.
func (w *Web) SourcesOf(keep func(id string) bool) string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var list []sourceEntry
	for _, s := range w.sites {
		if !keep(s.ID) {
			continue
		}
		base := "http://" + s.Host
		e := sourceEntry{ID: s.ID, Name: s.Name, URL: base + "/", Lang: s.Lang}
		if s.zone != nil && s.zone.String() != "UTC" {
			e.Zone = s.zone.String()
		}
		if s.Follow == "list" {
			e.Lists = []string{base + s.List.Path}
		} else {
			for _, f := range s.Feeds {
				e.Feeds = append(e.Feeds, base+f.Path)
			}
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b sourceEntry) int { return strings.Compare(a.ID, b.ID) })
	text, err := yaml.Marshal(struct {
		Sources []sourceEntry `yaml:"sources"`
	}{list})
	if err != nil {
		panic(err) // strings and lists of strings always have a YAML form
	}
	return string(text)
}
