package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"xinwen/news"
)

// DefaultTimeout is how long a Client waits where its context sets no limit.
const DefaultTimeout = 10 * time.Second

// Client is the Searcher that asks an indexer over NATS. It is safe for
// concurrent use.
type Client struct {
	nc *nats.Conn
}

var (
	_ Searcher    = (*Client)(nil)
	_ Counter     = (*Client)(nil)
	_ Storyteller = (*Client)(nil)
	_ Resembler   = (*Client)(nil)
	_ Rebuilder   = (*Client)(nil)
)

// NewClient returns a Client over nc, which stays the caller's to close.
func NewClient(nc *nats.Conn) *Client { return &Client{nc: nc} }

// Search implements Searcher.
func (c *Client) Search(ctx context.Context, r Request) (*Result, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var res Result
	if err := c.ask(ctx, subjectSearch, data, &res); err != nil {
		return nil, err
	}
	return &res, nil
}

// Count implements Counter.
func (c *Client) Count(ctx context.Context, r CountRequest) (*Counts, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var counts Counts
	if err := c.ask(ctx, subjectCount, data, &counts); err != nil {
		return nil, err
	}
	return &counts, nil
}

// Story implements Storyteller.
func (c *Client) Story(ctx context.Context, id string) (*Story, error) {
	var s Story
	if err := c.ask(ctx, subjectStory, []byte(id), &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// Similar implements Resembler.
func (c *Client) Similar(ctx context.Context, r SimilarRequest) (*Result, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var res Result
	if err := c.ask(ctx, subjectSimilar, data, &res); err != nil {
		return nil, err
	}
	return &res, nil
}

// Article implements Searcher.
func (c *Client) Article(ctx context.Context, id string) (*news.Article, error) {
	var a news.Article
	if err := c.ask(ctx, subjectArticle, []byte(id), &a); err != nil {
		return nil, err
	}
	return &a, nil
}

// Status implements Searcher. Of several indexers any one answers.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var st Status
	err := c.ask(ctx, subjectStatus, nil, &st)
	return st, err
}

// Rebuild implements Rebuilder: every indexer begins to rebuild. It returns
// when the first has begun.
func (c *Client) Rebuild(ctx context.Context) error {
	var ok struct{}
	return c.ask(ctx, subjectRebuild, nil, &ok)
}

// ask sends a request and reads the reply into v.
func (c *Client) ask(ctx context.Context, subject string, data []byte, v any) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultTimeout)
		defer cancel()
		deadline, _ = ctx.Deadline()
	}
	wait := time.Until(deadline)
	msg := nats.NewMsg(subject)
	msg.Data = data
	msg.Header.Set(headerTimeout, strconv.FormatInt(max(wait.Milliseconds(), 1), 10))
	reply, err := c.nc.RequestMsgWithContext(ctx, msg)
	if err != nil {
		return askError(err, wait)
	}
	if code := reply.Header.Get(micro.ErrorCodeHeader); code != "" {
		var w wireError
		if err := json.Unmarshal(reply.Data, &w); err != nil {
			return fmt.Errorf("%w: the indexer answered %s %s", ErrUnavailable, code, reply.Header.Get(micro.ErrorHeader))
		}
		return w.err()
	}
	return decode(reply.Data, reply.Header.Get(headerEncoding), v)
}

// askError says what to do about a request without a reply.
func askError(err error, wait time.Duration) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%w: no indexer is connected; start one (xinwen indexer --nats URL)", ErrUnavailable)
	case errors.Is(err, nats.ErrMaxPayload):
		return &RequestError{Field: "q", Message: "the request is larger than a message may be", Hint: "ask for less"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return fmt.Errorf("%w: no answer from an indexer within %s; it may be overloaded or cut off from NATS", ErrUnavailable, wait.Round(time.Millisecond))
	}
	return fmt.Errorf("%w: %w; check the connection to NATS", ErrUnavailable, err)
}
