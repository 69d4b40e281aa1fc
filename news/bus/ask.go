package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// ErrUnanswered says that no service answers a request, or none in time.
var ErrUnanswered = errors.New("no answer")

// Refusal is the answer of a service to a request that it does not do, with an
// HTTP status, a sentence for the one who asks, and what to do.
type Refusal struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
	Advice  string `json:"hint,omitempty"`
}

// Error returns the sentence.
func (r *Refusal) Error() string { return r.Message }

// Hint returns what to do about it.
func (r *Refusal) Hint() string { return r.Advice }

// Answerer answers one kind of request: it gets the request as sent and returns
// what goes back as JSON. A *Refusal reaches the one who asked; of any other
// error they learn only that there was one.
type Answerer func(ctx context.Context, request []byte) (any, error)

// ServiceConfig describes a service that answers requests.
type ServiceConfig struct {
	// Name and About describe it to the nats tool.
	Name, About string
	// Workers is how many requests are answered at a time, Waiting how many may
	// wait for that; more are refused.
	Workers, Waiting int
	// Timeout bounds an answer; who asks may want it sooner.
	Timeout time.Duration
	// Endpoints are the answerers by subject.
	Endpoints map[string]Answerer
}

const headerTimeout = "Xinwen-Timeout" // of a request, in milliseconds

// Serve answers requests as a NATS micro service until ctx is done, and returns
// when all answers are given. Of several processes that serve the same subjects
// each request goes to one.
func (b *Bus) Serve(ctx context.Context, c ServiceConfig) error {
	svc, err := micro.AddService(b.nc, micro.Config{
		Name: c.Name, Version: "1.0.0", Description: c.About,
		ErrorHandler: func(_ micro.Service, err *micro.NATSError) {
			b.log.Warn("service answers no more", "service", c.Name, "subject", err.Subject, "err", err)
		},
	})
	if err != nil {
		return fmt.Errorf("serve %s: %w", c.Name, err)
	}
	s := &answering{bus: b, config: c, serving: ctx, slots: make(chan struct{}, max(c.Workers, 1)), room: make(chan struct{}, max(c.Workers, 1)+c.Waiting)}
	for subject, answer := range c.Endpoints {
		err = errors.Join(err, svc.AddEndpoint(Token(subject), s.handler(answer), micro.WithEndpointSubject(subject)))
	}
	if err == nil {
		<-ctx.Done()
	}
	err = errors.Join(err, svc.Stop())
	s.running.Wait()
	if err != nil && !b.nc.IsClosed() && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("serve %s: %w", c.Name, err)
	}
	return nil
}

type answering struct {
	bus         *Bus
	config      ServiceConfig
	serving     context.Context //nolint:containedctx // that of Serve, which waits for all answers
	slots, room chan struct{}
	running     sync.WaitGroup
}

func (s *answering) handler(answer Answerer) micro.Handler {
	return micro.HandlerFunc(func(req micro.Request) {
		select {
		case s.room <- struct{}{}:
		default:
			s.refuse(req, &Refusal{503, "There are too many requests of this kind at the moment.", "Try again in a minute."})
			return
		}
		s.running.Go(func() {
			defer func() { <-s.room }()
			timeout := s.config.Timeout
			if ms, err := strconv.Atoi(req.Headers().Get(headerTimeout)); err == nil && ms > 0 {
				timeout = min(timeout, time.Duration(ms)*time.Millisecond)
			}
			ctx, cancel := context.WithTimeout(s.serving, timeout)
			defer cancel()
			select {
			case s.slots <- struct{}{}:
				defer func() { <-s.slots }()
			case <-ctx.Done():
				return // nobody waits any more
			}
			s.answer(ctx, req, answer)
		})
	})
}

func (s *answering) answer(ctx context.Context, req micro.Request, answer Answerer) {
	defer func() {
		if p := recover(); p != nil {
			s.bus.log.Error("answer panicked", "subject", req.Subject(), "err", p, "stack", string(debug.Stack()))
			s.refuse(req, &Refusal{500, "Something went wrong inside.", "The log of the " + s.bus.name + " says what."})
		}
	}()
	v, err := answer(ctx, req.Data())
	var data []byte
	if err == nil {
		data, err = json.Marshal(v)
	}
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		s.refuse(req, refusal)
		return
	case ctx.Err() != nil && err != nil:
		s.refuse(req, &Refusal{504, "It took too long.", "Try again later."})
		return
	case err != nil:
		s.bus.log.Error("request failed", "subject", req.Subject(), "err", err)
		s.refuse(req, &Refusal{500, "Something went wrong inside.", "The log of the " + s.bus.name + " says what."})
		return
	}
	s.reply(req, data, nil)
}

// reply sends what req is answered. (Not by the methods of req: they write into
// it what the service reads as soon as the handler has returned, which is before
// the answer is there.)
func (s *answering) reply(req micro.Request, data []byte, header nats.Header) {
	if err := s.bus.nc.PublishMsg(&nats.Msg{Subject: req.Reply(), Header: header, Data: data}); err != nil {
		s.bus.log.Warn("answer lost", "subject", req.Subject(), "err", err)
	}
}

func (s *answering) refuse(req micro.Request, r *Refusal) {
	data, err := json.Marshal(r)
	if err != nil {
		s.bus.log.Warn("answer lost", "subject", req.Subject(), "err", err)
		return
	}
	s.reply(req, data, nats.Header{micro.ErrorCodeHeader: {strconv.Itoa(r.Status)}, micro.ErrorHeader: {"see the body"}})
}

// Ask sends a request to the service of subject and reads the answer into out.
// request goes as JSON, or as it is if it is bytes. The error is a *Refusal if the service
// says no, and ErrUnanswered if there is none; ctx bounds the wait.
func (b *Bus) Ask(ctx context.Context, subject string, request, out any) error {
	msg := nats.NewMsg(subject)
	var ok bool
	if msg.Data, ok = request.([]byte); !ok {
		var err error
		if msg.Data, err = json.Marshal(request); err != nil {
			return fmt.Errorf("ask %s: %w", subject, err)
		}
	}
	if deadline, ok := ctx.Deadline(); ok {
		msg.Header.Set(headerTimeout, strconv.FormatInt(max(time.Until(deadline).Milliseconds(), 1), 10))
	}
	reply, err := b.nc.RequestMsgWithContext(ctx, msg)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("ask %s: %w: nobody serves it", subject, ErrUnanswered)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return fmt.Errorf("ask %s: %w in time", subject, ErrUnanswered)
	case err != nil:
		return fmt.Errorf("ask %s: %w", subject, err)
	}
	if reply.Header.Get(micro.ErrorCodeHeader) != "" {
		var r Refusal
		if err := json.Unmarshal(reply.Data, &r); err != nil {
			return fmt.Errorf("ask %s: %s %s", subject, reply.Header.Get(micro.ErrorCodeHeader), reply.Header.Get(micro.ErrorHeader))
		}
		return &r
	}
	if err := json.Unmarshal(reply.Data, out); err != nil {
		return fmt.Errorf("ask %s: %w", subject, err)
	}
	return nil
}
