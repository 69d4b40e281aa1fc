package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/problem"
	"xinwen/indexer/search"
)

// storyRoutes are what leads from an article or story to others.
func (s *Server) storyRoutes(api huma.API) {
	register(s, api, operation(http.MethodGet, "/v1/stories/{id}", "get-story", "One story: the articles that tell of an event, oldest first", "search"),
		func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"128" doc:"ID of the story, as hits have it"`
		},
		) (*struct{ Body *search.Story }, error) {
			teller, ok := s.o.Searcher.(search.Storyteller)
			if !ok {
				return nil, unsupported
			}
			st, err := teller.Story(ctx, in.ID)
			if errors.Is(err, search.ErrNotFound) {
				return nil, problem.New(http.StatusNotFound, "There is no such story in the index.", "Take its ID from a hit of /v1/search: it changes when the first article of the story does.")
			}
			return &struct{ Body *search.Story }{st}, err
		})
	register(s, api, operation(http.MethodGet, "/v1/articles/{id}/similar", "similar-articles", "Articles like one, each of another story", "search"),
		func(ctx context.Context, in *struct {
			ID        string `path:"id" maxLength:"128" doc:"ID of the article"`
			Lang      list   `query:"lang,explode" doc:"zh, en, zh-Hans, zh-Hant; several are alternatives"`
			SameStory bool   `query:"same_story" doc:"Also articles of the same story"`
			Size      int    `query:"size" minimum:"1" maximum:"100" default:"10" doc:"Number of hits"`
		},
		) (*struct{ Body *search.Result }, error) {
			resembler, ok := s.o.Searcher.(search.Resembler)
			if !ok {
				return nil, unsupported
			}
			res, err := resembler.Similar(ctx, search.SimilarRequest{ID: in.ID, Lang: in.Lang.split(), SameStory: in.SameStory, Size: in.Size})
			return &struct{ Body *search.Result }{res}, err
		})
}

// unsupported is the answer where the index is of an older program or another
// engine.
var unsupported = problem.New(http.StatusNotImplemented, "The index cannot do this.", "Run an indexer of the same version as the api.")
