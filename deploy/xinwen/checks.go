package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"xinwen/indexer/bleve"
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

// maxSkew is how far the clocks of machines may be apart.
const maxSkew = 2 * time.Second

// checkSkew compares this machine's clock with a server's, whose answer took some
// time.
func checkSkew(skew, took time.Duration) error {
	if skew.Abs() > maxSkew+took {
		word := "behind"
		if skew < 0 {
			word = "ahead of"
		}
		return hint(fmt.Errorf("this machine is %s %s the NATS server", skew.Abs().Round(100*time.Millisecond), word), "let the clocks of both be kept right by NTP: dates, leases and timers follow them")
	}
	return nil
}

// checkPageZone tells of pages that show times of another zone than people here
// have.
func checkPageZone(configured string, local *time.Location, now time.Time) error {
	if configured != "" {
		return nil
	}
	if name, offset := now.In(local).Zone(); offset != 0 {
		return hint(fmt.Errorf("pages and notices show UTC, this machine has %s (%s)", local, name), "set api.time_zone to a zone such as Asia/Shanghai, if people should see that one's times")
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

// checkRoom compares what the streams may still grow by with what is free.
func checkRoom(list []bus.StreamStatus, free, required int64) error {
	if required == 0 {
		required = bus.DefaultMinFreeBytes
	}
	var growth int64
	for _, s := range list {
		if s.MaxBytes > 0 {
			growth += max(0, s.MaxBytes-int64(s.Bytes)) //nolint:gosec // far below the bound
		}
	}
	if growth > free-max(required, 0) {
		return hint(fmt.Errorf("streams may grow by %d GiB, %d GiB are free: the disk will be full before they are, and crawling pauses then", growth>>30, free>>30),
			"watch the disk, make room, or lower nats.limits.articles_bytes")
	}
	return nil
}

// checkLimit tells of a stream that holds less than it would by default.
func checkLimit(s bus.StreamStatus, operators int64) error {
	standard := bus.DefaultLimit(s.Name)
	if s.MaxBytes > 0 && s.MaxBytes < standard && operators != s.MaxBytes {
		return hint(fmt.Errorf("holds %d MiB at most, %d by default", s.MaxBytes>>20, standard>>20),
			fmt.Sprintf("raise max_file_store of the NATS server, then set nats.limits.%s_bytes; or set it to %d to keep it", strings.ToLower(s.Name), s.MaxBytes))
	}
	return nil
}

// maxWaiting is the objective for what waits to be handled.
const maxWaiting = 15 * time.Minute

// checkWaiting reports a consumer whose oldest message waits too long.
func checkWaiting(consumer string, since time.Duration) error {
	if since > maxWaiting {
		return hint(fmt.Errorf("what %s is to handle next has waited for %s", consumer, since.Round(time.Minute)), "see that its service runs and its log has no errors; xinwen quarantine list shows what failed")
	}
	return nil
}

// checkFollowed tells of a system that follows nothing.
func checkFollowed(states []*news.SourceState) error {
	for _, s := range states {
		if s.Enabled {
			return nil
		}
	}
	if len(states) == 0 {
		return hint(errors.New("no crawler has followed a source yet"), "start a crawler, or name sources with --sources; `none` follows nothing")
	}
	return hint(fmt.Errorf("all %d sources are disabled", len(states)), "xinwen sources enable ID, or add one with xinwen sources add")
}

// checkIndexDirs looks at the names in the directory of indexes. current is the
// one that this program opens.
func checkIndexDirs(names []string, current string) error {
	var errs []error
	found, others := false, 0
	for _, name := range names {
		switch {
		case name == current:
			found = true
		case !strings.HasPrefix(name, bleve.Prefix):
		case strings.Contains(name, ".corrupt"):
			errs = append(errs, hint(fmt.Errorf("%s could not be read and was set aside", name), "see that the disk is sound, then remove it: the index was built anew from ARTICLES"))
		case !strings.Contains(name, "."):
			others++
		}
	}
	if others > 0 && !found {
		errs = append(errs, hint(errors.New("it was made by another version, or with other words: the next start builds it anew, about 400 articles a second, and the old one answers meanwhile"), "nothing, if that is meant; else start the version that made it"))
	}
	return errors.Join(errs...)
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
