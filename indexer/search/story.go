package search

import (
	"cmp"
	"context"
	"slices"
	"time"

	"xinwen/indexer/query"
	"xinwen/news"
)

// MaxStoryArticles is the number of articles that a Story lists.
const MaxStoryArticles = 200

// Storyteller knows which articles tell of one event. Its errors are those of
// Searcher.
type Storyteller interface {
	// Story returns a story by its ID, or by that of a story which has become
	// part of it; ErrNotFound if there is none.
	Story(ctx context.Context, id string) (*Story, error)
}

// Story is the articles that tell of one event, in any language.
type Story struct {
	// ID is the ID of the article that the story began with.
	ID string `json:"id"`
	// Title is that of the first article.
	Title string `json:"title"`
	// First and Last are the times of its articles.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Total is the number of articles, Sources that of different sources.
	Total   int `json:"total"`
	Sources int `json:"sources"`
	// Languages says how many articles there are in zh-Hans, zh-Hant, en.
	Languages []FacetValue `json:"languages"`
	// Entities are the IDs of entities and how many of the articles mention
	// them, from frequent to rare.
	Entities []FacetValue `json:"entities"`
	// Articles are the timeline, oldest first; the first one's source was the
	// first to publish.
	Articles   []StoryArticle `json:"articles"`
	AppliedSeq uint64         `json:"applied_seq"`
}

// StoryArticle is an article of a story.
type StoryArticle struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	Title     string    `json:"title"`
	Source    string    `json:"source"`
	Publisher string    `json:"publisher,omitempty"`
	Credit    string    `json:"credit,omitempty"`
	Lang      string    `json:"lang"`
	Script    string    `json:"script"`
	Published time.Time `json:"published,omitzero"`
	Fetched   time.Time `json:"fetched"`
}

// Tell fills s from its articles.
func (s *Story) Tell(articles []*news.Article) {
	slices.SortFunc(articles, func(a, b *news.Article) int {
		return cmp.Or(a.Time().Compare(b.Time()), a.Fetched.Compare(b.Fetched), cmp.Compare(a.ID, b.ID))
	})
	languages, entities, sources := make(map[string]int), make(map[string]int), make(map[string]bool)
	for _, a := range articles {
		languages[Language(a.Lang, a.Script)]++
		sources[a.Source] = true
		for _, id := range a.Entities() {
			entities[id]++
		}
		if len(s.Articles) < MaxStoryArticles {
			s.Articles = append(s.Articles, StoryArticle{
				ID: a.ID, URL: a.URL, Title: a.Title, Source: a.Source, Publisher: a.Publisher, Credit: a.Credit,
				Lang: a.Lang, Script: a.Script, Published: a.Published, Fetched: a.Fetched,
			})
		}
	}
	s.Total, s.Sources = len(articles), len(sources)
	s.Languages, s.Entities = Ranked(languages, len(languages)), Ranked(entities, 20)
	if len(articles) > 0 {
		s.Title = articles[0].Title
		s.First, s.Last = articles[0].Time(), articles[len(articles)-1].Time()
	}
}

// Language returns a language with its script where that matters: zh-Hans,
// zh-Hant, en.
func Language(lang, script string) string {
	if lang == "zh" && (script == news.ScriptHans || script == news.ScriptHant) {
		return lang + "-" + script
	}
	return lang
}

// Ranked returns the values counted, from frequent to rare, at most most of them.
func Ranked(counts map[string]int, most int) []FacetValue {
	list := make([]FacetValue, 0, len(counts))
	for v, n := range counts {
		list = append(list, FacetValue{Value: v, Count: n})
	}
	slices.SortFunc(list, func(a, b FacetValue) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return list[:min(len(list), most)]
}

// storyPoll is how often StoryOf asks.
const storyPoll = 50 * time.Millisecond

// StoryOf returns the story of a revision of an article. The index takes a
// moment to have a new one: StoryOf waits for it until ctx ends and then returns
// ErrNotFound.
func StoryOf(ctx context.Context, s Searcher, id string, revision int64) (string, error) {
	r := Request{Query: query.Keyword{Field: query.FieldID, Value: id}.String(), Size: MaxSize}
	for {
		res, err := s.Search(ctx, r)
		if err != nil && ctx.Err() == nil {
			return "", err
		}
		if err == nil {
			for _, h := range res.Hits { // IDs that differ in case only are several
				if h.ID == id && h.Revision >= revision {
					return h.Story, nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return "", ErrNotFound
		case <-time.After(storyPoll):
		}
	}
}
