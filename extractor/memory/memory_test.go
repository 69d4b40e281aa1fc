package memory

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news/bus"
)

const notice = "关注本报公众号，每天早上收到一封晶圆厂的消息。"

// article is a page with a notice under its own text.
func article(n int) Page {
	return Page{ID: uint64(n), Title: fmt.Sprint("title ", n), Blocks: []Block{
		{Key: Key("首页 新闻 论坛", "div.nav"), Units: 10},
		{Key: Key(fmt.Sprint("本文第", n, "段"), "p<div.text"), Units: 60, Body: true},
		{Key: Key(notice, "p<div.text"), Units: 22, Body: true},
	}}
}

var (
	noticeKey = Key(notice, "p<div.text")
	navKey    = Key("首页 新闻 论坛", "div.nav")
)

func TestBlockIsRepeatedFromTheThirdPageOn(t *testing.T) {
	h := New("a.example")
	for n := 1; n <= 4; n++ {
		if !h.Learn(article(n)) {
			t.Fatalf("page %d: not learned", n)
		}
		want := Unknown
		if n >= Threshold {
			want = Usual
		}
		v := h.View()
		for name, k := range map[string]uint64{"notice": noticeKey, "navigation": navKey} {
			if got := v.Level(k); got != want {
				t.Errorf("%s after %d pages: got level %d, want %d", name, n, got, want)
			}
		}
		if got := v.Level(article(n).Blocks[1].Key); got != Unknown {
			t.Errorf("own text: got level %d", got)
		}
		if (v.Name() == "") != (n < Threshold) {
			t.Errorf("after %d pages the view is named %q", n, v.Name())
		}
	}
}

func TestPageCountsOnce(t *testing.T) {
	h := New("a.example")
	for range 5 {
		h.Learn(article(1))
	}
	if h.Learn(article(1)) || h.View().Level(noticeKey) != Unknown {
		t.Error("a page that is fetched again counts again")
	}
}

func TestCopyDoesNotCountWithItsText(t *testing.T) {
	h := New("a.example")
	for n := range 6 {
		p := article(1) // the same article under six addresses
		p.ID = uint64(100 + n)
		h.Learn(p)
	}
	if got := h.View().Level(article(1).Blocks[1].Key); got != Unknown {
		t.Errorf("text of copies: got level %d, want 0", got)
	}
	if got := h.View().Level(navKey); got != Usual {
		t.Errorf("navigation: got level %d, want %d", got, Usual)
	}
}

func TestParagraphThatFewOfManyPagesShareIsNotUsual(t *testing.T) {
	h := New("a.example")
	background := Block{Key: Key("背景", "p"), Units: 50, Body: true}
	for n := range 60 {
		p := article(n)
		if n%20 == 0 {
			p.Blocks = append(p.Blocks, background)
		}
		h.Learn(p)
	}
	if got := h.View().Level(background.Key); got != Repeated {
		t.Errorf("got level %d, want %d", got, Repeated)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	h := New("a.example")
	for n := range 600 {
		p := article(n)
		for k := range 20 {
			p.Blocks = append(p.Blocks, Block{Key: Key(fmt.Sprint(n, " ", k), "p"), Units: 9})
		}
		h.Learn(p)
		if len(h.blocks) > maxBlocks || len(h.recent) > maxRecent {
			t.Fatalf("after %d pages: %d blocks, %d pages", n, len(h.blocks), len(h.recent))
		}
	}
	if got := h.View().Level(noticeKey); got != Usual {
		t.Errorf("notice: got level %d, want %d", got, Usual)
	}
	data, err := json.Marshal(h)
	if err != nil || len(data) > 200<<10 {
		t.Errorf("takes %d bytes, %v", len(data), err)
	}
}

func TestMemorySurvivesItsFile(t *testing.T) {
	h := New("a.example")
	for n := range 300 {
		h.Learn(article(n))
	}
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, again, cmp.AllowUnexported(Host{}, sighting{})); diff != "" {
		t.Errorf("memory differs (-want +got):\n%s", diff)
	}
	if got, want := again.View().Name(), h.View().Name(); got != want {
		t.Errorf("got view %s, want %s", got, want)
	}
	for name, data := range map[string]string{
		"json": `{`, "version": `{"v":99}`, "cut": `{"v":1,"blocks":"AAAA"}`, "no-count": `{"v":1,"blocks":"AAAAAAAAAAA="}`,
	} {
		if _, err := Parse([]byte(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	h := New("a.example")
	h.Learn(article(1))
	data, err := json.Marshal(h)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := Parse(data); err == nil {
			h.Learn(article(2))
			h.View()
		}
	})
}

func TestStoresThatCompeteMergeWhatTheyLearn(t *testing.T) {
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	kv := b.KV(bus.KVMemory)
	log := slog.New(slog.DiscardHandler)
	stores := []*Store{NewStore(kv, log), NewStore(kv, log), NewStore(kv, log)}
	const each = 40
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for n := range each {
				s.Learn("a.example", article(i*each+n))
				if n%10 == 9 {
					s.Flush(t.Context(), 1)
				}
			}
		})
	}
	wg.Wait()
	e, err := kv.Get(t.Context(), bus.Key("a.example"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := Parse(e.Value())
	if err != nil {
		t.Fatal(err)
	}
	if h.pages != uint32(len(stores)*each) || h.blocks[noticeKey].count != h.pages {
		t.Errorf("got %d pages, the notice on %d, want %d", h.pages, h.blocks[noticeKey].count, len(stores)*each)
	}
	if e.Revision() > 4*uint64(len(stores)) {
		t.Errorf("%d writes for %d batches", e.Revision(), 4*len(stores))
	}
	// One that starts later knows it all.
	v, err := NewStore(kv, log).View(t.Context(), "a.example")
	if err != nil || v.Level(noticeKey) != Usual {
		t.Errorf("a new store: got level %d, %v, want %d", v.Level(noticeKey), err, Usual)
	}
	if v, err := stores[0].View(t.Context(), "b.example"); err != nil || v != nil {
		t.Errorf("a host without pages: got %v, %v, want nothing", v, err)
	}
	// What cannot be read is begun anew.
	if _, err := kv.Put(t.Context(), bus.Key("a.example"), []byte("{")); err != nil {
		t.Fatal(err)
	}
	stores[1].Learn("a.example", article(1))
	stores[1].Flush(t.Context(), 1)
	if v, err := NewStore(kv, log).View(t.Context(), "a.example"); err != nil || v == nil {
		t.Errorf("after damage: got %v, %v, want a new memory", v, err)
	}
}

func TestStoreHoldsFewHosts(t *testing.T) {
	s := NewStore(nil, slog.New(slog.DiscardHandler))
	for n := range 3 * maxHeld {
		s.set(fmt.Sprint(n), nil)
	}
	if len(s.hosts) > maxHeld {
		t.Errorf("holds %d hosts, want at most %d", len(s.hosts), maxHeld)
	}
	for range 2 * maxPending {
		s.Learn("a.example", article(1))
	}
	if n := len(s.hosts["a.example"].pending); n != maxPending {
		t.Errorf("%d pages wait, want %d", n, maxPending)
	}
}
