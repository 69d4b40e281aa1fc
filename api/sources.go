package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/nats-io/nats.go/jetstream"

	"xinwen/api/auth"
	"xinwen/api/problem"
	"xinwen/news"
	"xinwen/news/bus"
)

// sources returns the state of every source, sorted by ID.
func (s *Server) sources(ctx context.Context) ([]news.SourceState, error) {
	return sources(ctx, s.o.Bus.KV(bus.KVSources))
}

func sources(ctx context.Context, kv jetstream.KeyValue) ([]news.SourceState, error) {
	w, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Stop() }() // only reading
	list := []news.SourceState{}
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case e, ok := <-w.Updates():
			if !ok {
				return nil, errors.New("list sources: the watch ended early")
			}
			if e == nil {
				slices.SortFunc(list, func(a, b news.SourceState) int { return strings.Compare(a.ID, b.ID) })
				return list, nil
			}
			if st, err := news.ParseSourceState(e.Value()); err == nil { // else of a newer crawler
				list = append(list, *st)
			}
		}
	}
}

// sourceNames keeps the names of sources for a few seconds, since every page and
// feed asks for them.
type sourceNames struct {
	mu    sync.Mutex
	at    time.Time
	names map[string]string
}

// sourceNames returns the names of the sources by ID. Where they cannot be had
// it returns the last ones.
func (s *Server) sourceNames(ctx context.Context) map[string]string {
	n := &s.names
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.at) < 10*time.Second {
		return n.names
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	list, err := s.sources(ctx)
	if err != nil {
		s.log.Warn("names of sources unknown", "err", err)
		return n.names
	}
	names := make(map[string]string, len(list))
	for i := range list {
		names[list[i].ID] = cmp.Or(list[i].Name, list[i].ID)
	}
	n.names, n.at = names, time.Now()
	return names
}

// discoverFor bounds a look at an address: some servers are slow, and politeness
// takes its time.
const discoverFor = 45 * time.Second

// sourceDraft is a source to add: an address, or a definition.
type sourceDraft struct {
	Definition string     `json:"definition,omitempty" maxLength:"65536" doc:"Instead of all others: the source as an entry of sources.yaml"`
	URL        string     `json:"url,omitempty" maxLength:"2048" doc:"The address of a site, a feed or a page that lists articles"`
	ID         string     `json:"id,omitempty" maxLength:"64" doc:"Lower-case letters, digits and hyphens; made from the address if empty"`
	Name       string     `json:"name,omitempty" maxLength:"200"`
	Lang       string     `json:"lang,omitempty" enum:"zh,en"`
	Script     string     `json:"script,omitempty" enum:"Hans,Hant,mixed,Latn"`
	Ways       []news.Way `json:"ways,omitempty" maxItems:"20" doc:"The ways to read it by, from a discovery; without any the best that are found"`
}

// sourceView is a source that was just added or changed; the list of sources
// shows it when the crawler has taken it up.
type sourceView struct {
	ID         string `json:"id"`
	Enabled    *bool  `json:"enabled,omitempty" doc:"What it was switched to; without it the definition counts"`
	Definition string `json:"definition,omitempty" doc:"The source as an entry of sources.yaml, of one that was added"`
}

type sourceResponse struct {
	Location string `header:"Location"`
	Body     sourceView
}

// SourcePath holds the parameter of an operation on one source.
type SourcePath struct {
	ID string `path:"id" maxLength:"100"`
}

