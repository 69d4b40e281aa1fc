package api

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/problem"
)

// refusal turns what huma says of a request that it refused into a problem that
// says what to do. It leaves out the values that were wrong, which may be long,
// or secret.
func refusal(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := problem.New(m.Status, m.Detail, "See in /openapi.json what this operation takes.")
	var said []string
	for _, e := range m.Errors {
		p.Errors = append(p.Errors, problem.Fault{Message: e.Message, Location: e.Location})
		_, field, _ := strings.Cut(e.Location, ".")
		if field != "" {
			field += ": "
		}
		said = append(said, field+e.Message)
	}
	if len(said) > 0 {
		p.Detail = strings.Join(said[:min(3, len(said))], "; ")
	}
	switch m.Status {
	case http.StatusUnsupportedMediaType:
		p.Hint = "Send JSON, with Content-Type: application/json."
	case http.StatusRequestEntityTooLarge:
		p.Detail = fmt.Sprintf("The body is larger than %d KiB.", ctx.Operation().MaxBodyBytes>>10)
		p.Hint = "Send less at a time."
	case http.StatusRequestTimeout:
		p.Hint = "Send the body without pauses."
	}
	return p, nil
}
