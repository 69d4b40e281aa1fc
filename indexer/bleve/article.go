package bleve

import (
	"slices"

	bleveindex "github.com/blevesearch/bleve_index_api"

	"xinwen/indexer/analysis"
	"xinwen/indexer/change"
	"xinwen/indexer/query"
	"xinwen/indexer/story"
	"xinwen/news"
)

// analysed is what an op makes of its article.
type analysed struct {
	doc  *document
	meta meta
	item *story.Item // nil if it is in no story
}

// analyse makes the document of an op, all but what depends on its story.
func (x *Index) analyse(op Op, r change.Rank) *analysed {
	a := op.Article
	d := &document{id: a.ID}
	made := &analysed{doc: d, meta: meta{Rank: r, indexed: op.Time.UnixMilli(), seq: op.Seq}}
	if !a.Deleted {
		grams := x.analyzer.Bigrams(a.Title)
		titleGrams := len(grams)
		grams = x.analyzer.AppendBigrams(grams, a.Text)
		words, titleWords := grams, titleGrams // the same without Chinese
		if slices.ContainsFunc(grams, func(t analysis.Token) bool { return analysis.IsIdeograph(t.Term) }) {
			words = x.analyzer.Words(a.Title)
			titleWords = len(words)
			words = x.analyzer.AppendWords(words, a.Text)
		}
		fields := []*field{ // in the order of scored
			wordsField(fieldWords, words),
			textField(fieldGrams, grams),
			wordsField(fieldTitleWords, words[:titleWords]),
			textField(fieldTitleGrams, grams[:titleGrams]),
		}
		for _, f := range fields {
			made.meta.tokens = append(made.meta.tokens, uint64(f.length))
		}
		d.fields = append(fields, keywords(a)...)
		if pairs := appendPairs(appendPairs(nil, grams[:titleGrams]), grams[titleGrams:]); len(pairs) > 0 {
			d.add(keywordField(fieldPairs, 0, pairs...))
		}
		d.addTime(query.FieldPublished, a.Time())
		d.addTime(query.FieldFetched, a.Fetched)
		d.add(storedField(fieldArticle, encodeArticle(op.Data)))
		places := positions(a, grams[:titleGrams], grams[titleGrams:])
		d.values = append(d.values, newValueField(fieldLive, places, true))
		// Without mentions there is nothing to know an event by; an import may leave
		// them out.
		if len(a.Mentions) > 0 {
			made.item = story.Read(a, x.analyzer, words[:titleWords], words[titleWords:], op.Seq, op.Time)
		}
	}
	return made
}

// wordsField returns a field of words: as long as all of them, with the terms of
// those that wordField leads to it for.
func wordsField(name string, words []analysis.Token) *field {
	list := make([]analysis.Token, 0, len(words))
	for _, w := range words {
		if analysis.IsIdeograph(w.Term) {
			list = append(list, w)
		}
	}
	f := textField(name, list)
	f.length = len(words)
	return f
}

// finish adds what depends on the article's story and returns the document.
func (a *analysed) finish() *document {
	if a.meta.story != "" {
		a.doc.add(keywordField(fieldStory, bleveindex.DocValues, a.meta.story))
	}
	if a.meta.tracked {
		a.doc.add(keywordField(fieldBlock, 0, blockTerm(a.meta.seq)))
	}
	a.doc.add(storedField(fieldMeta, a.meta.encode()))
	return a.doc
}

// keywords returns the keyword fields of an article. Those that are facets
// keep their values as they are written; queries compare folded ones.
func keywords(a *news.Article) []*field {
	values := make(map[string][]string)
	for _, t := range query.Keywords(a) {
		values[t.Field] = append(values[t.Field], t.Value)
	}
	var fields []*field
	for _, name := range append(query.KeywordFields(), query.FieldEntity) {
		switch v := values[name]; {
		case len(v) == 0:
		case name == query.FieldID && v[0] == a.ID: // scorch has it already
		case name == query.FieldID, name == query.FieldURL:
			fields = append(fields, uniqueField(name, 0, v[0]))
		default:
			fields = append(fields, keywordField(name, 0, v...))
		}
	}
	facet := func(name string, values ...string) {
		fields = append(fields, keywordField(facetPrefix+name, bleveindex.DocValues, values...))
	}
	facet(query.FieldSource, a.Source)
	facet(query.FieldLang, a.Lang)
	facet(query.FieldScript, a.Script)
	facet(query.FieldEntity, a.Entities()...)
	topics := make([]string, len(a.Topics))
	for i, t := range a.Topics {
		topics[i] = t.ID
	}
	facet(query.FieldTopic, topics...)
	return fields
}

// facetPrefix begins the names of the fields that facets are counted from.
const facetPrefix = "facet_"

// positions returns what fieldLive carries: the streams of title and text, and
// where the entities are mentioned in either.
func positions(a *news.Article, title, text []analysis.Token) []byte {
	data := appendStream(make([]byte, 0, len(a.Title)+len(a.Text)+64), title)
	data = append(data, nextField)
	data = appendStream(data, text)
	inTitle, inText := query.Mentions(a, title, text)
	data = append(data, nextField)
	data = appendMentions(data, inTitle)
	data = append(data, nextField)
	return appendMentions(data, inText)
}
