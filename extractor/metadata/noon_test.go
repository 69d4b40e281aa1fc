package metadata

import (
	"testing"
	"time"
)

func TestNoonIsTheSameDayInTheZoneAndInUTC(t *testing.T) {
	for _, hours := range []int{-12, -8, 0, 8, 9, 12, 14} {
		zone := time.FixedZone("", hours*3600)
		for hour := range 24 {
			// Fetched on that day, early or late, or long after.
			for _, fetched := range []time.Time{{}, time.Date(2025, 11, 17, hour, 30, 0, 0, zone), time.Date(2025, 12, 1, 0, 0, 0, 0, zone)} {
				got := noon(time.Date(2025, 11, 17, 0, 0, 0, 0, zone), fetched)
				for _, x := range []time.Time{got.In(zone), got.UTC()} {
					if x.Format(time.DateOnly) != "2025-11-17" {
						t.Errorf("zone %+d, fetched %s: got %s, want a time on 2025-11-17", hours, fetched, x)
					}
				}
			}
		}
	}
}

func TestPenNamesAreNames(t *testing.T) {
	for name, want := range map[string]bool{"老封": true, "小陈": true, "老板": false, "小米": false, "小时": false, "老人": false} {
		if got := isPerson(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
