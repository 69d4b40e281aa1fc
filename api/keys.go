package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/auth"
	"xinwen/api/problem"
	"xinwen/news"
)

// keyView is a key as the interface shows it.
type keyView struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Role    string    `json:"role" enum:"feeds,read,alerts,admin"`
	By      string    `json:"by,omitempty" doc:"Who made it"`
	Created time.Time `json:"created,omitzero"`
	Used    time.Time `json:"used,omitzero" doc:"When it was last shown, give or take an hour"`
	Expires time.Time `json:"expires,omitzero"`
	Revoked time.Time `json:"revoked,omitzero"`
	Active  bool      `json:"active"`
	Fixed   bool      `json:"fixed,omitempty" doc:"It comes from the configuration"`
	// Key is the key itself, in the answer to its making only.
	Key string `json:"key,omitempty" doc:"The key, shown this once"`
}

func showKey(k *auth.Key) keyView {
	return keyView{
		ID: k.ID, Name: k.Name, Role: k.Role.String(), By: k.By, Created: k.Created, Used: k.Used,
		Expires: k.Expires, Revoked: k.Revoked, Active: k.Active(time.Now()), Fixed: k.Fixed,
	}
}

func (s *Server) keyRoutes(api huma.API) {
	type meBody struct {
		Name string `json:"name,omitempty" doc:"The name of the key or of the person; empty where no key is asked for"`
		Role string `json:"role"`
		Open bool   `json:"open,omitempty" doc:"Nobody is asked for a key"`
	}
	register(s, api, operation(http.MethodGet, "/v1/me", "me", "Who the key belongs to", "keys"),
		func(ctx context.Context, _ *struct{}) (*struct{ Body meBody }, error) {
			v := auth.ViewerOf(ctx)
			return &struct{ Body meBody }{meBody{v.Name, v.Role.String(), s.guard.Opened()}}, nil
		})

	type keysBody struct {
		Keys []keyView `json:"keys"`
	}
	register(s, api, operation(http.MethodGet, "/v1/keys", "list-keys", "The keys of the api, without themselves", "keys"),
		func(context.Context, *struct{}) (*struct{ Body keysBody }, error) {
			body := keysBody{Keys: []keyView{}}
			for _, k := range s.guard.List() {
				body.Keys = append(body.Keys, showKey(&k))
			}
			return &struct{ Body keysBody }{body}, nil
		})

	type newBody struct {
		Name    string `json:"name" minLength:"1" maxLength:"80" doc:"Who or what uses it"`
		Role    string `json:"role" enum:"feeds,read,alerts,admin"`
		Expires string `json:"expires,omitempty" doc:"How long it is good for, such as 90d; until revoked if empty"`
	}
	op := operation(http.MethodPost, "/v1/keys", "create-key", "Make a key", "keys")
	op.DefaultStatus = http.StatusCreated
	op.Description = "The key is in this answer and nowhere else. The first key must have the role admin; from then on every request needs one."
	register(s, api, op, func(ctx context.Context, in *struct{ Body newBody }) (*struct {
		CacheControl string `header:"Cache-Control"`
		Body         keyView
	}, error,
	) {
		n := auth.New{Name: in.Body.Name, By: auth.ViewerOf(ctx).Name}
		var err error
		if n.Role, err = auth.ParseRole(in.Body.Role); err != nil {
			return nil, badBody(problem.Sentence(err), "")
		}
		if in.Body.Expires != "" {
			d, err := news.ParseDuration(in.Body.Expires)
			if err != nil || d <= 0 {
				return nil, badBody(fmt.Sprintf("expires %q is no duration.", in.Body.Expires), "Write for example 90d.")
			}
			n.Lifetime = d.Std()
		}
		k, text, err := s.guard.Create(ctx, n)
		if err != nil {
			return nil, keyError(err)
		}
		s.log.Info("key made", "key", k.ID, "name", k.Name, "role", k.Role.String(), "by", n.By)
		out := &struct {
			CacheControl string `header:"Cache-Control"`
			Body         keyView
		}{"no-store", showKey(k)}
		out.Body.Key = text
		return out, nil
	})

	op = operation(http.MethodDelete, "/v1/keys/{id}", "revoke-key", "Make a key of no use", "keys")
	op.DefaultStatus = http.StatusNoContent
	op.Description = "It stays in the list as revoked. Sessions opened with it end."
	register(s, api, op, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"64"`
	},
	) (*struct{}, error) {
		if err := s.guard.Revoke(ctx, in.ID); err != nil {
			return nil, keyError(err)
		}
		s.log.Info("key revoked", "key", in.ID, "by", auth.ViewerOf(ctx).Name)
		return &struct{}{}, nil
	})
}

func keyError(err error) error {
	var wrong *auth.InputError
	switch {
	case errors.Is(err, auth.ErrNoKey):
		return problem.New(http.StatusNotFound, "There is no such key.", "See /v1/keys.")
	case errors.Is(err, auth.ErrFixed), errors.Is(err, auth.ErrLastAdmin), errors.Is(err, auth.ErrFirstAdmin), errors.Is(err, auth.ErrTooMany):
		return problem.New(http.StatusConflict, problem.Sentence(err), "")
	case errors.As(err, &wrong):
		return problem.New(http.StatusUnprocessableEntity, problem.Sentence(err), "")
	}
	return err
}
