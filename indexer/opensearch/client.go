package opensearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	opensearch "github.com/opensearch-project/opensearch-go/v4"

	"xinwen/indexer/search"
)

// object is a JSON object to send.
type object = map[string]any

// client speaks to the cluster. What it returns as errors says what to do.
type client struct {
	http *opensearch.Client
	urls string
}

func newClient(c Config) (*client, error) {
	var ca []byte
	if c.CA != "" {
		var err error
		if ca, err = os.ReadFile(c.CA); err != nil {
			return nil, fmt.Errorf("opensearch: ca: %w", err)
		}
	}
	discover := false // named nodes are enough, and may be behind a proxy
	h, err := opensearch.NewClient(opensearch.Config{
		Addresses: c.URLs, Username: c.Username, Password: c.Password, CACert: ca,
		RequestTimeout: c.Timeout, MaxRetries: 3, EnableRetryOnTimeout: true,
		RetryBackoff:            func(attempt int) time.Duration { return time.Duration(attempt) * 100 * time.Millisecond },
		ResurrectTimeoutInitial: time.Second, ResurrectTimeoutMax: 5 * time.Second,
		DiscoverNodesOnStart: &discover,
	})
	if err != nil {
		return nil, fmt.Errorf("opensearch: %w", err)
	}
	return &client{http: h, urls: strings.Join(c.URLs, ", ")}, nil
}

func (c *client) close() error { return c.http.Close() }

// Error is an answer of OpenSearch that is not success.
type Error struct {
	Status int
	// Type is OpenSearch's word for it, such as index_not_found_exception.
	Type   string
	Reason string
	hint   string
}

// Error returns type and reason, and what to do about it.
func (e *Error) Error() string {
	s := fmt.Sprintf("opensearch: %d %s: %s", e.Status, e.Type, e.Reason)
	if e.hint != "" {
		s += "; " + e.hint
	}
	return s
}

// Hint says what to do.
func (e *Error) Hint() string { return e.hint }

// Unwrap makes what passes by itself search.ErrUnavailable.
func (e *Error) Unwrap() error {
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusUnauthorized, http.StatusForbidden:
		return search.ErrUnavailable
	}
	return nil
}