func (s *Server) sourceRoutes(api huma.API) {
	type sourcesBody struct {
		Sources []news.SourceState `json:"sources"`
	}
	register(s, api, operation(http.MethodGet, "/v1/sources", "list-sources", "The sources and how each is doing", "sources"),
		func(ctx context.Context, _ *struct{}) (*struct{ Body sourcesBody }, error) {
			list, err := s.sources(ctx)
			if err != nil {
				return nil, err
			}
			return &struct{ Body sourcesBody }{sourcesBody{list}}, nil
		})

	op := operation(http.MethodPost, "/v1/sources:discover", "discover-source", "What there is to follow at an address", "sources")
	op.Description = "The crawler looks for feeds, sitemaps and lists of articles there, and asks each once, as politely as it asks all. Nothing is kept."
	register(s, api, op, func(ctx context.Context, in *struct {
		Body struct {
			URL string `json:"url" minLength:"1" maxLength:"2048" doc:"The address of a site, a feed or a page that lists articles"`
		}
	},
	) (*struct{ Body news.Discovery }, error) {
		d, err := s.discover(ctx, in.Body.URL)
		if err != nil {
			return nil, err
		}
		return &struct{ Body news.Discovery }{*d}, nil
	})

	op = operation(http.MethodPost, "/v1/sources", "add-source", "Follow a new source", "sources")
	op.DefaultStatus = http.StatusCreated
	op.Description = "Either a url, at which the best ways in are found if none are given, or a definition. The crawler takes it up at once."
	register(s, api, op, func(ctx context.Context, in *struct{ Body sourceDraft }) (*sourceResponse, error) {
		c, err := s.addSource(ctx, news.SourceDraft(in.Body))
		if err != nil {
			return nil, err
		}
		return &sourceResponse{"/v1/sources/" + c.ID, sourceView{c.ID, c.Enabled, c.Definition}}, nil
	})

	op = operation(http.MethodPost, "/v1/sources/{id}", "verify-source", "Probe a source now", "sources")
	op.Description = "Each way into the source is asked once; if none is well, its home is searched for others."
	register(s, api, op, func(ctx context.Context, in *SourcePath) (*struct{ Body news.Verification }, error) {
		id, ok := strings.CutSuffix(in.ID, ":verify")
		if !ok {
			return nil, problem.New(http.StatusNotFound, "There is nothing at this address.", "End it with :verify to probe the source.")
		}
		v, err := s.verifySource(ctx, id)
		if err != nil {
			return nil, err
		}
		return &struct{ Body news.Verification }{*v}, nil
	})
	// A pattern of ServeMux ends a wildcard at a slash only; the description may
	// say what the address is.
	paths := api.OpenAPI().Paths
	paths["/v1/sources/{id}:verify"] = &huma.PathItem{Post: paths[op.Path].Post}
	paths[op.Path].Post = nil

	register(s, api, operation(http.MethodPatch, "/v1/sources/{id}", "switch-source", "Switch a source on or off", "sources"),
		func(ctx context.Context, in *struct {
			SourcePath
			Body struct {
				Enabled bool `json:"enabled"`
			}
		},
		) (*sourceResponse, error) {
			c, err := s.switchSource(ctx, in.ID, in.Body.Enabled)
			if err != nil {
				return nil, err
			}
			return &sourceResponse{Body: sourceView{c.ID, c.Enabled, c.Definition}}, nil
		})

	op = operation(http.MethodDelete, "/v1/sources/{id}", "remove-source", "Follow a source no longer that was added", "sources")
	op.DefaultStatus = http.StatusNoContent
	op.Description = "Its articles stay. A source from the file of sources can only be switched off."
	register(s, api, op, func(ctx context.Context, in *SourcePath) (*struct{}, error) {
		return &struct{}{}, s.removeSource(ctx, in.ID)
	})
}

// crawlerProblem says what it means that a crawler does not answer as it should.
func crawlerProblem(err error) error {
	var r *bus.Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return problem.New(r.Status, r.Message, r.Advice)
	case errors.Is(err, bus.ErrUnanswered):
		return problem.New(http.StatusServiceUnavailable, "No crawler answers.", "See that one runs; if it does, the site was too slow: try again.")
	}
	return err
}

// discover asks a crawler what there is to follow at an address.
func (s *Server) discover(ctx context.Context, address string) (*news.Discovery, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverFor)
	defer cancel()
	var d news.Discovery
	if err := s.o.Bus.Ask(ctx, bus.SubjectDiscover, news.Way{URL: address}, &d); err != nil {
		return nil, crawlerProblem(err)
	}
	return &d, nil
}

// verifySource asks a crawler to probe a source.
func (s *Server) verifySource(ctx context.Context, id string) (*news.Verification, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverFor)
	defer cancel()
	var v news.Verification
	if err := s.o.Bus.Ask(ctx, bus.SubjectVerify, id, &v); err != nil {
		return nil, crawlerProblem(err)
	}
	return &v, nil
}

// addSource adds the source of a draft, as a crawler defines it.
func (s *Server) addSource(ctx context.Context, draft news.SourceDraft) (*news.SourceChange, error) {
	if draft.Definition == "" && strings.TrimSpace(draft.URL) == "" {
		return nil, problem.New(http.StatusBadRequest, "There is neither a url nor a definition.", "Give the address of a site or feed.")
	}
	asking, cancel := context.WithTimeout(ctx, discoverFor)
	defer cancel()
	var c news.SourceChange
	if err := s.o.Bus.Ask(asking, bus.SubjectDefine, draft, &c); err != nil {
		return nil, crawlerProblem(err)
	}
	c.By, c.At = auth.ViewerOf(ctx).Name, time.Now().UTC()
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	_, err = s.o.Bus.KV(bus.KVSourceChanges).Create(ctx, bus.Key(c.ID), data)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return nil, problem.New(http.StatusConflict, "There is a source "+c.ID+" already.", "Choose another id.")
	}
	if err != nil {
		return nil, err
	}
	s.log.Info("source added", "source", c.ID, "by", c.By)
	return &c, nil
}

