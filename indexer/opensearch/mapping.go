package opensearch

import (
	"strconv"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// layout is raised whenever what is kept in the index changes. Together with the
// hash of the analysis it names the index.
const layout = 1

// Fields of the index. Words are to rank by, grams decide what matches. Marks say
// what else stands at the positions of the grams; they are a field of their own,
// as the length of a text is that of its grams. Title and text are one field, and
// the title also one of its own. The keyword fields have the names they have in
// package query.
const (
	fieldWords      = "words"
	fieldGrams      = "grams"
	fieldMarks      = "marks"
	fieldTitleWords = "title_words"
	fieldTitleGrams = "title_grams"
	fieldTitleMarks = "title_marks"

	// fieldLive is true for articles, false for tombstones.
	fieldLive = "live"
	// fieldKey is the article's ID as it is, which hits of one rank are sorted by.
	fieldKey = "key"
	// fieldDay is the published time in milliseconds, to count by.
	fieldDay = "published_ms"
	// fieldGroup is the ID of the article's story, its own where it is alone;
	// fieldStory only where others are in it.
	fieldGroup   = "group"
	fieldStory   = facetPrefix + search.FacetStory
	fieldTongue  = "language" // zh-Hans, zh-Hant, en
	fieldSeq     = "seq"
	fieldTracked = "tracked"

	fieldArticle = "article" // the message as it came; stored only
	fieldMeta    = "meta"    // a meta; stored only
)

// facetPrefix begins the names of the fields that facets are counted from. They
// keep values as they are written, while queries compare folded ones.
const facetPrefix = "facet_"

// facets of articles; that of stories is fieldStory.
var facets = []string{search.FacetSource, search.FacetLang, search.FacetScript, search.FacetEntity, search.FacetTopic}

// The parameters of BM25, those of package bleve.
const (
	bm25K1 = 1.2
	bm25B  = 0.75
)

// positions is the analyzer of fields that know where their tokens stand: those
// joined by bars stand at one position, hole stands for any.
const positions = "positions"

// settings returns the settings of an index.
func (c Config) settings() object {
	s := object{
		"number_of_shards":    c.Shards,
		"refresh_interval":    "30s", // what is written is shown by the writer
		"translog.durability": "request",
		"codec":               "best_compression",
		"similarity":          object{"bm25": object{"type": "BM25", "k1": bm25K1, "b": bm25B, "discount_overlaps": false}},
		"analysis": object{
			"tokenizer": object{"spaces": object{"type": "whitespace", "max_token_length": 30_000}},
			"filter": object{
				"holes": object{"type": "stop", "stopwords": []string{hole}},
				"forms": object{"type": "pattern_capture", "preserve_original": false, "patterns": []string{"([^" + joint + "]+)"}},
			},
			"analyzer": object{
				"terms":   object{"type": "custom", "tokenizer": "spaces"},
				positions: object{"type": "custom", "tokenizer": "spaces", "filter": []string{"holes", "forms"}},
			},
		},
	}
	if c.Replicas == nil {
		s["auto_expand_replicas"] = "0-1"
	} else {
		s["number_of_replicas"] = *c.Replicas
	}
	return s
}

// mappings returns the fields of an index. No text is stored but in the article.
func mappings() object {
	words := object{"type": "text", "analyzer": "terms", "index_options": "freqs", "similarity": "bm25"}
	grams := object{"type": "text", "analyzer": positions, "index_options": "positions", "similarity": "bm25", "position_increment_gap": gap}
	marks := object{"type": "text", "analyzer": positions, "index_options": "positions", "norms": false, "position_increment_gap": gap}
	keyword := object{"type": "keyword", "doc_values": false, "norms": false}
	value := object{"type": "keyword", "norms": false}
	number := object{"type": "long"}
	fields := object{
		fieldWords: words, fieldTitleWords: words, fieldGrams: grams, fieldTitleGrams: grams, fieldMarks: marks, fieldTitleMarks: marks,
		query.FieldEntity: keyword, query.FieldPublished: number, query.FieldFetched: number,
		fieldDay:  object{"type": "date", "format": "epoch_millis"},
		fieldLive: object{"type": "boolean"}, fieldTracked: object{"type": "boolean"},
		fieldKey: value, fieldGroup: value, fieldStory: value, fieldTongue: value, fieldSeq: number,
		fieldArticle: object{"type": "keyword", "index": false, "doc_values": false},
		fieldMeta:    object{"type": "object", "enabled": false},
	}
	for _, name := range query.KeywordFields() {
		fields[name] = keyword
	}
	for _, name := range facets {
		fields[facetPrefix+name] = value
	}
	return object{
		"dynamic":    "strict",
		"_source":    object{"includes": []string{fieldArticle, fieldMeta, fieldMeta + ".*"}},
		"properties": fields,
		"_meta":      object{"layout": strconv.Itoa(layout), "made_by": "xinwen"},
	}
}
