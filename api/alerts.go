package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/deliver"
	"xinwen/api/problem"
	"xinwen/api/rules"
)

// rule is a rule as the interface shows it: where webhooks lead, but not what
// may be secret in their addresses.
type rule struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Query    string   `json:"query"`
	Disabled bool     `json:"disabled"`
	Labels   []string `json:"labels,omitempty"`
	Webhooks []string `json:"webhooks,omitempty" doc:"Receivers, by scheme and host"`
	Origin   string   `json:"origin,omitempty" doc:"The file the rule comes from"`
}

func showRule(r *rules.Stored) rule {
	out := rule{ID: r.ID, Name: r.Name, Query: r.Query, Disabled: r.Disabled, Labels: r.Labels, Origin: r.Origin}
	for _, w := range r.Webhooks {
		out.Webhooks = append(out.Webhooks, deliver.Place(w.URL))
	}
	return out
}

func (s *Server) alertRoutes(api huma.API) {
	type rulesBody struct {
		Alerts []rule `json:"alerts"`
	}
	register(s, api, operation(http.MethodGet, "/v1/alerts", "list-alerts", "The rules of alerts", "alerts"),
		func(ctx context.Context, _ *struct{}) (*struct{ Body rulesBody }, error) {
			list, err := s.rules.List(ctx)
			if err != nil {
				return nil, err
			}
			out := &struct{ Body rulesBody }{rulesBody{Alerts: []rule{}}}
			for i := range list {
				out.Body.Alerts = append(out.Body.Alerts, showRule(&list[i]))
			}
			return out, nil
		})
	register(s, api, operation(http.MethodGet, "/v1/alerts/{id}", "get-alert", "One rule", "alerts"),
		func(ctx context.Context, in *struct {
			ID string `path:"id" maxLength:"64"`
		},
		) (*struct{ Body rule }, error) {
			r, err := s.rules.Get(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			if r == nil {
				return nil, noRule(in.ID)
			}
			return &struct{ Body rule }{showRule(r)}, nil
		})

	type deliveriesBody struct {
		Deliveries []deliver.Record `json:"deliveries"`
	}
	register(s, api, operation(http.MethodGet, "/v1/deliveries", "list-deliveries", "What was told, newest first", "alerts"),
		func(ctx context.Context, in *struct {
			Rule   string `query:"rule" maxLength:"64" doc:"Only of this rule"`
			Status string `query:"status" enum:"pending,delivered,dead,disabled" doc:"Only in this state"`
			Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		},
		) (*struct{ Body deliveriesBody }, error) {
			list, err := s.deliver.List(ctx, deliver.Filter{Rule: in.Rule, Status: deliver.Status(in.Status), Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			return &struct{ Body deliveriesBody }{deliveriesBody{list}}, nil
		})
	op := operation(http.MethodPost, "/v1/deliveries/{id}/replay", "replay-delivery", "Try a delivery that was given up again", "alerts")
	op.DefaultStatus = http.StatusAccepted
	register(s, api, op, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"64"`
	},
	) (*struct{}, error) {
		err := s.deliver.Replay(ctx, in.ID)
		switch {
		case errors.Is(err, deliver.ErrNoDelivery):
			return nil, problem.New(http.StatusNotFound, fmt.Sprintf("There is no delivery %q.", in.ID), "See /v1/deliveries?status=dead.")
		case errors.Is(err, deliver.ErrPending):
			return nil, problem.New(http.StatusConflict, "The delivery is still being tried.", "Wait for its next_try.")
		case errors.Is(err, deliver.ErrDelivered):
			return nil, problem.New(http.StatusConflict, "The delivery has arrived already.", "")
		case err != nil:
			return nil, err
		}
		s.log.Info("delivery replayed", "delivery", in.ID)
		return &struct{}{}, nil
	})
}

func noRule(id string) *problem.Problem {
	return problem.New(http.StatusNotFound, fmt.Sprintf("There is no alert %q.", id), "See /v1/alerts for those there are.")
}
