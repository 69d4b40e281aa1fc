// Package search says what a search is: the Request and Result that travel
// between the api and the index, the Searcher that answers, and the form both
// take over NATS.
//
// An engine (package bleve) implements Searcher in the indexer's process. Serve
// offers it to other processes as a NATS micro service and Client is the
// Searcher at the far end; several indexers share the load. The JSON names are
// those of the HTTP interface, so that the api passes values through.
package search
