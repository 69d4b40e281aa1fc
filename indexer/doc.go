// Package indexer is the service that makes articles searchable: it reads the
// stream ARTICLES from where its index ends, writes the articles into it in
// batches, answers searches from it, and matches new articles against the
// stored rules (package percolate).
//
// The index knows how far it is, so nothing is acknowledged and nothing can be
// lost or doubled: after a crash reading goes on where the index on disk ends.
// An index that was made by another analysis, is damaged, or is ahead of the
// stream is set aside and built anew from the first message.
package indexer
