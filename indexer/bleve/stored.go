package bleve

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"xinwen/indexer/change"
)

// meta is what the writer must know of the article that a newer one replaces.
// It is kept with the article, so that the two cannot disagree.
type meta struct {
	change.Rank
	// indexed is when ARTICLES took the message, in Unix milliseconds: the same
	// on every replica and after a rebuild.
	indexed int64
	// seq is the message's number in ARTICLES.
	seq uint64
	// tracked says that new articles are compared with this one while it is recent.
	tracked bool
	// story is the ID of the article's story, "" if it is alone.
	story string
	// tokens are the lengths of the scored fields, in their order; a tombstone
	// has none.
	tokens []uint64
}

func (m *meta) encode() []byte {
	b := binary.AppendVarint(nil, m.Revision)
	b = binary.BigEndian.AppendUint64(b, m.Hash)
	b = binary.AppendVarint(b, m.indexed)
	flag := uint64(0)
	if m.tracked {
		flag = 1
	}
	b = binary.AppendUvarint(b, m.seq<<1|flag)
	b = binary.AppendUvarint(b, uint64(len(m.story)))
	b = append(b, m.story...)
	for _, n := range m.tokens {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

var errMeta = errors.New("what the index knows of an article is damaged; rebuild the index")

func decodeMeta(b []byte) (meta, error) {
	var m meta
	var n int
	if m.Revision, n = binary.Varint(b); n <= 0 || len(b) < n+8 {
		return m, errMeta
	}
	m.Hash, b = binary.BigEndian.Uint64(b[n:]), b[n+8:]
	if m.indexed, n = binary.Varint(b); n <= 0 {
		return m, errMeta
	}
	b = b[n:]
	if m.seq, n = binary.Uvarint(b); n <= 0 {
		return m, errMeta
	}
	m.seq, m.tracked = m.seq>>1, m.seq&1 == 1
	b = b[n:]
	size, n := binary.Uvarint(b)
	if n <= 0 || uint64(len(b)-n) < size {
		return m, errMeta
	}
	m.story = string(b[n : n+int(size)])
	for b = b[n+int(size):]; len(b) > 0; b = b[n:] {
		var length uint64
		if length, n = binary.Uvarint(b); n <= 0 {
			return m, errMeta
		}
		m.tokens = append(m.tokens, length)
	}
	if m.Deleted = len(m.tokens) == 0; !m.Deleted && len(m.tokens) != len(scored) {
		return m, errMeta
	}
	return m, nil
}

// maxArticle is the size in bytes of the largest article that is unpacked.
const maxArticle = 64 << 20

// skeleton is what most articles have in common, as they begin and end: articles
// are compressed as if it stood before each, which saves a seventh. What is
// compressed with it can only be read with it, so whoever changes it must raise
// skeletonID, and layout.
const (
	skeletonID = 1
	skeleton   = `"authors":[""],"editor":"","reporter":"","credit":"","modified":"2025-11-17T08:00:00+08:00","links":[{"start":0,"end":4,"text":"","url":"https://www."},` +
		`"duplicate_of":"","first_publisher":"","warnings":[""],"images":[{"url":"https://","caption":""}],"stripped":[{"why":"boilerplate","text":""},{"why":"related","text":""}],"gaps":[` +
		`{"v":1,"id":"","revision":1763366400000,"url":"https://www.","source":"","publisher":"","title":"","summary":"","text":"","lang":"en","script":"Latn","lang":"zh","script":"Hant",` +
		`"lang":"zh","script":"Hans","charset":"utf-8","published":"2025-11-17T08:00:00Z","published_confidence":0.98,"fetched":"2025-11-17T08:00:00.000Z","extracted":"2025-11-17T08:00:00Z",` +
		`"mentions":[{"start":0,"end":3,"surface":"","kind":"org","entity":"org:tsmc","name":"TSMC","score":1},{"start":10,"end":13,"surface":"","kind":"place","entity":"place:taiwan","name":"Taiwan","score":0.9},` +
		`{"start":20,"end":23,"surface":"","kind":"person","entity":"person:unknown-","score":0.99},{"start":30,"end":33,"surface":"","kind":"money","value":"USD 1000000","score":0.95},` +
		`{"start":40,"end":43,"surface":"","kind":"percent","value":"10%","score":0.95},{"start":50,"end":53,"surface":"","kind":"date","value":"2025-11-17","score":0.95},` +
		`{"start":60,"end":63,"surface":"","kind":"product","entity":"product:"},{"kind":"tech","entity":"tech:"},{"kind":"node","entity":"node:"}],` +
		`"topics":[{"id":"export-control","score":0.5,"evidence":["",""]}],"keywords":["",""],"provenance":{"authors":{"from":["json-ld","meta","byline"],"confidence":0.95},` +
		`"published":{"from":["json-ld","meta","text","url"],"confidence":0.95},"title":{"from":["heading","json-ld","meta","title","template"],"confidence":0.95}},"site_memory":""}`
)

// codecs are made once; EncodeAll and DecodeAll are safe for concurrent use.
var codecs = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	// The options are constants; an error would be one of this program.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(workers()),
		zstd.WithEncoderDictRaw(skeletonID, []byte(skeleton)))
	if err != nil {
		panic(err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxArticle), zstd.WithDecoderConcurrency(workers()),
		zstd.WithDecoderDictRaw(skeletonID, []byte(skeleton)))
	if err != nil {
		panic(err)
	}
	return enc, dec
})

func encodeArticle(data []byte) []byte {
	enc, _ := codecs()
	return enc.EncodeAll(data, nil)
}

// unpack returns the message that an article was stored as.
func unpack(stored []byte) ([]byte, error) {
	_, dec := codecs()
	data, err := dec.DecodeAll(stored, nil)
	if err != nil {
		return nil, fmt.Errorf("article in the index: %w; rebuild the index", err)
	}
	return data, nil
}
