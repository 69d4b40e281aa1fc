package main

import (
	"errors"
	"fmt"
	"time"

	"xinwen/news"
	"xinwen/news/bus"
)

// released is a time before this program was written: no right clock shows less.
var released = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func checkClock(now time.Time) error {
	if now.Before(released) {
		return hint(fmt.Errorf("it shows %s", now.Format(time.RFC3339)), "set it, and let it be kept right by NTP")
	}
	return nil
}

// checkClockAgainst compares the clock with the time of a stored message: one
// that went back makes timers late and dates wrong.
func checkClockAgainst(now, stored time.Time) error {
	if ahead := stored.Sub(now); ahead > 5*time.Second {
		return hint(fmt.Errorf("the last message was stored %s in the future", ahead.Round(time.Second)),
			"set the clocks of this machine and of the NATS servers by NTP")
	}
	return nil
}

// minFiles is what a busy indexer, a store of many blocks and a hundred
// connections need.
const minFiles = 4096

func checkFileLimit(limit uint64) error {
	if limit < minFiles {
		return hint(fmt.Errorf("a process may open %d, %d are needed", limit, minFiles),
			"raise it: `ulimit -n 65536` in a shell, LimitNOFILE=65536 in a systemd unit")
	}
	return nil
}

func checkDisk(free, required int64) error {
	if required == 0 {
		required = bus.DefaultMinFreeBytes
	}
	switch {
	case required > 0 && free < required:
		return hint(fmt.Errorf("%d MiB are free, crawling pauses below %d MiB", free>>20, required>>20), "free some space, or move the data with --data")
	case required > 0 && free < 4*required:
		return hint(fmt.Errorf("%d MiB are free, crawling pauses soon, below %d MiB", free>>20, required>>20), "free some space, or move the data with --data")
	}
	return nil
}

func checkZones(names ...string) error {
	var errs []error
	for _, name := range names {
		if _, err := time.LoadLocation(name); err != nil {
			errs = append(errs, hint(err, "write a zone of the IANA data base, such as Asia/Shanghai"))
		}
	}
	return errors.Join(errs...)
}

func checkStream(s bus.StreamStatus) error {
	if s.MaxBytes > 0 && s.Bytes > uint64(s.MaxBytes)/10*9 {
		return hint(fmt.Errorf("%d of %d bytes are used; when it is full, crawling waits", s.Bytes, s.MaxBytes),
			"raise nats.limits in the configuration, find out which consumer lags, or erase old articles with xinwen delete")
	}
	for _, c := range s.Consumers {
		if c.Pending > 10_000 {
			return hint(fmt.Errorf("%s is %d messages behind", c.Name, c.Pending), "see that its service runs, and start more of it")
		}
	}
	return nil
}

func checkLag(lag uint64, rebuilding bool) error {
	if lag > 10_000 && !rebuilding {
		return hint(fmt.Errorf("it is %d messages behind", lag), "see that an indexer runs and its log has no errors; it catches up by itself")
	}
	return nil
}

// checkSource reports a source that fails again and again, or is not asked when
// it should be.
func checkSource(s *news.SourceState, now time.Time) error {
	if !s.Enabled {
		return nil
	}
	switch {
	case s.Failures >= 5:
		mend := s.Hint
		if mend == "" {
			mend = "open its address in a browser; correct it in the sources, or disable it there"
		}
		return hint(fmt.Errorf("failed %d times, last: %s", s.Failures, s.LastError), mend)
	case !s.NextPoll.IsZero() && now.Sub(s.NextPoll) > 6*time.Hour:
		return hint(fmt.Errorf("was due %s ago", now.Sub(s.NextPoll).Round(time.Hour)), "see that a crawler runs")
	}
	return nil
}
