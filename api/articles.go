package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/news"
)

type articleResponse struct{ Body *news.Article }

func (s *Server) articleRoutes(api huma.API) {
	register(s, api, operation(http.MethodGet, "/v1/articles/{id}", "get-article", "One article, whole", "search"),
		func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"128" doc:"ID of the article"`
		},
		) (*articleResponse, error) {
			a, err := s.o.Searcher.Article(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return &articleResponse{a}, nil
		})
}
