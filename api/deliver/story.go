package deliver

import (
	"context"
	"encoding/json"

	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/sketch"
)

// repeats returns the article that a repeats for its rule: one of the same story
// that was told of before. An article that was told of itself repeats nothing.
func (s *Service) repeats(ctx context.Context, a *news.Alert) (article string, err error) {
	t := sketch.Told{Article: a.Article.ID, Story: a.Story, Sketch: a.Fingerprint, At: a.Matched.Unix()}
	if t.Story == "" && t.Sketch == "" {
		return "", nil
	}
	err = s.journal.change(ctx, "story."+bus.Key(a.Rule), func(data []byte) (any, error) {
		var m sketch.Memory
		if data != nil {
			if err := json.Unmarshal(data, &m); err != nil {
				return nil, err
			}
		}
		article = ""
		if m.Has(t.Article) {
			return nil, nil
		}
		if old, ok := m.Find(t); ok {
			article = old.Article
			return nil, nil
		}
		m.Add(t)
		return m, nil
	})
	return article, err
}