// ask sends a request and reads the JSON of the answer into v, which may be nil.
// The body is an object, or bytes of lines of JSON, or nil.
func (c *client) ask(ctx context.Context, method, path string, body, v any) error {
	var data []byte
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case []byte:
		data, kind = b, "application/x-ndjson"
	default:
		var err error
		if data, err = json.Marshal(b); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	res, err := c.http.Stream(req)
	if err != nil {
		return c.connectionError(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return readError(res)
	}
	if v == nil {
		_, err = io.Copy(io.Discard, res.Body)
	} else {
		err = json.NewDecoder(res.Body).Decode(v)
	}
	if err != nil {
		return c.connectionError(ctx, fmt.Errorf("answer to %s: %w", path, err))
	}
	return nil
}

func (c *client) connectionError(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return fmt.Errorf("%w: OpenSearch at %s: %w; see that it runs and can be reached from here (xinwen doctor)", search.ErrUnavailable, c.urls, err)
}

// maxReason is how many bytes are read of an answer that tells of an error.
const maxReason = 64 << 10

func readError(res *http.Response) error {
	data, _ := io.ReadAll(io.LimitReader(res.Body, maxReason)) // what there is
	var body struct {
		Error struct {
			Type      string
			Reason    string
			RootCause []struct{ Type, Reason string } `json:"root_cause"`
		}
	}
	e := &Error{Status: res.StatusCode}
	if json.Unmarshal(data, &body) == nil && body.Error.Type != "" {
		e.Type, e.Reason = body.Error.Type, body.Error.Reason
		if causes := body.Error.RootCause; len(causes) > 0 && causes[0].Reason != "" {
			e.Type, e.Reason = causes[0].Type, causes[0].Reason
		}
	} else {
		e.Type, e.Reason = http.StatusText(res.StatusCode), string(data[:min(len(data), 300)])
	}
	e.hint = hint(e)
	return e
}

const hintPrefix = "write more letters before the *"

// hint says what to do about what OpenSearch refuses.
func hint(e *Error) string {
	switch {
	case e.Status == http.StatusUnauthorized:
		return "set username and password (XINWEN_OPENSEARCH_PASSWORD or password_file)"
	case e.Type == "security_exception":
		return "give the user rights to all indexes and templates that begin with the prefix"
	case e.Type == "cluster_block_exception" && strings.Contains(e.Reason, "read-only"):
		return "a disk of the cluster is nearly full (flood-stage watermark): make room or add a node; writing goes on by itself then"
	case e.Type == "cluster_block_exception":
		return "the cluster has no manager or is recovering: look at /_cluster/health"
	case e.Type == "no_shard_available_action_exception", e.Type == "search_phase_execution_exception" && e.Status == http.StatusServiceUnavailable, e.Type == "unavailable_shards_exception":
		return "some shards have no node that holds them: look at /_cat/shards; add replicas to outlast the loss of a node"
	case e.Type == "circuit_breaking_exception":
		return "the heap of a node is too small for this: ask for less or give it more (-Xmx)"
	case e.Type == "mapper_parsing_exception", e.Type == "strict_dynamic_mapping_exception", e.Type == "illegal_argument_exception" && strings.Contains(e.Reason, "mapper"):
		return "the index was made by something else: choose another prefix, or delete it and let it be rebuilt"
	case strings.Contains(e.Reason, "too many terms"), strings.Contains(e.Reason, "maxClauseCount"):
		return hintPrefix
	case e.Type == "validation_exception" && strings.Contains(e.Reason, "shards"):
		return "the cluster has as many shards as it may: raise cluster.max_shards_per_node, or keep fewer months"
	}
	return ""
}

// isType says that err is of a type of OpenSearch's.
func isType(err error, kind string) bool {
	var e *Error
	return errors.As(err, &e) && e.Type == kind
}

// isStatus says that err is an answer with a status.
func isStatus(err error, status int) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == status
}

// oldest is the first version of OpenSearch that has all that is asked of it.
const oldest = 2

// version returns the version of the cluster, or an error if it will not do.
func (c *client) version(ctx context.Context) (major int, number string, err error) {
	var info struct {
		Version struct{ Distribution, Number string }
	}
	if err := c.ask(ctx, http.MethodGet, "/", nil, &info); err != nil {
		return 0, "", err
	}
	v := info.Version
	if v.Distribution != "opensearch" {
		return 0, "", fmt.Errorf("opensearch: at %s is not OpenSearch (distribution %q, version %s); name the nodes of an OpenSearch cluster", c.urls, v.Distribution, v.Number)
	}
	head, _, _ := strings.Cut(v.Number, ".")
	if major, err = strconv.Atoi(head); err != nil {
		return 0, "", fmt.Errorf("opensearch: version %q: %w", v.Number, err)
	}
	if major < oldest {
		return 0, "", fmt.Errorf("opensearch: version %s at %s is too old; upgrade to %d or newer", v.Number, c.urls, oldest)
	}
	return major, v.Number, nil
}

// Check says whether the cluster that c names can be used, and which version it
// has.
func Check(ctx context.Context, c Config) (version string, err error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	if c, err = c.withDefaults(); err != nil {
		return "", err
	}
	cl, err := newClient(c)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, cl.close()) }()
	if _, version, err = cl.version(ctx); err != nil {
		return "", err
	}
	var health struct {
		Status     string
		Unassigned int `json:"unassigned_primary_shards"`
	}
	if err := cl.ask(ctx, http.MethodGet, "/_cluster/health", nil, &health); err != nil {
		return version, err
	}
	if health.Status == "red" {
		return version, fmt.Errorf("opensearch: the cluster at %s is red: some shards have no node; look at /_cat/shards and start the nodes that are missing", cl.urls)
	}
	return version, nil
}

// escapePath makes a name part of a path.
func escapePath(name string) string { return url.PathEscape(name) }
