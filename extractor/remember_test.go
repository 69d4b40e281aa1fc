package extractor

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/bus"
)

const slogan = "芯闻早知道每天早上八点给您送来一封晶圆厂的消息，欢迎转发给同事和朋友。"

// hostPage is a page of a host that has a slogan in the text of every article.
func hostPage(n int) *news.Page {
	return htmlPage(fmt.Sprintf("m/%d.html", n), fmt.Sprintf(`<html><head><title>第%d篇：封测报价</title></head><body><h1>第%d篇：封测报价</h1><div class="text">
<p>这是第%d篇文章。%s</p><p>%s</p><p>第%d个数据是%d，%s</p></div></body></html>`, n, n, n, facts[n%4], slogan, n, n*n, facts[(n+1)%4]))
}

func TestWhatPagesOfAHostHaveInCommonIsLeftOut(t *testing.T) {
	b := openBus(t)
	x := start(t, b)
	send := func(from, to int) map[string]*news.Article {
		t.Helper()
		for n := from; n < to; n++ {
			if err := b.PublishPage(t.Context(), hostPage(n)); err != nil {
				t.Fatal(err)
			}
		}
		got := make(map[string]*news.Article)
		for _, a := range articles(t, b, to) {
			got[a.URL] = a
		}
		return got
	}
	got := send(0, 5)
	if a := got[hostPage(0).URL]; !strings.Contains(a.Text, slogan) || a.SiteMemory != "" {
		t.Errorf("first page: got memory %q and text %q, want the slogan, which nobody can know yet", a.SiteMemory, a.Text)
	}
	x.store.Flush(t.Context(), 1)
	got = send(5, 6)
	late := got[hostPage(5).URL]
	if strings.Contains(late.Text, slogan) || !strings.Contains(late.Text, "第5个数据是25") {
		t.Errorf("sixth page: got %q, want the text without the slogan", late.Text)
	}
	if !strings.HasPrefix(late.SiteMemory, "www.example.com@") {
		t.Errorf("memory: got %q, want the host and a version", late.SiteMemory)
	}
	if want := (news.Stripped{Why: "repeated", Text: slogan}); !slices.Contains(late.Stripped, want) {
		t.Errorf("stripped: got %v, want %v in it", late.Stripped, want)
	}

	// The same page with the same memory gives the same article.
	x.store.Flush(t.Context(), 1000) // nothing is due
	e, err := b.KV(bus.KVMemory).Get(t.Context(), bus.Key("www.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	hosts, err := ReadMemory(bytes.NewReader(e.Value()))
	if err != nil {
		t.Fatal(err)
	}
	given := newExtractor(t, Options{Memory: hosts})
	again, err := given.Extract(hostPage(5))
	if err != nil {
		t.Fatal(err)
	}
	if again.Text != late.Text || again.SiteMemory != late.SiteMemory {
		t.Errorf("again: got %q with %s, want %q with %s", again.Text, again.SiteMemory, late.Text, late.SiteMemory)
	}
	why, err := given.Explain(hostPage(5))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(why.Blocks, func(b ExplainedBlock) bool {
		return b.Repeated && !b.Kept && strings.HasPrefix(slogan, strings.TrimSuffix(b.Text, "…"))
	}) {
		t.Errorf("blocks: got %+v, want the slogan explained", why.Blocks)
	}
}

func TestCopiesKeepTheirText(t *testing.T) {
	x := newExtractor(t, Options{})
	var lines bytes.Buffer
	for n := range 6 {
		fmt.Fprintf(&lines, `{"url":"https://www.example.com/c/%d","html_base64":%q}`+"\n", n, encoded(hostPage(1).Body))
	}
	hosts, err := x.LearnLines(&lines)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := WriteMemory(&file, hosts); err != nil {
		t.Fatal(err)
	}
	again, err := ReadMemory(&file)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newExtractor(t, Options{Memory: again}).Extract(hostPage(1))
	if err != nil {
		t.Fatal(err)
	}
	want, err := x.Extract(hostPage(1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Text, a.Text); diff != "" {
		t.Errorf("text of a copy differs (-want +got):\n%s", diff)
	}
}

// TestPagesThatSayTheSameUnderOtherTitlesKeepTheirText: a body that consists of
// what other pages have is all that there is.
func TestPagesThatSayTheSameUnderOtherTitlesKeepTheirText(t *testing.T) {
	x := newExtractor(t, Options{})
	page := func(n int) *news.Page {
		return htmlPage(fmt.Sprintf("s/%d", n), fmt.Sprintf(`<html><head><title>停机公告之%d_公告_晶圆观察</title></head><body><h1>停机公告之%d</h1><div><p>%s</p><p>%s</p></div><div class="foot"><p>本站由晶圆观察运营，转载请注明出处，联系电话见首页。</p></div></body></html>`, n, n, facts[0], facts[1]))
	}
	var lines bytes.Buffer
	for n := range 12 {
		fmt.Fprintf(&lines, `{"url":%q,"html_base64":%q}`+"\n", page(n).URL, encoded(page(n).Body))
	}
	hosts, err := x.LearnLines(&lines)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newExtractor(t, Options{Memory: hosts}).Extract(page(20))
	if err != nil {
		t.Fatal(err)
	}
	if a.Title != "停机公告之20" || a.Text != facts[0]+"\n"+facts[1] {
		t.Errorf("got %q, %q, want the page as it is", a.Title, a.Text)
	}
}

func TestTableOfASeriesIsKept(t *testing.T) {
	x := newExtractor(t, Options{})
	page := func(n int) *news.Page {
		return htmlPage(fmt.Sprintf("q/%d", n), fmt.Sprintf(`<h1>第%d季业绩</h1><div><p>公司公布第%d季业绩，%s</p><table><tr><td>营业收入合计</td><td>%d亿元</td></tr><tr><td>归属股东净利润</td><td>%d亿元</td></tr></table><p>第%d季的展望是，%s</p></div>`, n, n, facts[n%4], n*10, n, n, facts[(n+2)%4]))
	}
	var lines bytes.Buffer
	for n := range 6 {
		fmt.Fprintf(&lines, `{"url":%q,"html_base64":%q}`+"\n", page(n).URL, encoded(page(n).Body))
	}
	hosts, err := x.LearnLines(&lines)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newExtractor(t, Options{Memory: hosts}).Extract(page(7))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(a.Text, "归属股东净利润") {
		t.Errorf("got %q, want the table kept", a.Text)
	}
}

func encoded(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
