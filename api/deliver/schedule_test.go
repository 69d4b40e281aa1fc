package deliver

import (
	"testing"
	"time"

	"xinwen/news"
)

func TestScheduleInZones(t *testing.T) {
	utc := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	for _, tc := range []struct {
		name      string
		digest    news.Digest
		now, want string
	}{
		{"before", news.Digest{Every: "day", At: "08:30", Zone: "Asia/Taipei"}, "2025-11-17T00:10:00Z", "2025-11-17T00:30:00Z"},
		{"at", news.Digest{Every: "day", At: "08:30", Zone: "Asia/Taipei"}, "2025-11-17T00:30:00Z", "2025-11-18T00:30:00Z"},
		{"midnight", news.Digest{Every: "day"}, "2025-11-17T12:00:00Z", "2025-11-18T00:00:00Z"},
		{"summer_begins", news.Digest{Every: "day", At: "02:30", Zone: "Europe/Berlin"}, "2025-03-29T02:00:00Z", "2025-03-30T01:30:00Z"}, // 02:30 does not exist
		{"summer_ends", news.Digest{Every: "day", At: "08:00", Zone: "Europe/Berlin"}, "2025-10-25T10:00:00Z", "2025-10-26T07:00:00Z"},
		{"hour", news.Digest{Every: "hour"}, "2025-11-17T12:34:56Z", "2025-11-17T13:00:00Z"},
		{"hour_at", news.Digest{Every: "hour", At: "00:45"}, "2025-11-17T12:34:56Z", "2025-11-17T12:45:00Z"},
	} {
		if got := nextDigest(&tc.digest, utc(tc.now)); !got.Equal(utc(tc.want)) {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
	for _, tc := range []struct {
		name      string
		quiet     news.Quiet
		now, want string
	}{
		{"evening", news.Quiet{From: "22:00", To: "07:00", Zone: "Asia/Taipei"}, "2025-11-17T14:30:00Z", "2025-11-17T23:00:00Z"},
		{"night", news.Quiet{From: "22:00", To: "07:00", Zone: "Asia/Taipei"}, "2025-11-17T18:00:00Z", "2025-11-17T23:00:00Z"},
		{"morning", news.Quiet{From: "22:00", To: "07:00", Zone: "Asia/Taipei"}, "2025-11-17T23:00:00Z", ""},
		{"noon", news.Quiet{From: "12:00", To: "13:00"}, "2025-11-17T12:59:59Z", "2025-11-17T13:00:00Z"},
		{"after_noon", news.Quiet{From: "12:00", To: "13:00"}, "2025-11-17T13:00:00Z", ""},
	} {
		got, ok := quietEnd(&tc.quiet, utc(tc.now))
		if ok != (tc.want != "") || ok && !got.Equal(utc(tc.want)) {
			t.Errorf("%s: got %s, %t, want %s", tc.name, got, ok, tc.want)
		}
	}
	if got := aside(news.ChannelFeishu, utc("2025-11-17T13:00:00Z"), "r"); !got.After(utc("2025-11-17T13:00:59Z")) || got.After(utc("2025-11-17T13:03:00Z")) {
		t.Errorf("got %s, want a little after the full hour", got)
	}
}
