package news_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
)

// Messages as the first release wrote them: a reader of today takes them, so that
// readers can be upgraded before writers.
func TestMessagesOfTheFirstReleaseAreRead(t *testing.T) {
	at := time.Date(2025, 11, 17, 8, 30, 0, 0, time.UTC)
	page, err := news.ParsePage([]byte(`{"v":1,"id":"p1","url":"https://a.example/1","source":"a","status":200,"content_type":"text/html","fetched":"2025-11-17T08:30:00Z","time_zone":"Asia/Shanghai"}` + "\n<p>页</p>"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&news.Page{
		Version: 1, ID: "p1", URL: "https://a.example/1", Source: "a", Status: 200, ContentType: "text/html", Fetched: at,
		TimeZone: "Asia/Shanghai", Body: []byte("<p>页</p>"),
	}, page); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	article, err := news.ParseArticle([]byte(`{"v":1,"id":"a1","revision":3,"url":"https://a.example/1","source":"a","title":"标题","text":"正文。","lang":"zh","script":"Hans","published":"2025-11-17T08:30:00Z","fetched":"2025-11-17T08:30:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&news.Article{
		Version: 1, ID: "a1", Revision: 3, URL: "https://a.example/1", Source: "a", Title: "标题", Text: "正文。", Lang: "zh", Script: "Hans",
		Published: at, Fetched: at,
	}, article); diff != "" {
		t.Errorf("article (-want +got):\n%s", diff)
	}
	alert, err := news.ParseAlert([]byte(`{"v":1,"id":"x","rule":"r","rule_name":"R","query":"台积电","revision":3,"article":{"v":1,"id":"a1","title":"标题"},"matched":"2025-11-17T08:30:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&news.Alert{
		Version: 1, ID: "x", Rule: "r", RuleName: "R", Query: "台积电", Revision: 3, Matched: at,
		Article: news.Article{Version: 1, ID: "a1", Title: "标题"},
	}, alert); diff != "" {
		t.Errorf("alert (-want +got):\n%s", diff)
	}
}

// Fields that a newer release may add are left alone.
func TestUnknownFieldsAreNoError(t *testing.T) {
	if _, err := news.ParsePage([]byte(`{"v":1,"id":"p1","later":{"x":1}}` + "\n")); err != nil {
		t.Errorf("page: %v", err)
	}
	if _, err := news.ParseArticle([]byte(`{"v":1,"id":"a1","later":{"x":1}}`)); err != nil {
		t.Errorf("article: %v", err)
	}
	if _, err := news.ParseAlert([]byte(`{"v":1,"id":"x","later":{"x":1}}`)); err != nil {
		t.Errorf("alert: %v", err)
	}
}
