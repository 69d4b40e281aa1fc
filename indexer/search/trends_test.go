package search_test

import (
	"fmt"
	"testing"
	"time"

	"xinwen/indexer/search"
	"xinwen/news"
)

// TestSpikesTellTheirStories lets an entity be in one article a day, and one day
// in many about two events.
func TestSpikesTellTheirStories(t *testing.T) {
	x := openIndex(t)
	start := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	mention := func(id string) []news.Mention {
		return []news.Mention{{Start: 0, End: 1, Kind: news.Org, Entity: id}}
	}
	n := 0
	add := func(day int, title, text, entity string) {
		n++
		a := &news.Article{
			Version: news.Version, ID: fmt.Sprintf("a%03d", n), Revision: 1, Lang: "zh", Script: news.ScriptHans, Source: "demo",
			Title: title, Text: text, Published: start.AddDate(0, 0, day).Add(time.Duration(n) * time.Second), Mentions: mention(entity),
		}
		writeArticle(t, x, uint64(n), a)
	}
	for day := range 20 {
		add(day, fmt.Sprintf("联电第%d号通知", day), fmt.Sprintf("这是编号%d的例行通知。", day*7919), "org:umc")
		add(day, fmt.Sprintf("美光第%d号通知", day), fmt.Sprintf("这是编号%d的例行说明。", day*104729), "org:micron")
	}
	for range 6 {
		add(18, "联电南科厂区停电", "联电南科厂区凌晨停电，机台停摆，晶圆报废数量清点中。", "org:umc")
	}
	got, err := search.Trend(t.Context(), x, search.TrendRequest{
		Request:  search.Request{From: start.AddDate(0, 0, 14).Truncate(24 * time.Hour), To: start.AddDate(0, 0, 20).Truncate(24 * time.Hour)},
		Interval: search.IntervalDay, By: search.FacetEntity, Spikes: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Spikes) != 1 {
		t.Fatalf("got spikes %+v, want one", got.Spikes)
	}
	p := got.Spikes[0]
	if p.Value != "org:umc" || p.Count != 7 || p.Expected != 1 || !p.Time.Equal(start.AddDate(0, 0, 18).Truncate(24*time.Hour)) {
		t.Errorf("got %+v, want 7 of UMC instead of 1 on day 18", p)
	}
	if len(p.Stories) == 0 || p.Stories[0].Title != "联电南科厂区停电" || p.Stories[0].Articles != 6 {
		t.Errorf("got stories %+v, want that of the power cut", p.Stories)
	}

	// Counts are exact after deletions.
	gone := &news.Article{Version: news.Version, ID: "a045", Revision: 2, Deleted: true}
	writeArticle(t, x, uint64(n+1), gone)
	if got, err = search.Trend(t.Context(), x, search.TrendRequest{
		Request:  search.Request{Entity: []string{"org:umc"}, From: start.AddDate(0, 0, 18).Truncate(24 * time.Hour), To: start.AddDate(0, 0, 19).Truncate(24 * time.Hour)},
		Interval: search.IntervalDay,
	}); err != nil || got.Total != 6 {
		t.Errorf("after a deletion: got %+v, %v, want 6", got, err)
	}
}

func TestDaysHaveTheHoursOfTheirZone(t *testing.T) {
	x := openIndex(t)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skipf("no time zones: %v", err)
	}
	from := time.Date(2026, 3, 7, 0, 0, 0, 0, zone) // clocks go forward on the 8th
	got, err := search.Trend(t.Context(), x, search.TrendRequest{
		Request: search.Request{From: from, To: from.AddDate(0, 0, 3), TZ: "America/New_York"}, Interval: search.IntervalDay,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{7, 8, 9} {
		if i >= len(got.Times) || got.Times[i].In(zone) != time.Date(2026, 3, want, 0, 0, 0, 0, zone) {
			t.Errorf("got %v, want midnights of the 7th, 8th and 9th", got.Times)
			break
		}
	}
}
