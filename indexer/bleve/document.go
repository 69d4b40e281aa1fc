package bleve

import (
	"math/bits"

	bleveindex "github.com/blevesearch/bleve_index_api"

	"xinwen/indexer/analysis"
	"xinwen/indexer/search"
)

// Fields of the index. Text is indexed twice: as words, to rank by, and as
// grams, which decide what matches. Title and text are one field, so that a
// word that may be in either is looked up once and a short title is not taken
// for a short article; the title is also a field of its own. Words of other
// scripts than Chinese are the same in both streams and are kept with the grams
// only (see wordField). The keyword fields
// have the names they have in package query.
const (
	fieldWords      = "words"
	fieldGrams      = "grams"
	fieldTitleWords = "title_words"
	fieldTitleGrams = "title_grams"
	fieldPairs      = "pairs" // of common words, see pairs.go

	// fieldLive has the term "1" for every article and none for a tombstone.
	// Its doc value is where the grams and mentions stand (see stream).
	fieldLive = "live"

	// fieldStory is the ID of the article's story, if others are in it. fieldBlock has the high bits of the message's number, of the articles
	// that stories are compared with.
	fieldStory = facetPrefix + search.FacetStory
	fieldBlock = "block"

	fieldArticle = "article" // the message as it came, compressed; stored only
	fieldMeta    = "meta"    // a meta; stored only
)

// wordField returns the field that has a word: field, which is one of the fields
// of words, or that of the grams beside it.
func wordField(field, word string) string {
	switch {
	case analysis.IsIdeograph(word):
		return field
	case field == fieldTitleWords:
		return fieldTitleGrams
	}
	return fieldGrams
}

// scored are the fields whose token totals BM25 needs.
var scored = []string{fieldWords, fieldGrams, fieldTitleWords, fieldTitleGrams}

// document is an article in the form scorch takes: every field analysed
// already.
type document struct {
	id     string
	fields []*field
	values []*valueField
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
	for _, f := range d.values {
		visit(f)
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

func (f *field) Name() string                             { return f.name }
func (f *field) Value() []byte                            { return f.value }
func (f *field) ArrayPositions() []uint64                 { return nil }
func (f *field) EncodedFieldType() byte                   { return 't' }
func (f *field) Analyze()                                 {}
func (f *field) Options() bleveindex.FieldIndexingOptions { return f.options }
func (f *field) AnalyzedLength() int                      { return lengthCode(f.length) }

func (f *field) NumPlainTextBytes() uint64                             { return uint64(len(f.value)) }
func (f *field) AnalyzedTokenFrequencies() bleveindex.TokenFrequencies { return f.terms }

// lengthCode returns the byte that stands for a field's length in its postings,
// where it takes a place beside every term. Lengths below 32 are exact, those
// above are told apart by about 9 %, up to 127,000 tokens. It is never 0, which
// scorch takes for a posting without a length.
func lengthCode(tokens int) int {
	if tokens < exactLengths {
		return max(tokens, 1)
	}
	octave := bits.Len(uint(tokens)) - lengthBits - 1
	return min(exactLengths+octave<<3+(tokens>>(octave+2))&7, 127)
}

// lengthOf returns the length in the middle of those with a code.
func lengthOf(code int) float64 {
	if code < exactLengths {
		return float64(code)
	}
	octave, eighth := (code-exactLengths)>>3, (code-exactLengths)&7
	return float64(8+eighth)*float64(int(4)<<octave) + float64(int(4)<<octave-1)/2
}

const (
	lengthBits   = 5
	exactLengths = 1 << lengthBits
)

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

// valueField has the term "1" and carries a value that can be read document by
// document but is no term of the dictionary. Scorch makes such values of
// geographic shapes, so that is what it calls itself. The value must not hold
// the byte 0xff.
type valueField struct {
	*field
	data []byte
}

// newValueField returns a field for values of a few bytes, or, with alone set,
// for ones so large that each is kept by itself.
func newValueField(name string, data []byte, alone bool) *valueField {
	options := bleveindex.DocValues
	if alone {
		// Scorch reads these right only where they are not compressed.
		options |= bleveindex.SkipDVChunking | bleveindex.SkipDVCompression
	}
	return &valueField{field: keywordField(name, options, "1"), data: data}
}

// EncodedShape and GeoShape implement bleveindex.GeoShapeField.
func (f *valueField) EncodedShape() []byte { return f.data }

// GeoShape is never called.
func (f *valueField) GeoShape() (bleveindex.GeoJSON, error) { return nil, nil }

// isValue tells the value of a valueField from its term.
func isValue(docValue []byte) bool { return len(docValue) != 1 || docValue[0] != '1' }

var _ bleveindex.GeoShapeField = (*valueField)(nil)
