package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/deliver"
	"xinwen/api/problem"
)

func (s *Server) deliveryRoutes(api huma.API) {
	type deliveriesBody struct {
		Deliveries []deliver.Record `json:"deliveries"`
	}
	register(s, api, operation(http.MethodGet, "/v1/deliveries", "list-deliveries", "What was told, newest first", "alerts"),
		func(ctx context.Context, in *struct {
			Rule   string `query:"rule" maxLength:"64" doc:"Only of this rule"`
			Status string `query:"status" enum:"pending,waiting,delivered,repeat,dead,disabled" doc:"Only in this state"`
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
