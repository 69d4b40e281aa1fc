package news_test

import (
	"encoding/json"
	"fmt"

	"xinwen/news"
)

// A subscriber reads an article as it comes from the ARTICLES stream and cuts
// the mentions out of its content.
func ExampleParseArticle() {
	data := []byte(`{
		"v": 1, "id": "example", "revision": 1, "url": "https://chips.example/1", "source": "chips",
		"title": "輝達新品", "text": "輝達與台積電合作。", "lang": "zh", "script": "Hant",
		"mentions": [
			{"start": 0, "end": 2, "surface": "輝達", "kind": "org", "entity": "org:nvidia", "name": "NVIDIA", "score": 1},
			{"start": 8, "end": 11, "surface": "台積電", "kind": "org", "entity": "org:tsmc", "name": "TSMC", "score": 1}
		]
	}`)
	a, err := news.ParseArticle(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	content := []rune(a.Content())
	for _, m := range a.Mentions {
		fmt.Println(string(content[m.Start:m.End]), m.Entity)
	}
	// Output:
	// 輝達 org:nvidia
	// 台積電 org:tsmc
}

// A page travels as its JSON head, a newline, and the body as received.
func ExampleAppendPage() {
	wire, err := news.AppendPage(nil, &news.Page{
		Version: news.Version, ID: "example", URL: "https://chips.example/1", Source: "chips", Status: 200,
		Body: []byte("<p>芯片</p>"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := news.ParsePage(wire)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.URL, p.Status, string(p.Body))
	// Output: https://chips.example/1 200 <p>芯片</p>
}

// The same match always has the same alert ID, so that delivery can tell it once.
func ExampleAlertID() {
	first := news.AlertID("tsmc", "example", 1)
	again := news.AlertID("tsmc", "example", 1)
	newer := news.AlertID("tsmc", "example", 2)
	fmt.Println(first == again, first == newer)
	// Output: true false
}

// An article without a date of its own is filed under the time of its fetch.
func ExampleArticle_Time() {
	var a news.Article
	err := json.Unmarshal([]byte(`{"fetched": "2026-01-02T03:04:05Z"}`), &a)
	fmt.Println(a.Time(), err)
	// Output: 2026-01-02 03:04:05 +0000 UTC <nil>
}
