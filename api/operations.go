package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/problem"
	"xinwen/indexer/search"
	"xinwen/news/bus"
)

type pipelineStatus struct {
	Index   *search.Status     `json:"index,omitempty"`
	Streams []bus.StreamStatus `json:"streams"`
	// Disk is that of the embedded server.
	Disk *bus.DiskStatus `json:"disk,omitempty"`
	// Problems are what could not be asked, and what needs somebody.
	Problems []string `json:"problems,omitempty"`
}

func (s *Server) operationRoutes(api huma.API) {
	register(s, api, operation(http.MethodGet, "/v1/status", "status", "Streams, their lag, and the index", "operations"),
		func(ctx context.Context, _ *struct{}) (*struct{ Body pipelineStatus }, error) {
			out := &struct{ Body pipelineStatus }{pipelineStatus{Streams: []bus.StreamStatus{}}}
			if st, err := s.o.Searcher.Status(ctx); err != nil {
				out.Body.Problems = append(out.Body.Problems, "index: "+problem.Of(err).Detail)
			} else {
				out.Body.Index = &st
			}
			streams, err := s.o.Bus.Status(ctx)
			if err != nil {
				out.Body.Problems = append(out.Body.Problems, "streams: "+problem.Of(err).Detail)
			} else {
				out.Body.Streams = streams
			}
			if disk := s.o.Bus.Disk(); disk.Required > 0 {
				out.Body.Disk = &disk
				if disk.Low {
					out.Body.Problems = append(out.Body.Problems, fmt.Sprintf("disk: %d MiB are free, crawling pauses until there are %d", disk.Free>>20, disk.Required>>20))
				}
			}
			return out, nil
		})

	type quarantineBody struct {
		Messages []bus.Quarantined `json:"messages"`
	}
	register(s, api, operation(http.MethodGet, "/v1/quarantine", "list-quarantine", "Messages that failed for good, and why", "operations"),
		func(ctx context.Context, in *struct {
			Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		},
		) (*struct{ Body quarantineBody }, error) {
			list, err := s.o.Bus.ListQuarantine(ctx, in.Limit)
			if err != nil {
				return nil, err
			}
			if list == nil {
				list = []bus.Quarantined{}
			}
			return &struct{ Body quarantineBody }{quarantineBody{list}}, nil
		})

	type replayBody struct {
		Replayed int `json:"replayed"`
	}
	register(s, api, operation(http.MethodPost, "/v1/quarantine:replay", "replay-quarantine", "Send messages in quarantine through the pipeline again", "operations"),
		func(ctx context.Context, in *struct {
			Body *struct {
				Seqs []uint64 `json:"seqs,omitempty" maxItems:"10000" doc:"Sequences in quarantine; none means all"`
			}
		},
		) (*struct{ Body replayBody }, error) {
			var seqs []uint64
			if in.Body != nil {
				seqs = in.Body.Seqs
			}
			n, err := s.o.Bus.ReplayQuarantine(ctx, seqs...)
			if err != nil {
				return nil, err
			}
			s.log.Info("quarantine replayed", "messages", n)
			return &struct{ Body replayBody }{replayBody{n}}, nil
		})

	op := operation(http.MethodPost, "/v1/index:rebuild", "rebuild-index", "Build the index anew from the stream of articles", "operations")
	op.DefaultStatus = http.StatusAccepted
	op.Description = "The old index keeps answering until the new one has caught up; /v1/status shows how far it is."
	register(s, api, op, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return &struct{}{}, s.rebuild(ctx)
	})
}

// rebuild begins to build the index anew.
func (s *Server) rebuild(ctx context.Context) error {
	if s.o.Rebuilder == nil {
		return problem.New(http.StatusNotImplemented, "This api cannot reach the index's owner.", "Run xinwen index rebuild where the indexer runs.")
	}
	if err := s.o.Rebuilder.Rebuild(ctx); err != nil {
		return err
	}
	s.log.Info("index rebuild started")
	return nil
}

// readiness is what /readyz answers, kept for a moment so that many askers do
// no harm.
type readiness struct {
	mu   sync.Mutex
	at   time.Time
	body readyBody
}

type readyBody struct {
	Ready bool `json:"ready"`
	// Checks say "ok", or what is missing.
	Checks map[string]string `json:"checks"`
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	body := s.readiness(r.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !body.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}

func (s *Server) readiness(ctx context.Context) readyBody {
	s.ready.mu.Lock()
	defer s.ready.mu.Unlock()
	if time.Since(s.ready.at) < time.Second && s.ready.body.Ready {
		return s.ready.body
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	body := readyBody{Ready: true, Checks: map[string]string{"bus": "ok", "index": "ok"}}
	if err := s.o.Bus.Check(ctx); err != nil {
		body.Ready, body.Checks["bus"] = false, "the streams do not answer: "+err.Error()
	}
	if _, err := s.o.Searcher.Status(ctx); err != nil {
		body.Ready, body.Checks["index"] = false, problem.Of(err).Detail+" Is an indexer running?"
	}
	s.ready.at, s.ready.body = time.Now(), body
	return body
}
