package bleve

import (
	"encoding/json"
	"fmt"

	bleveindex "github.com/blevesearch/bleve_index_api"

	"xinwen/indexer/analysis"
)

// Fields of the index. Text is indexed twice: as words, to rank by, and as
// grams, which decide what matches. Title and text are one field, so that a
// word that may be in either is looked up once and a short title is not taken
// for a short article; the title is also a field of its own. The keyword fields
// have the names they have in package query.
const (
	fieldWords      = "words"
	fieldGrams      = "grams"
	fieldTitleWords = "title_words"
	fieldTitleGrams = "title_grams"

	// fieldLive has the term "1" for every article and none for a tombstone.
	// Its doc value is where the grams and mentions stand (see stream).
	fieldLive = "live"

	fieldArticle = "article" // the message as it came; stored only
	fieldMeta    = "meta"    // a meta; stored only
)

// scored are the fields whose token totals BM25 needs.
var scored = []string{fieldWords, fieldGrams, fieldTitleWords, fieldTitleGrams}

// meta is what the writer must know of the article that a newer one replaces.
// It is kept with the article, so that the two cannot disagree.
type meta struct {
	rank
	// Indexed is when ARTICLES took the message, in Unix milliseconds: the same
	// on every replica and after a rebuild.
	Indexed int64 `json:"i"`
	// Tokens are the lengths of the scored fields, in their order.
	Tokens []uint64 `json:"t,omitempty"`
}

// rank orders the messages about one article.
type rank struct {
	Revision int64 `json:"r"`
	Deleted  bool  `json:"d,omitempty"`
	// Hash is of the message. It decides between two of the same revision, so
	// that the outcome does not hang on which came first.
	Hash uint64 `json:"h"`
}

// newer says whether a message of rank r replaces one of rank o.
func (r rank) newer(o rank) bool {
	if r.Revision != o.Revision {
		return r.Revision > o.Revision
	}
	if r.Deleted != o.Deleted {
		return r.Deleted
	}
	return r.Hash > o.Hash
}

// document is an article in the form scorch takes: every field analysed
// already.
type document struct {
	id     string
	fields []*field
	live   *streamField // nil for a tombstone
}

func (d *document) add(f *field) { d.fields = append(d.fields, f) }

func (d *document) ID() string { return d.id }

func (d *document) Size() int {
	n := len(d.id)
	for _, f := range d.fields {
		n += len(f.name) + len(f.value) + f.terms.Size()
	}
	return n
}

func (d *document) VisitFields(visit bleveindex.FieldVisitor) {
	for _, f := range d.fields {
		visit(f)
	}
	if d.live != nil {
		visit(d.live)
	}
}

func (d *document) VisitComposite(bleveindex.CompositeFieldVisitor) {}
func (d *document) HasComposite() bool                              { return false }
func (d *document) StoredFieldsBytes() uint64                       { return 0 }
func (d *document) Indexed() bool                                   { return len(d.fields) > 0 }

func (d *document) NumPlainTextBytes() uint64 {
	var n uint64
	for _, f := range d.fields {
		n += f.NumPlainTextBytes()
	}
	return n
}

func (d *document) AddIDField() {
	d.add(uniqueField("_id", bleveindex.StoreField, d.id))
}

// field is one field of a document with its terms.
type field struct {
	name    string
	options bleveindex.FieldIndexingOptions
	value   []byte // what is stored
	length  int    // in tokens
	terms   bleveindex.TokenFrequencies
}

func (f *field) Name() string                                          { return f.name }
func (f *field) Value() []byte                                         { return f.value }
func (f *field) ArrayPositions() []uint64                              { return nil }
func (f *field) EncodedFieldType() byte                                { return 't' }
func (f *field) Analyze()                                              {}
func (f *field) Options() bleveindex.FieldIndexingOptions              { return f.options }
func (f *field) AnalyzedLength() int                                   { return f.length }
func (f *field) NumPlainTextBytes() uint64                             { return uint64(len(f.value)) }
func (f *field) AnalyzedTokenFrequencies() bleveindex.TokenFrequencies { return f.terms }

// storedField is a value that can be read but not searched.
func storedField(name string, value []byte) *field {
	return &field{name: name, options: bleveindex.StoreField, value: value}
}

// keywordField has each value as one term, without frequencies.
func keywordField(name string, options bleveindex.FieldIndexingOptions, values ...string) *field {
	f := &field{
		name:    name,
		options: options | bleveindex.IndexField | bleveindex.SkipFreqNorm,
		length:  len(values),
		terms:   make(bleveindex.TokenFrequencies, len(values)),
	}
	for _, v := range values {
		if _, ok := f.terms[v]; !ok && v != "" {
			f.terms[v] = &bleveindex.TokenFreq{Term: []byte(v)}
		}
	}
	return f
}

// uniqueField has one value that hardly any other document has. Its frequency
// lets scorch keep the posting inside the dictionary.
func uniqueField(name string, options bleveindex.FieldIndexingOptions, value string) *field {
	tf := &bleveindex.TokenFreq{Term: []byte(value)}
	tf.SetFrequency(1)
	return &field{
		name:    name,
		options: options | bleveindex.IndexField,
		value:   []byte(value),
		length:  1,
		terms:   bleveindex.TokenFrequencies{value: tf},
	}
}

// textField has the tokens' terms with their frequencies.
func textField(name string, tokens []analysis.Token) *field {
	f := &field{
		name:    name,
		options: bleveindex.IndexField,
		length:  len(tokens),
		terms:   make(bleveindex.TokenFrequencies, len(tokens)/2+1),
	}
	backing := make([]bleveindex.TokenFreq, 0, len(tokens))
	for _, t := range tokens {
		tf, ok := f.terms[t.Term]
		if !ok {
			backing = append(backing, bleveindex.TokenFreq{Term: []byte(t.Term)})
			tf = &backing[len(backing)-1]
			f.terms[t.Term] = tf
		}
		tf.SetFrequency(tf.Frequency() + 1)
	}
	return f
}

// streamField has the term "1" and carries data as a doc value: one that can
// be read document by document, without a term for it in the dictionary.
// Scorch makes such values of geographic shapes, so that is what it calls
// itself.
type streamField struct {
	*field
	data []byte
}

func newStreamField(name string, data []byte) *streamField {
	// Scorch reads unchunked values right only where they are not compressed.
	f := keywordField(name, bleveindex.DocValues|bleveindex.SkipDVChunking|bleveindex.SkipDVCompression, "1")
	return &streamField{field: f, data: data}
}

// EncodedShape and GeoShape implement bleveindex.GeoShapeField.
func (f *streamField) EncodedShape() []byte { return f.data }

// GeoShape is never called.
func (f *streamField) GeoShape() (bleveindex.GeoJSON, error) { return nil, nil }

var _ bleveindex.GeoShapeField = (*streamField)(nil)

func parseMeta(data []byte) (meta, error) {
	var m meta
	if err := json.Unmarshal(data, &m); err != nil {
		return meta{}, fmt.Errorf("meta of an article in the index: %w", err)
	}
	return m, nil
}
