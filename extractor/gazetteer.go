package extractor

import (
	"sync/atomic"

	"xinwen/extractor/entity"
	"xinwen/news"
	"xinwen/news/lexicon"
)

// gazetteer is the matcher of the current lexicon.
type gazetteer struct {
	current atomic.Pointer[built]
}

// built is a gazetteer with the snapshot it was built from.
type built struct {
	from *lexicon.Lexicon
	*entity.Gazetteer
}

// names returns the gazetteer of the current lexicon and builds it if the
// lexicon has changed. Others wait for the first build, and use the old one
// during a later.
func (x *Extractor) names() *entity.Gazetteer {
	if x.lexicon == nil {
		return nil
	}
	lex := x.lexicon.Current()
	b := x.gazetteer.current.Load()
	if b != nil && b.from == lex {
		return b.Gazetteer
	}
	if b != nil && !x.mu.TryLock() {
		return b.Gazetteer
	}
	if b == nil {
		x.mu.Lock()
	}
	defer x.mu.Unlock()
	if b = x.gazetteer.current.Load(); b == nil || b.from != lex {
		b = &built{from: lex, Gazetteer: entity.New(lex)}
		x.gazetteer.current.Store(b)
		x.metrics.names.Set(float64(b.Len()))
	}
	return b.Gazetteer
}

func (x *Extractor) annotate(content string, c entity.Context) []news.Mention {
	return x.names().Annotate(content, c)
}
