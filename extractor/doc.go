// Package extractor turns pages into articles. It reads the stream PAGES as one
// of any number of competing consumers, and publishes to ARTICLES.
//
//	page ─► charset ─► dom ─► boilerplate ─► metadata ─► language ─► entity ─► article
//	        bytes      blocks  body          title,      and         mentions
//	        to text            blocks        time, who   script
//
// Run also compares each article with the last ones on ARTICLES, also those of
// other extractors (package duplicate), and marks copies; it joins the pages of
// an article that is spread over several (package part), and learns what the
// pages of a host have in common (package memory).
//
// Extract is pure: the same page, lexicon and memory give the same article. What
// fails in it fails for good, and the page goes to quarantine with a hint.
package extractor
