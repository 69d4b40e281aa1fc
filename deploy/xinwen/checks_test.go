package main

import (
	"strings"
	"testing"
	"time"

	"xinwen/news"
	"xinwen/news/bus"
)

func TestChecksSayWhatToMend(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	source := func(change func(*news.SourceState)) *news.SourceState {
		s := &news.SourceState{ID: "s", Enabled: true, NextPoll: now.Add(time.Minute)}
		change(s)
		return s
	}
	for _, c := range []struct {
		name string
		err  error
		want string // part of the message, "" for none
		mend string
	}{
		{"clock-right", checkClock(now), "", ""},
		{"clock-1970", checkClock(time.Unix(100, 0).UTC()), "1970", "NTP"},
		{"clock-equal", checkClockAgainst(now, now.Add(time.Second)), "", ""},
		{"clock-back", checkClockAgainst(now, now.Add(time.Hour)), "1h0m0s in the future", "NTP"},
		{"files-many", checkFileLimit(1 << 20), "", ""},
		{"files-few", checkFileLimit(256), "256", "LimitNOFILE"},
		{"disk-enough", checkDisk(10<<30, 0), "", ""},
		{"disk-low", checkDisk(1<<30, 0), "crawling pauses soon", "free some space"},
		{"disk-full", checkDisk(1<<20, 2<<20), "crawling pauses below", "free some space"},
		{"disk-unwatched", checkDisk(0, -1), "", ""},
		{"skew", checkSkew(time.Second, 0), "", ""},
		{"skew-slow-answer", checkSkew(3*time.Second, 2*time.Second), "", ""},
		{"skew-behind", checkSkew(time.Minute, 0), "1m0s behind", "NTP"},
		{"skew-ahead", checkSkew(-time.Minute, 0), "1m0s ahead of", "NTP"},
		{"page-zone", checkPageZone("", time.UTC, now), "", ""},
		{"page-zone-said", checkPageZone("Asia/Taipei", time.FixedZone("CST", 8*3600), now), "", ""},
		{"page-zone-elsewhere", checkPageZone("", time.FixedZone("CST", 8*3600), now), "show UTC", "api.time_zone"},
		{"room", checkRoom([]bus.StreamStatus{{MaxBytes: 8 << 30, Bytes: 7 << 30}}, 4<<30, 0), "", ""},
		{"room-scarce", checkRoom([]bus.StreamStatus{{MaxBytes: 8 << 30}, {MaxBytes: -1}}, 4<<30, 0), "grow by 8 GiB, 4 GiB are free", "articles_bytes"},
		{"limit", checkLimit(bus.StreamStatus{Name: bus.Articles, MaxBytes: 64 << 30}, 0), "", ""},
		{"limit-small", checkLimit(bus.StreamStatus{Name: bus.Articles, MaxBytes: 1 << 30}, 0), "1024 MiB at most", "nats.limits.articles_bytes"},
		{"limit-meant", checkLimit(bus.StreamStatus{Name: bus.Articles, MaxBytes: 1 << 30}, 1<<30), "", ""},
		{"waiting", checkWaiting("percolator", time.Minute), "", ""},
		{"waiting-long", checkWaiting("percolator", 3*time.Hour), "percolator is to handle next has waited for 3h0m0s", "service runs"},
		{"followed", checkFollowed([]*news.SourceState{{ID: "a"}, {ID: "b", Enabled: true}}), "", ""},
		{"followed-none", checkFollowed(nil), "no crawler", "start a crawler"},
		{"followed-disabled", checkFollowed([]*news.SourceState{{ID: "a"}}), "all 1 sources", "sources enable"},
		{"index-first", checkIndexDirs(nil, "bleve-1"), "", ""},
		{"index-same", checkIndexDirs([]string{"bleve-1", "bleve-0.old"}, "bleve-1"), "", ""},
		{"index-other", checkIndexDirs([]string{"bleve-0"}, "bleve-1"), "builds it anew", "if that is meant"},
		{"index-corrupt", checkIndexDirs([]string{"bleve-1", "bleve-1.corrupt"}, "bleve-1"), "set aside", "disk is sound"},
		{"zones", checkZones("", "Asia/Taipei"), "", ""},
		{"zone-unknown", checkZones("Asia/Hsinchu"), "Asia/Hsinchu", "IANA"},
		{"stream", checkStream(bus.StreamStatus{Bytes: 50, MaxBytes: 100}), "", ""},
		{"stream-full", checkStream(bus.StreamStatus{Bytes: 91, MaxBytes: 100}), "91 of 100", "nats.limits"},
		{
			"stream-lag", checkStream(bus.StreamStatus{Consumers: []bus.ConsumerStatus{{Name: "extractor", Pending: 20_000}}}),
			"extractor is 20000 messages behind", "start more",
		},
		{"index", checkLag(5, false), "", ""},
		{"index-lag", checkLag(50_000, false), "50000", "indexer"},
		{"index-rebuilding", checkLag(50_000, true), "", ""},
		{"source", checkSource(source(func(*news.SourceState) {}), now), "", ""},
		{"source-disabled", checkSource(source(func(s *news.SourceState) { s.Enabled, s.Failures = false, 99 }), now), "", ""},
		{
			"source-failing", checkSource(source(func(s *news.SourceState) { s.Failures, s.LastError, s.Hint = 7, "404", "correct the feed" }), now),
			"failed 7 times, last: 404", "correct the feed",
		},
		{
			"source-overdue", checkSource(source(func(s *news.SourceState) { s.NextPoll = now.Add(-9 * time.Hour) }), now),
			"was due 9h0m0s ago", "crawler",
		},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.err, c.want, c.mend) })
	}
}

// expect looks for parts of an error's message and of its mend; "" wants no
// error.
func expect(t *testing.T, err error, want, mend string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("got %v, want no fault", err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("got %v, want it to say %q", err, want)
	}
	got := ""
	for _, err := range leaves(err) {
		if h, ok := err.(interface{ Hint() string }); ok {
			got += h.Hint()
		}
	}
	if !strings.Contains(got, mend) {
		t.Errorf("got mend %q, want it to say %q", got, mend)
	}
}

func TestParseBefore(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		text string
		want time.Time // zero for an error
	}{
		{"2026-01-31", time.Date(2026, 1, 31, 0, 0, 0, 0, time.Local)},
		{"2026-01-31T08:00:00+08:00", time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)},
		{"30d", now.AddDate(0, 0, -30)},
		{"yesterday", time.Time{}},
		{"0", time.Time{}},
		{"-3h", time.Time{}},
	} {
		got, err := parseBefore(c.text, now)
		if (err != nil) != c.want.IsZero() || !got.Equal(c.want) {
			t.Errorf("%q: got %v, %v, want %v", c.text, got, err, c.want)
		}
	}
}
