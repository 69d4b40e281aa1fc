package bus

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news"
)

// MaxRevisions is the number of revisions that Revisions returns.
const MaxRevisions = 50

// Revisions returns what ARTICLES holds of one article, newest first: at most
// MaxRevisions. A tombstone is a revision too. Of what else its source has
// published only headers are read.
func (b *Bus) Revisions(ctx context.Context, source, id string) ([]*news.Article, error) {
	var seqs []uint64
	own := articleMsgID(id)
	c := jetstream.ConsumerConfig{FilterSubject: SubjectArticles + Token(source), HeadersOnly: true}
	err := b.scanWith(ctx, Articles, c, func(m *Message) error {
		if strings.HasPrefix(m.ID, own) {
			seqs = append(seqs, m.Seq)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("revisions of %s: %w", id, err)
	}
	s, err := b.stream(ctx, Articles)
	if err != nil {
		return nil, fmt.Errorf("revisions of %s: %w", id, err)
	}
	var list []*news.Article
	for _, seq := range seqs[max(0, len(seqs)-MaxRevisions):] {
		raw, err := s.GetMsg(ctx, seq)
		if err != nil {
			return nil, fmt.Errorf("revisions of %s: %w", id, classify(Articles, err))
		}
		if a, err := news.ParseArticle(raw.Data); err == nil { // else of a newer extractor
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(a, b *news.Article) int { return int(b.Revision - a.Revision) })
	return slices.CompactFunc(list, func(a, b *news.Article) bool { return a.Revision == b.Revision }), nil
}

// articleMsgID is what the message IDs of all revisions of an article begin with.
func articleMsgID(id string) string { return "a." + id + "." }
