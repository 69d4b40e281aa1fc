package schedule_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/crawler/schedule"
)

var monday = time.Date(2025, 11, 17, 0, 0, 0, 0, time.UTC)

// office is a rhythm of n weeks with an entry at 9:30, 10:30 … 16:30 of each
// working day.
func office(weeks int) *schedule.Rhythm {
	r := new(schedule.Rhythm)
	var times []time.Time
	for w := range weeks {
		for d := range 5 {
			for h := range 8 {
				times = append(times, monday.AddDate(0, 0, 7*(w-weeks)+d).Add(time.Duration(9+h)*time.Hour+30*time.Minute))
			}
		}
	}
	r.Add(times, monday)
	return r
}

func polls(p *schedule.Plan, from time.Time, d time.Duration) []time.Time {
	var all []time.Time
	for t := from; t.Before(from.Add(d)); t = p.Next(t, time.Minute) {
		all = append(all, t)
	}
	return all
}

func TestPlanKeepsToItsBudget(t *testing.T) {
	for name, r := range map[string]*schedule.Rhythm{"new": {}, "office": office(4)} {
		for _, budget := range []float64{1, 24, 96, 480} {
			p := schedule.NewPlan(r, schedule.Outlet, budget)
			for d := range 7 {
				n := len(polls(p, monday.AddDate(0, 0, d), 24*time.Hour))
				if float64(n) > budget+1 || float64(n) < budget*0.6-1 {
					t.Errorf("%s: got %d polls on day %d, want about %v", name, n, d, budget)
				}
			}
		}
	}
}

func TestPlanPollsMoreWhenMoreIsPublished(t *testing.T) {
	p := schedule.NewPlan(office(8), schedule.Outlet, 96)
	at := func(h int) time.Duration { // the mean time between polls over three hours
		return 3 * time.Hour / time.Duration(len(polls(p, monday.Add(time.Duration(h)*time.Hour), 3*time.Hour)))
	}
	if busy, night := at(11), at(2); busy*2 > night {
		t.Errorf("got %v by day, %v by night", busy, night)
	}
	if night := at(2); night > 45*time.Minute {
		t.Errorf("got %v by night, want about half the average rate at least", night)
	}
	near := 0 // polls within ten minutes after the time at which entries come
	for _, x := range polls(p, monday.Add(9*time.Hour), 8*time.Hour) {
		if x.Minute() >= 30 && x.Minute() < 40 {
			near++
		}
	}
	if near < 14 {
		t.Errorf("%d polls just after the time of publishing in 8 hours, want 2 each", near)
	}
}

func TestPlanHonoursLeast(t *testing.T) {
	p := schedule.NewPlan(new(schedule.Rhythm), schedule.Unknown, 96)
	if got, want := p.Next(monday, time.Hour), monday.Add(time.Hour); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	p = schedule.NewPlan(new(schedule.Rhythm), schedule.Unknown, 86_400_000)
	if got, want := p.Next(monday, 0), monday.Add(time.Millisecond); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRhythmLearns(t *testing.T) {
	r := office(8)
	if got := r.PerDay(schedule.Outlet); got < 5 || got > 6.5 {
		t.Errorf("got %v entries a day, want about 5.7", got)
	}
	noon, night := r.Rate(monday.Add(12*time.Hour+30*time.Minute), schedule.Outlet), r.Rate(monday.Add(3*time.Hour), schedule.Outlet)
	if noon < 10*night {
		t.Errorf("got a rate of %v at noon and %v at night", noon, night)
	}
	before := r.Seen()
	r.Add([]time.Time{monday.Add(-time.Hour), monday.Add(48 * time.Hour)}, monday.Add(24*time.Hour))
	if r.Seen() > before+1e-9+1 {
		t.Errorf("an entry of the future was counted: %v to %v", before, r.Seen())
	}
	n := r.Seen()
	r.Add(nil, monday.Add(29*24*time.Hour))
	if got := r.Seen(); got > n*0.51 {
		t.Errorf("after four quiet weeks got %v of %v", got, n)
	}
}

func TestRhythmSurvivesJSON(t *testing.T) {
	r := office(3)
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 2<<10 {
		t.Errorf("it takes %d bytes", len(data))
	}
	got := new(schedule.Rhythm)
	if err := json.Unmarshal(data, got); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(data), string(again)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := json.Unmarshal([]byte(`{"h":{"200":1}}`), got); err == nil {
		t.Error("hour 200 of the week was accepted")
	}
}

func BenchmarkNext(b *testing.B) {
	p := schedule.NewPlan(office(8), schedule.Outlet, 96)
	now := monday.Add(time.Duration(rand.N(7*24*60)) * time.Minute)
	for b.Loop() {
		now = p.Next(now, time.Minute)
	}
}

// TestTimetableNeverExceedsItsBudget polls for a month while the rhythm grows with
// entries that come just before the polls.
func TestTimetableNeverExceedsItsBudget(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	var (
		r     schedule.Rhythm
		table schedule.Timetable
	)
	perDay := make(map[int]int)
	start := time.Date(2025, 10, 20, 0, 0, 0, 0, zone) // the clock is set back on the way
	for now := start; now.Before(start.AddDate(0, 0, 30)); {
		perDay[now.YearDay()]++
		if h := now.Hour(); h > 8 && h < 12 {
			r.Add([]time.Time{now.Add(-time.Minute)}, now)
		}
		next := table.Next(&r, schedule.Outlet, 96, now, time.Minute)
		if gap := next.Sub(now); gap < time.Minute || gap > 2*time.Hour {
			t.Fatalf("at %v the next poll is in %v", now, gap)
		}
		now = next
	}
	for day, n := range perDay {
		if n > 96 || n < 80 {
			t.Errorf("day %d: got %d polls", day, n)
		}
	}
}
