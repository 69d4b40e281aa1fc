package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer"
)

func TestEngineFlagsAreLaidOverTheConfiguration(t *testing.T) {
	t.Setenv("XINWEN_OPENSEARCH_PASSWORD", "secret")
	c := indexer.Config{Engine: indexer.EngineBleve}
	c.OpenSearch.Prefix = "news"
	f := engineFlags{Engine: indexer.EngineOpenSearch, OpenSearchURL: []string{"http://a:9200", "http://b:9200"}}
	if err := f.lay(&c); err != nil {
		t.Fatal(err)
	}
	want := indexer.Config{Engine: indexer.EngineOpenSearch}
	want.OpenSearch.URLs, want.OpenSearch.Prefix, want.OpenSearch.Password = f.OpenSearchURL, "news", "secret"
	if diff := cmp.Diff(c, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	err := engineFlags{Engine: indexer.EngineOpenSearch}.lay(&indexer.Config{})
	if err == nil || !strings.Contains(err.Error(), "needs a cluster") {
		t.Errorf("got %v, want an error without a cluster", err)
	}
	if err := (indexer.Config{Engine: "lucene"}).Validate(); err == nil || !strings.Contains(err.Error(), "lucene") {
		t.Errorf("got %v, want a fault of the engine", err)
	}
}
