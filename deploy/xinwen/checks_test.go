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
		t.Run(c.name, func(t *testing.T) {
			if c.want == "" {
				if c.err != nil {
					t.Errorf("got %v, want no fault", c.err)
				}
				return
			}
			if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
				t.Fatalf("got %v, want it to say %q", c.err, c.want)
			}
			mend := ""
			for _, err := range leaves(c.err) {
				if h, ok := err.(interface{ Hint() string }); ok {
					mend += h.Hint()
				}
			}
			if !strings.Contains(mend, c.mend) {
				t.Errorf("got mend %q, want it to say %q", mend, c.mend)
			}
		})
	}
}

// leaves returns err, or what it joins.
func leaves(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
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
