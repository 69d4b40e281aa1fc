package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// ServeOptions adjust Serve; the zero value will do.
type ServeOptions struct {
	// Workers is how many requests are answered at a time; 0 means two for
	// each CPU.
	Workers int
	Logger  *slog.Logger
}

// Serve answers searches over nc with s, as the NATS micro service
// xinwen-search, until ctx is done; then it finishes what it has begun. Several
// processes may serve: each request goes to one of them. What else s can
// do (Counter, Storyteller, Resembler) it answers too; if it is a Rebuilder, requests to rebuild reach all processes.
func Serve(ctx context.Context, nc *nats.Conn, s Searcher, o ServeOptions) error {
	if o.Workers <= 0 {
		o.Workers = 2 * runtime.GOMAXPROCS(0)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h := &handler{conn: nc, searcher: s, log: o.Logger, slots: make(chan struct{}, o.Workers), maxReply: nc.MaxPayload()}
	svc, err := micro.AddService(nc, micro.Config{
		Name:        "xinwen-search",
		Version:     "1.0.0",
		Description: "Searches the index of Xinwen.",
		ErrorHandler: func(_ micro.Service, err *micro.NATSError) {
			o.Logger.Warn("search service", "subject", err.Subject, "err", err)
		},
	})
	if err != nil {
		return fmt.Errorf("search service: %w", err)
	}
	endpoint := func(name, subject string, answer func(ctx context.Context, data []byte) (any, error), opts ...micro.EndpointOpt) error {
		opts = append(opts, micro.WithEndpointSubject(subject))
		return svc.AddEndpoint(name, h.endpoint(ctx, answer), opts...)
	}
	if c, ok := s.(Counter); ok {
		err = errors.Join(err, endpoint("count", subjectCount, func(ctx context.Context, data []byte) (any, error) {
			var r CountRequest
			if err := unmarshal(data, &r); err != nil {
				return nil, err
			}
			return c.Count(ctx, r)
		}))
	}
	if st, ok := s.(Storyteller); ok {
		err = errors.Join(err, endpoint("story", subjectStory, func(ctx context.Context, data []byte) (any, error) {
			return st.Story(ctx, string(data))
		}))
	}
	if rs, ok := s.(Resembler); ok {
		err = errors.Join(err, endpoint("similar", subjectSimilar, func(ctx context.Context, data []byte) (any, error) {
			var r SimilarRequest
			if err := unmarshal(data, &r); err != nil {
				return nil, err
			}
			return rs.Similar(ctx, r)
		}))
	}
	if rb, ok := s.(Rebuilder); ok {
		err = errors.Join(err, endpoint("rebuild", subjectRebuild, func(ctx context.Context, _ []byte) (any, error) {
			return struct{}{}, rb.Rebuild(ctx)
		}, micro.WithEndpointQueueGroupDisabled()))
	}
	// Last, so that who is answered at all is answered everything.
	err = errors.Join(err,
		endpoint("query", subjectSearch, h.search),
		endpoint("article", subjectArticle, h.article),
		endpoint("status", subjectStatus, h.status),
	)
	if err != nil {
		return errors.Join(fmt.Errorf("search service: %w", err), svc.Stop())
	}
	flushing, cancel := context.WithTimeout(ctx, 5*time.Second)
	if err := nc.FlushWithContext(flushing); err != nil && ctx.Err() == nil {
		o.Logger.Warn("search service is not known to the server yet", "err", err)
	}
	cancel()

	<-ctx.Done()
	err = svc.Stop()
	h.running.Wait()
	if err != nil && !nc.IsClosed() && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("search service: %w", err)
	}
	return nil
}

// handler answers requests.
type handler struct {
	conn     *nats.Conn
	searcher Searcher
	log      *slog.Logger
	slots    chan struct{}
	running  sync.WaitGroup
	maxReply int64
}

// endpoint runs answer for each request, as many at a time as there are slots,
// until serving is done.
func (h *handler) endpoint(serving context.Context, answer func(ctx context.Context, data []byte) (any, error)) micro.Handler {
	return micro.HandlerFunc(func(req micro.Request) {
		select {
		case h.slots <- struct{}{}:
		case <-serving.Done():
			h.fail(req, fmt.Errorf("%w: the indexer is stopping; ask again", ErrUnavailable))
			return
		}
		h.running.Add(1)
		go func() {
			defer h.running.Done()
			defer func() { <-h.slots }()
			timeout := DefaultTimeout
			if ms, err := strconv.Atoi(req.Headers().Get(headerTimeout)); err == nil && ms > 0 {
				timeout = time.Duration(ms) * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(serving, timeout)
			defer cancel()
			h.answer(ctx, req, answer)
		}()
	})
}

func (h *handler) answer(ctx context.Context, req micro.Request, answer func(ctx context.Context, data []byte) (any, error)) {
	v, err := recovered(ctx, req.Data(), answer)
	if err != nil {
		h.fail(req, err)
		return
	}
	data, encoding, err := encode(v)
	if err != nil {
		h.fail(req, err)
		return
	}
	if int64(len(data)) > h.maxReply-(4<<10) { // leave room for headers
		h.failWire(req, wireError{
			Code:    codeTooLarge,
			Message: fmt.Sprintf("the answer of %d bytes is larger than a message may be (%d)", len(data), h.maxReply),
			Hint:    "ask for fewer hits at a time, or without explain",
		})
		return
	}
	var header nats.Header
	if encoding != "" {
		header = nats.Header{headerEncoding: {encoding}}
	}
	h.reply(req, data, header)
}

// reply sends what req is answered. (Not by the methods of req: they write into
// it what the service reads as soon as the handler has returned, which is before
// the answer is there.)
func (h *handler) reply(req micro.Request, data []byte, header nats.Header) {
	if err := h.conn.PublishMsg(&nats.Msg{Subject: req.Reply(), Header: header, Data: data}); err != nil {
		h.log.Warn("search reply lost", "subject", req.Subject(), "err", err)
	}
}

// recovered runs answer and turns a panic into an error, so that one bad
// request does not end the service.
func recovered(ctx context.Context, data []byte, answer func(ctx context.Context, data []byte) (any, error)) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("search panicked: %v", p)
		}
	}()
	return answer(ctx, data)
}

func (h *handler) fail(req micro.Request, err error) {
	w := toWire(err)
	if w.Code == codeInternal {
		h.log.Error("search failed", "subject", req.Subject(), "err", err)
	}
	h.failWire(req, w)
}

func (h *handler) failWire(req micro.Request, w wireError) {
	data, err := json.Marshal(w)
	if err != nil {
		h.log.Warn("search reply lost", "subject", req.Subject(), "err", err)
		return
	}
	h.reply(req, data, nats.Header{micro.ErrorCodeHeader: {w.Code}, micro.ErrorHeader: {"see the body"}})
}

func (h *handler) search(ctx context.Context, data []byte) (any, error) {
	var r Request
	if err := unmarshal(data, &r); err != nil {
		return nil, err
	}
	return h.searcher.Search(ctx, r)
}

func unmarshal(data []byte, request any) error {
	if err := json.Unmarshal(data, request); err != nil {
		return &RequestError{Field: "body", Message: err.Error(), Hint: "api and indexer may be of different versions"}
	}
	return nil
}

func (h *handler) article(ctx context.Context, data []byte) (any, error) {
	return h.searcher.Article(ctx, string(data))
}

func (h *handler) status(ctx context.Context, _ []byte) (any, error) {
	return h.searcher.Status(ctx)
}
