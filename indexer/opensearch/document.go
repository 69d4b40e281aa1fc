package opensearch

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"xinwen/indexer/analysis"
	"xinwen/indexer/change"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/indexer/story"
	"xinwen/news"
)

// meta is what is kept with an article besides itself.
type meta struct {
	Revision int64 `json:"revision"`
	Deleted  bool  `json:"deleted,omitempty"`
	// Hash is that of change.Rank in hexadecimal: JSON numbers are not so large.
	Hash string `json:"hash"`
	// Indexed is when ARTICLES took the message, in Unix milliseconds.
	Indexed int64  `json:"indexed"`
	Seq     uint64 `json:"seq"`
	Tracked bool   `json:"tracked,omitempty"`
	Story   string `json:"story,omitempty"`
}

func (m *meta) rank() change.Rank {
	hash, _ := strconv.ParseUint(m.Hash, 16, 64) // written by metaOf
	return change.Rank{Revision: m.Revision, Deleted: m.Deleted, Hash: hash}
}

func metaOf(op change.Op, r change.Rank) meta {
	return meta{
		Revision: r.Revision, Deleted: r.Deleted, Hash: strconv.FormatUint(r.Hash, 16),
		Indexed: op.Time.UnixMilli(), Seq: op.Seq,
	}
}

// document is an article as it is sent to the cluster.
type document struct {
	id     string // of the document
	month  string // the index it belongs to
	meta   meta
	fields object
	item   *story.Item // nil if it is in no story
}

// analyse makes the document of an op, all but what depends on its story.
func (x *Index) analyse(op change.Op, r change.Rank) *document {
	a := op.Article
	d := &document{id: docID(a.ID), month: x.month(a), meta: metaOf(op, r)}
	d.fields = object{fieldLive: !a.Deleted, fieldSeq: op.Seq}
	if a.Deleted {
		return d
	}
	titleGrams, textGrams := x.analyzer.Bigrams(a.Title), x.analyzer.Bigrams(a.Text)
	titleWords, textWords := titleGrams, textGrams // the same without Chinese
	if hasIdeographs(titleGrams) || hasIdeographs(textGrams) {
		titleWords, textWords = x.analyzer.Words(a.Title), x.analyzer.Words(a.Text)
	}
	inTitle, inText := query.Mentions(a, titleGrams, textGrams)
	title, text := placesOf(titleGrams, titleWords, inTitle), placesOf(textGrams, textWords, inText)
	var words strings.Builder
	appendTerms(&words, titleWords)
	d.fields[fieldTitleWords] = words.String()
	words.WriteByte(' ')
	appendTerms(&words, textWords)
	d.fields[fieldWords] = words.String()
	d.fields[fieldTitleGrams] = positionText(title.grams)
	d.fields[fieldTitleMarks] = positionText(title.marks)
	// The title ends with a position of its own.
	d.fields[fieldGrams] = []string{positionText(append(title.grams, nil)), positionText(text.grams)}
	d.fields[fieldMarks] = []string{positionText(append(title.marks, []string{titleEnd})), positionText(text.marks)}
	for _, t := range query.Keywords(a) {
		d.add(t.Field, t.Value)
	}
	d.add(facetPrefix+search.FacetSource, a.Source)
	d.add(facetPrefix+search.FacetLang, a.Lang)
	d.add(facetPrefix+search.FacetScript, a.Script)
	for _, id := range a.Entities() {
		d.add(facetPrefix+search.FacetEntity, id)
	}
	for _, t := range a.Topics {
		d.add(facetPrefix+search.FacetTopic, t.ID)
	}
	d.add(fieldTongue, search.Language(a.Lang, a.Script))
	d.fields[fieldKey] = a.ID
	if t := a.Time(); !t.IsZero() {
		d.fields[query.FieldPublished] = micros(t)
		d.fields[fieldDay] = t.UnixMilli()
	}
	if !a.Fetched.IsZero() {
		d.fields[query.FieldFetched] = micros(a.Fetched)
	}
	d.fields[fieldArticle] = string(op.Data)
	// Without mentions there is nothing to know an event by; an import may leave
	// them out.
	if len(a.Mentions) > 0 {
		d.item = story.Read(a, x.analyzer, titleWords, textWords, op.Seq, op.Time)
	}
	return d
}

// add adds a value to those of a keyword field.
func (d *document) add(field, value string) {
	if value == "" {
		return
	}
	list, _ := d.fields[field].([]string)
	d.fields[field] = append(list, keyword(value))
}

// finish adds what depends on the article's story.
func (d *document) finish(id string) {
	d.fields[fieldMeta] = d.meta
	if d.meta.Deleted {
		return
	}
	d.fields[fieldGroup] = cmp.Or(d.meta.Story, id)
	if d.meta.Story != "" {
		d.fields[fieldStory] = d.meta.Story
	}
	if d.meta.Tracked {
		d.fields[fieldTracked] = true
	}
}

func hasIdeographs(tokens []analysis.Token) bool {
	for _, t := range tokens {
		if analysis.IsIdeograph(t.Term) {
			return true
		}
	}
	return false
}

// micros returns the microseconds since 1970, within the years that an int64
// holds.
func micros(t time.Time) int64 {
	return min(max(t.Unix(), -maxSeconds), maxSeconds)*1e6 + int64(t.Nanosecond()/1000)
}

const maxSeconds = 1 << 38

// docID returns the ID of an article's document.
func docID(id string) string { return keyword(id) }

// Month names of indexes.
const (
	everyMonth = "all"   // of an index that is not parted
	noMonth    = "never" // of articles without a time
)

// month returns which index an article belongs to.
func (x *Index) month(a *news.Article) string {
	switch t := a.Time(); {
	case !x.config.Monthly:
		return everyMonth
	case t.IsZero():
		return noMonth
	default:
		return t.UTC().Format("2006.01")
	}
}
