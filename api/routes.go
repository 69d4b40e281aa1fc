package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/pprof"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"xinwen/api/auth"
	"xinwen/api/problem"
	"xinwen/api/prom"
	"xinwen/api/ui"
)

// maxBodyBytes bounds the body of every operation but an import. (Not by
// http.MaxBytesReader: once huma has closed one, net/http takes the rest of the
// body for the next request.)
const maxBodyBytes = 1 << 20

// handler builds the routes.
func (s *Server) handler() (http.Handler, error) {
	mux := s.guard.NewMux()
	config := huma.DefaultConfig("Xinwen", s.o.Version)
	config.Info.Description = "News of the semiconductor industry in Simplified Chinese, Traditional Chinese and English, read as one language of entities."
	// We serve the description ourselves, and no page that loads scripts from
	// elsewhere; bodies have only the fields of their types.
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.Transformers = []huma.Transformer{refusal}
	// What curl calls a body that it is told nothing of is JSON too.
	config.Formats = maps.Clone(config.Formats)
	config.Formats["application/x-www-form-urlencoded"] = huma.DefaultJSONFormat
	config.Components.Schemas.Schema(reflect.TypeFor[problem.Problem](), true, "Problem")
	api := humago.New(mux, config)

	s.searchRoutes(api)
	s.articleRoutes(api)
	s.storyRoutes(api)
	s.trendRoutes(api)
	s.entityRoutes(api)
	s.alertRoutes(api)
	s.sourceRoutes(api)
	s.operationRoutes(api)
	s.keyRoutes(api)
	raw(api, mux, exportOperation, s.export)
	for _, in := range s.intakes() {
		raw(api, mux, in.operation, func(w http.ResponseWriter, r *http.Request) { s.take(in, w, r) })
	}
	raw(api, mux, streamOperation, s.stream.ServeHTTP)
	raw(api, mux, feedOperation, s.feed)

	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // the client has gone
	})
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.o.Metrics, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4,
	}))
	spec, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, err
	}
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(spec) // the client has gone
	})
	for path, h := range map[string]http.HandlerFunc{"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace} {
		mux.HandleFunc("GET /debug/pprof/"+path, h)
	}
	prom.New(s.o.Searcher, s.o.Version).Routes(mux, "/prom")
	mux.Handle("/mcp", s.assistant(mux))
	s.ui.Routes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.nothing(mux, w, r) })

	// A page elsewhere must not make a browser import or rebuild here.
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem.Write(w, problem.New(http.StatusForbidden, "The request comes from a page of another origin.", "Call the api from a program, or from its own pages."))
	}))
	if err := mux.Err(); err != nil {
		return nil, err
	}
	s.patterns = mux.Patterns()
	inner, err := compress(origin.Handler(s.guard.Handler(mux)))
	if err != nil {
		return nil, err
	}
	return s.recover(s.metrics.count(headers(inner))), nil
}

// nothing answers a request that no route takes.
func (s *Server) nothing(mux *auth.Mux, w http.ResponseWriter, r *http.Request) {
	methods := strings.Join(mux.Methods(r), ", ")
	switch {
	case methods != "" && r.Method == http.MethodOptions:
		w.Header().Set("Allow", methods)
		w.WriteHeader(http.StatusNoContent)
	case methods != "":
		w.Header().Set("Allow", methods)
		problem.Write(w, problem.New(http.StatusMethodNotAllowed, "This address does not take "+r.Method+".", "It takes "+methods+": see /openapi.json."))
	case ui.Wanted(r):
		s.ui.NotFound(w, r)
	default:
		problem.Write(w, problem.New(http.StatusNotFound, "There is nothing at this address.", "See /openapi.json for what there is."))
	}
}

// raw registers a handler that writes its own body, with its description.
func raw(api huma.API, mux *auth.Mux, op huma.Operation, h http.HandlerFunc) {
	api.OpenAPI().AddOperation(&op)
	mux.HandleFunc(op.Method+" "+op.Path, h)
}

// operation describes an operation of the /v1 interface.
func operation(method, path, id, summary, tag string) huma.Operation {
	return huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary, Tags: []string{tag},
		MaxBodyBytes: maxBodyBytes, BodyReadTimeout: 10 * time.Second,
		Responses: map[string]*huma.Response{"default": {
			Description: "Error",
			Content:     map[string]*huma.MediaType{problem.ContentType: {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}},
		}},
	}
}

// register adds an operation whose errors become problems. What is not the
// client's fault is logged.
func register[I, O any](s *Server, api huma.API, op huma.Operation, h func(context.Context, *I) (*O, error)) {
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, op.OperationID, err)
		}
		return out, nil
	})
}

func (s *Server) problem(ctx context.Context, what string, err error) error {
	if h := huma.StatusError(nil); errors.As(err, &h) && h.GetStatus() < 400 {
		return err // such as 304
	}
	p := problem.Of(err)
	if p.Status >= 500 && ctx.Err() == nil {
		s.log.Error("request failed", "operation", what, "status", p.Status, "err", err)
	}
	return p
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// recover turns a panic into a 500, and lets the other requests go on.
func (s *Server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v) // net/http knows what to do
			}
			s.log.Error("request panicked", "path", r.URL.Path, "err", v, "stack", string(debug.Stack()))
			problem.Write(w, problem.New(http.StatusInternalServerError, "Something went wrong inside.", "The log of the api says what."))
		}()
		next.ServeHTTP(w, r)
	})
}
