package backtest

import (
	"testing"
	"time"
)

func TestNoiseIsByNoticesADayAndShare(t *testing.T) {
	to := time.Date(2025, 11, 30, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		notices int // in 30 days
		share   float64
		want    string
	}{
		"nothing":                    {0, 0, Silent},
		"some of a small index":      {12, 0.2, Low},
		"a few a day":                {120, 0.01, Low},
		"a few a day, much of all":   {120, 0.2, High},
		"many a day":                 {600, 0.01, Medium},
		"many a day, much of all":    {600, 0.06, High},
		"more than anyone can read ": {3000, 0.01, High},
	} {
		t.Run(name, func(t *testing.T) {
			r := Report{From: to.AddDate(0, 0, -30), To: to, Notices: tc.notices, Share: tc.share}
			if got := noise(&r); got.Level != tc.want {
				t.Errorf("got %+v, want %s", got, tc.want)
			}
		})
	}
}
