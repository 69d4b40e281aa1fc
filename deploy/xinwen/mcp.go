package main

import (
	"context"
	"fmt"
	"net/url"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"xinwen/api/mcp"
)

type mcpCmd struct {
	apiFlags
}

// Run serves tools to an assistant on standard input and output until that
// closes.
func (c *mcpCmd) Run(ctx context.Context) error {
	server := mcp.New(backend{c.client()}, versionText())
	if err := server.Run(ctx, &sdk.StdioTransport{}); err != nil && ctx.Err() == nil {
		return fmt.Errorf("mcp: %w", err)
	}
	return nil
}

// backend asks a running api.
type backend struct{ *client }

func (b backend) Get(ctx context.Context, path string, query url.Values, v any) error {
	return b.getJSON(ctx, path, query, v)
}

func (b backend) Post(ctx context.Context, path string, in, v any) error {
	return b.postJSON(ctx, path, in, v)
}
