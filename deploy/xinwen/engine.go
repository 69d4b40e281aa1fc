package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"xinwen/deploy/app"
	"xinwen/indexer"
	"xinwen/indexer/opensearch"
)

// engineFlags choose what keeps the index.
type engineFlags struct {
	Engine        string   `placeholder:"bleve|opensearch" env:"XINWEN_ENGINE" help:"What keeps the index: bleve in this process (the default) or an OpenSearch cluster."`
	OpenSearchURL []string `name:"opensearch-url" placeholder:"URL" env:"XINWEN_OPENSEARCH_URL" help:"A node of the OpenSearch cluster; several separated by commas. Password in XINWEN_OPENSEARCH_PASSWORD or in the configuration."`
}

// lay lays the flags over a configuration.
func (f engineFlags) lay(c *indexer.Config) error {
	if f.Engine != "" {
		c.Engine = f.Engine
	}
	if len(f.OpenSearchURL) > 0 {
		c.OpenSearch.URLs = f.OpenSearchURL
	}
	if s := os.Getenv("XINWEN_OPENSEARCH_PASSWORD"); s != "" {
		c.OpenSearch.Password = s
	}
	if c.Engine == indexer.EngineOpenSearch && len(c.OpenSearch.URLs) == 0 {
		return hint(fmt.Errorf("the engine %s needs a cluster", c.Engine), "name a node with --opensearch-url http://HOST:9200")
	}
	return nil
}

// cluster looks at the OpenSearch cluster, if the index is there.
func (p *patient) cluster(ctx context.Context, config app.Config) {
	if config.Indexer.Engine != indexer.EngineOpenSearch {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	version, err := opensearch.Check(ctx, config.Indexer.OpenSearch)
	p.check("OpenSearch", err)
	if err == nil {
		p.note("OpenSearch: version %s", version)
	}
}
