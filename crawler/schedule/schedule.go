// Package schedule decides when a feed is read again: most often when it is most
// likely to bring something, within a budget of polls a day.
//
// A Rhythm is what is known of a feed: its entries by hour of the week and by
// minute of the hour. Entries are taken to come as a Poisson process whose rate
// has that shape; what little is known of a new feed is filled up with the prior
// of its Class. If a feed of rate λ is polled with density p, an entry waits 1/2p
// on average; under a fixed number of polls the mean wait is least where p grows
// with the square root of λ. A Plan holds such a density for every minute of the
// week, with a floor, so that nothing waits for long at quiet hours.
//
// The package knows no clock and no feed: it is given times.
package schedule

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

const (
	weekHours = 168
	// bins divide an hour: many content systems publish at full and half hours.
	bins     = 12
	binWidth = time.Hour / bins
	// halfLife is the age at which an entry counts half: rhythms change.
	halfLife = 28 * 24 * time.Hour
	// maxAge is how far back entries count at all.
	maxAge = 12 * 7 * 24 * time.Hour
)

// Class is what is known of a feed before any of its entries: how its kind
// usually behaves.
type Class struct {
	// PerDay is the usual number of entries a day.
	PerDay float64
	// Office is how many times more entries come in an hour of work than in one
	// of a night or a weekend; 1 if that is not known.
	Office float64
}

// Classes of ways into a source.
var (
	// Outlet is a newsroom whose time zone is known.
	Outlet = Class{PerDay: 10, Office: 6}
	// Unknown is anything else.
	Unknown = Class{PerDay: 10, Office: 1}
)

// office reports whether an hour of the week, from Monday 00:00, is one of work.
func office(hour int) bool { return hour < 5*24 && hour%24 >= 7 && hour%24 < 20 }

// prior returns the share of entries in each hour of the week.
func (c Class) prior() [weekHours]float64 {
	var p [weekHours]float64
	sum := 0.0
	for h := range p {
		p[h] = 1
		if office(h) {
			p[h] = max(c.Office, 1)
		}
		sum += p[h]
	}
	for h := range p {
		p[h] /= sum
	}
	return p
}

// Rhythm is when a feed's entries came. The zero value knows nothing. Hours are
// those of a zone, which must always be the same.
type Rhythm struct {
	hours   [weekHours]float64
	minutes [bins]float64
	// span is how long the feed was watched, in hours, decayed as the counts are.
	span float64
	// last is the newest entry counted, until when the counts are decayed.
	last, until time.Time
}

// hourOf returns the hour of the week, from Monday 00:00.
func hourOf(t time.Time) int { return (int(t.Weekday())+6)%7*24 + t.Hour() }

func binOf(t time.Time) int { return t.Minute() * bins / 60 }

// Add counts the entries that were published after the newest one counted before.
// now is when they were seen; times after it do not count. Times must have the
// feed's zone.
func (r *Rhythm) Add(times []time.Time, now time.Time) {
	begin := r.until
	if begin.IsZero() {
		begin = now
		for _, t := range times {
			if t.Before(begin) && now.Sub(t) < maxAge {
				begin = t
			}
		}
		r.until = begin
	}
	if now.After(r.until) {
		keep := math.Exp2(-float64(now.Sub(r.until)) / float64(halfLife))
		for h := range r.hours {
			r.hours[h] *= keep
		}
		for b := range r.minutes {
			r.minutes[b] *= keep
		}
		r.span = r.span*keep + now.Sub(r.until).Hours()
		r.until = now
	}
	newest := r.last
	for _, t := range times {
		if !t.After(r.last) || t.After(now) || now.Sub(t) >= maxAge {
			continue
		}
		r.hours[hourOf(t)]++
		if t.Second() != 0 || t.Minute() != 0 || t.Hour() != 0 { // a time, not a day
			r.minutes[binOf(t)]++
		}
		if t.After(newest) {
			newest = t
		}
	}
	r.last = newest
}

// Seen returns how many entries r knows of, older ones counted less.
func (r *Rhythm) Seen() float64 {
	n := 0.0
	for _, c := range r.hours {
		n += c
	}
	return n
}

// How much a prior counts against what was seen.
const (
	priorDays    = 1  // of the class's rate
	priorEntries = 20 // of the class's shape
	priorMinutes = 48 // of an even hour
)

// PerDay returns the expected number of entries a day.
func (r *Rhythm) PerDay(c Class) float64 {
	return (r.Seen() + c.PerDay*priorDays) / (r.span/24 + priorDays)
}

// shape returns the expected share of entries in each hour of the week: what was
// seen in the hour itself, in its neighbours, and at that hour of other days,
// shrunk towards the prior.
func (r *Rhythm) shape(c Class) [weekHours]float64 {
	var days, pooled [weekHours]float64
	for h := range weekHours {
		days[h] = r.hours[h]/2 + (r.hours[(h+1)%weekHours]+r.hours[(h+weekHours-1)%weekHours])/4
	}
	for h := range weekHours {
		first, n := 0, 5 // working days are alike, and so are those of a weekend
		if h >= 5*24 {
			first, n = 5, 2
		}
		for d := first; d < first+n; d++ {
			pooled[h] += days[d*24+h%24] / float64(n)
		}
	}
	prior, total := c.prior(), r.Seen()
	var s [weekHours]float64
	for h := range weekHours {
		s[h] = (days[h]/3 + pooled[h]*2/3 + priorEntries*prior[h]) / (total + priorEntries)
	}
	return s
}

// minuteShape returns the relative rate in each part of an hour, 1 on average.
func (r *Rhythm) minuteShape() [bins]float64 {
	total := 0.0
	for _, n := range r.minutes {
		total += n
	}
	var s [bins]float64
	for b := range bins {
		s[b] = (r.minutes[b] + priorMinutes/bins) / (total + priorMinutes) * bins
	}
	return s
}

// Rate returns the expected entries an hour at t, in the feed's zone.
func (r *Rhythm) Rate(t time.Time, c Class) float64 {
	return r.PerDay(c) * 7 * r.shape(c)[hourOf(t)] * r.minuteShape()[binOf(t)]
}

// rhythmJSON is the form in which a Rhythm is kept.
type rhythmJSON struct {
	Hours   map[int]float64 `json:"h,omitempty"`
	Minutes []float64       `json:"m,omitempty"`
	Span    float64         `json:"s"`
	Last    time.Time       `json:"l,omitzero"`
	Until   time.Time       `json:"u,omitzero"`
}

// MarshalJSON implements json.Marshaler.
func (r Rhythm) MarshalJSON() ([]byte, error) {
	round := func(v float64) float64 { return math.Round(v*1000) / 1000 }
	j := rhythmJSON{Hours: map[int]float64{}, Span: round(r.span), Last: r.last, Until: r.until}
	for h, n := range r.hours {
		if n = round(n); n > 0 {
			j.Hours[h] = n
		}
	}
	for _, n := range r.minutes {
		j.Minutes = append(j.Minutes, round(n))
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Rhythm) UnmarshalJSON(data []byte) error {
	var j rhythmJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*r = Rhythm{span: max(j.Span, 0), last: j.Last, until: j.Until}
	for h, n := range j.Hours {
		if h < 0 || h >= weekHours || n < 0 {
			return fmt.Errorf("rhythm: hour %d has %v entries", h, n)
		}
		r.hours[h] = n
	}
	for b, n := range j.Minutes {
		if b < bins && n > 0 {
			r.minutes[b] = n
		}
	}
	return nil
}