// changeOfSource returns what was changed of a source and the revision of that, 0
// if nothing was.
func (s *Server) changeOfSource(ctx context.Context, id string) (news.SourceChange, uint64, error) {
	e, err := s.o.Bus.KV(bus.KVSourceChanges).Get(ctx, bus.Key(id))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return news.SourceChange{Version: news.Version, ID: id}, 0, nil
	}
	if err != nil {
		return news.SourceChange{}, 0, err
	}
	c, err := news.ParseSourceChange(e.Value())
	if err != nil {
		return news.SourceChange{}, 0, err
	}
	return *c, e.Revision(), nil
}

// known reports whether a crawler follows, or could follow, a source.
func (s *Server) known(ctx context.Context, id string) (bool, error) {
	_, err := s.o.Bus.KV(bus.KVSources).Get(ctx, bus.Key(id))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	return err == nil, err
}

func noSource(id string) error {
	return problem.New(http.StatusNotFound, "There is no source "+id+".", "See /v1/sources for those that there are.")
}

// switchSource switches a source on or off.
func (s *Server) switchSource(ctx context.Context, id string, on bool) (*news.SourceChange, error) {
	c, revision, err := s.changeOfSource(ctx, id)
	if err != nil {
		return nil, err
	}
	if known, err := s.known(ctx, id); err != nil {
		return nil, err
	} else if !known && c.Definition == "" {
		return nil, noSource(id)
	}
	c.Enabled, c.By, c.At = &on, auth.ViewerOf(ctx).Name, time.Now().UTC()
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	kv := s.o.Bus.KV(bus.KVSourceChanges)
	if revision == 0 {
		_, err = kv.Create(ctx, bus.Key(id), data)
	} else {
		_, err = kv.Update(ctx, bus.Key(id), data, revision)
	}
	if err := changedMeanwhile(err); err != nil {
		return nil, err
	}
	s.log.Info("source switched", "source", id, "enabled", on, "by", c.By)
	return &c, nil
}

// changedMeanwhile makes a problem of a write that came second.
func changedMeanwhile(err error) error {
	var api *jetstream.APIError
	if errors.Is(err, jetstream.ErrKeyExists) || errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return problem.New(http.StatusConflict, "Somebody else changed the source at the same moment.", "Look at it again, and change that.")
	}
	return err
}

// removeSource removes a source that was added.
func (s *Server) removeSource(ctx context.Context, id string) error {
	c, revision, err := s.changeOfSource(ctx, id)
	if err != nil {
		return err
	}
	if c.Definition == "" {
		if known, err := s.known(ctx, id); err != nil {
			return err
		} else if known {
			return problem.New(http.StatusConflict, "The source "+id+" is from the file of sources.", "Switch it off, or take it out of the file.")
		}
		return noSource(id)
	}
	err = s.o.Bus.KV(bus.KVSourceChanges).Delete(ctx, bus.Key(id), jetstream.LastRevision(revision))
	if err := changedMeanwhile(err); err != nil {
		return err
	}
	s.log.Info("source removed", "source", id, "by", auth.ViewerOf(ctx).Name)
	return nil
}

// What the page of sources asks and sets going.

func (d desk) Sources(ctx context.Context) ([]news.SourceState, error) { return d.s.sources(ctx) }

func (d desk) Discover(ctx context.Context, address string) (*news.Discovery, error) {
	return d.s.discover(ctx, address)
}

func (d desk) VerifySource(ctx context.Context, id string) (*news.Verification, error) {
	return d.s.verifySource(ctx, id)
}

func (d desk) AddSource(ctx context.Context, draft news.SourceDraft) (string, error) {
	c, err := d.s.addSource(ctx, draft)
	if err != nil {
		return "", err
	}
	return c.ID, nil
}

func (d desk) SwitchSource(ctx context.Context, id string, on bool) error {
	_, err := d.s.switchSource(ctx, id, on)
	return err
}

func (d desk) RemoveSource(ctx context.Context, id string) error { return d.s.removeSource(ctx, id) }
