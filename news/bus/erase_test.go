package bus_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/bus"
)

// stocked publishes an article with everything that comes of it.
func stocked(t *testing.T, b *bus.Bus, id, source string, published time.Time, revision int64) {
	t.Helper()
	ctx := deadline(t)
	url := "https://" + source + "/" + id
	p := page(id)
	p.URL, p.Source, p.Body = url, source, []byte(fmt.Sprint(id, revision))
	a := article()
	a.ID, a.URL, a.Source, a.Published, a.Revision = id, url, source, published, revision
	alert := &news.Alert{ID: fmt.Sprint("alert-", id, revision), Rule: "rule"}
	alert.Article.ID, alert.Article.URL = id, url
	q := &bus.Message{Subject: bus.SubjectPages + "x", Data: []byte(id), Header: map[string][]string{bus.HeaderURL: {url}}}
	for _, err := range []error{
		b.PublishPage(ctx, p), b.PublishArticle(ctx, a), b.PublishAlert(ctx, alert),
		b.QuarantineMessage(ctx, "tester", q, fmt.Errorf("why")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, bucket := range []string{bus.KVDeliveries, bus.KVParts} {
		if _, err := b.KV(bucket).Put(ctx, "of-"+id, []byte(fmt.Sprintf(`{"article": %q}`, id))); err != nil {
			t.Fatal(err)
		}
	}
}

// held returns which articles a bus still holds anything of, and where.
func held(t *testing.T, b *bus.Bus, ids ...string) map[string]string {
	t.Helper()
	ctx := deadline(t)
	found := make(map[string]string)
	wanted := make(map[string]bool)
	for _, id := range ids {
		wanted[id] = true
	}
	note := func(id, mark string) {
		if wanted[id] {
			found[id] += mark
		}
	}
	each := func(stream string, f func(*bus.Message)) {
		last, err := b.LastSeq(ctx, stream)
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.JetStream().Stream(ctx, stream)
		if err != nil {
			t.Fatal(err)
		}
		for seq := uint64(1); seq <= last; seq++ {
			if raw, err := s.GetMsg(ctx, seq); err == nil {
				f(&bus.Message{ID: raw.Header.Get("Nats-Msg-Id"), Header: raw.Header, Data: raw.Data})
			}
		}
	}
	each(bus.Pages, func(m *bus.Message) {
		if p, err := b.Page(ctx, m); err == nil {
			note(p.ID, "P")
		}
	})
	each(bus.Articles, func(m *bus.Message) {
		a, err := news.ParseArticle(m.Data)
		if err != nil {
			return
		}
		switch {
		case a.Deleted && a.Title+a.Text+a.URL == "":
			note(a.ID, "†")
		case !a.Deleted:
			note(a.ID, "A")
		}
	})
	each(bus.Alerts, func(m *bus.Message) {
		if a, err := news.ParseAlert(m.Data); err == nil {
			note(a.Article.ID, "!")
		}
	})
	each(bus.Quarantine, func(m *bus.Message) { note(string(m.Data), "Q") })
	for _, id := range ids {
		for _, at := range []struct{ bucket, mark string }{{bus.KVDeliveries, "D"}, {bus.KVParts, "F"}} {
			if _, err := b.KV(at.bucket).Get(ctx, "of-"+id); err == nil {
				note(id, at.mark)
			}
		}
	}
	return found
}

func testErase(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	old, young := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	stocked(t, b, "by-id", "one.example", young, 1)
	stocked(t, b, "by-id", "one.example", young, 2) // revised
	stocked(t, b, "old-two", "two.example", old, 1)
	stocked(t, b, "young-two", "two.example", young, 1)
	stocked(t, b, "corrected-two", "two.example", old, 1)
	stocked(t, b, "corrected-two", "two.example", young, 2)
	stocked(t, b, "old-one", "one.example", old, 1)
	ids := []string{"by-id", "old-two", "young-two", "corrected-two", "old-one"}
	const whole, revised = "PA!QDF", "PPAA!!QQDF"
	for _, step := range []struct {
		name string
		e    bus.Erasure
		n    bus.Erased
		want map[string]string
	}{
		{
			"ID",
			bus.Erasure{IDs: []string{"by-id", "never-was"}},
			bus.Erased{Articles: 1, Messages: 2, Pages: 2, Alerts: 2, Deliveries: 1, Quarantined: 2},
			map[string]string{"by-id": "†", "old-two": whole, "young-two": whole, "corrected-two": revised, "old-one": whole},
		},
		{
			"SourceAndTime",
			bus.Erasure{Source: "two.example", Before: young},
			bus.Erased{Articles: 1, Messages: 1, Pages: 1, Alerts: 1, Deliveries: 1, Quarantined: 1},
			map[string]string{"by-id": "†", "old-two": "†", "young-two": whole, "corrected-two": revised, "old-one": whole},
		},
		{
			"Source",
			bus.Erasure{Source: "two.example"},
			bus.Erased{Articles: 2, Messages: 3, Pages: 3, Alerts: 3, Deliveries: 2, Quarantined: 3},
			map[string]string{"by-id": "†", "old-two": "†", "young-two": "†", "corrected-two": "†", "old-one": whole},
		},
		{
			"Time",
			bus.Erasure{Before: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)},
			bus.Erased{Articles: 1, Messages: 1, Pages: 1, Alerts: 1, Deliveries: 1, Quarantined: 1},
			map[string]string{"by-id": "†", "old-two": "†", "young-two": "†", "corrected-two": "†", "old-one": "†"},
		},
	} {
		dry := step.e
		dry.DryRun = true
		if n, err := b.Erase(ctx, dry); err != nil || n != (bus.Erased{Articles: step.n.Articles}) {
			t.Errorf("%s: a dry run gives %+v, %v, want %d articles", step.name, n, err, step.n.Articles)
		}
		got, err := b.Erase(ctx, step.e)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.n, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
		if diff := cmp.Diff(step.want, held(t, b, ids...)); diff != "" {
			t.Errorf("%s: what is held of articles (-want +got):\n%s", step.name, diff)
		}
	}
	// By ID it is for good, by time it is not.
	stocked(t, b, "by-id", "one.example", young, time.Now().UnixMilli()+1000)
	stocked(t, b, "old-one", "one.example", old, time.Now().UnixMilli()+1000)
	after := held(t, b, "by-id", "old-one")
	if got := after["by-id"]; got != "†QDF" {
		t.Errorf("crawled again, the erased article has %q, want neither page nor article nor alert", got)
	}
	if got := after["old-one"]; got != "P†A!QDF" {
		t.Errorf("crawled again, the expired article has %q, want it back", got)
	}
	for _, e := range []bus.Erasure{{}, {IDs: []string{"x"}, Source: "y"}} {
		if _, err := b.Erase(ctx, e); err == nil {
			t.Errorf("%+v: got no error", e)
		}
	}
	// Other tests read QUARANTINE.
	s, err := b.JetStream().Stream(ctx, bus.Quarantine)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(context.WithoutCancel(ctx)); err != nil {
		t.Fatal(err)
	}
}
