package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/auth"
)

var streamOperation = func() huma.Operation {
	op := operation(http.MethodGet, "/v1/stream", "stream", "New articles that match a query, as server-sent events", "feeds")
	op.Description = "Each event's data is an article as JSON and its id the place in the stream of articles. " +
		"Come back with Last-Event-ID to miss nothing; without it the stream starts at now. " +
		"Events with an id and no data say how far the stream is; browsers note the id and show nothing."
	text := &huma.Schema{Type: huma.TypeString}
	op.Parameters = []*huma.Param{
		{Name: "q", In: "query", Description: "The query; empty means every article", Schema: text},
		{Name: "last_event_id", In: "query", Description: "Like the header, for clients that cannot set one", Schema: text},
		{Name: auth.TokenParam, In: "query", Description: "A key with the role feeds, for clients that cannot send it in a header", Schema: text},
		{Name: "Last-Event-ID", In: "header", Description: "The id of the last event received", Schema: text},
	}
	op.Responses["200"] = &huma.Response{Description: "The events", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: text}}}
	return op
}()
