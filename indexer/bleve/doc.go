// Package bleve is the search engine that is built in: an index on disk, made
// of Bleve's scorch segments, that one process owns.
//
// Articles go in through Write, in batches that also carry the sequence of the
// last message they hold, so that the index always knows how much of ARTICLES
// it includes. What is in it depends on the set of messages alone, not on
// their order or number; only the stories of articles (package story) depend on
// the order of the stream, which is always the same. Searches (package search) come in as query trees and
// are answered from one snapshot.
//
// Fields are analysed here, by package analysis, and handed to scorch ready
// made: Bleve's own mapping and analyzers take no part, neither when indexing
// nor in a query, so the two cannot drift apart. Relevance is BM25 over token
// totals that are kept in the same batch as the articles; Bleve by itself takes
// the number of distinct terms for the length of a field.
package bleve
