package news

import (
	"encoding/json"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want time.Duration // -1: an error
		out  string
	}{
		{"90s", 90 * time.Second, "1m30s"},
		{"1h", time.Hour, "1h"},
		{"1h30m", 90 * time.Minute, "1h30m"},
		{"30d", 720 * time.Hour, "30d"},
		{"2w", 336 * time.Hour, "14d"},
		{"24h", 24 * time.Hour, "1d"},
		{"10m", 10 * time.Minute, "10m"},
		{"0", 0, "0s"},
		{"-1h", -1, ""},
		{"1.5d", -1, ""},
		{"99999w", -1, ""},
		{"soon", -1, ""},
		{"", -1, ""},
	} {
		got, err := ParseDuration(tc.in)
		if tc.want < 0 {
			if err == nil {
				t.Errorf("%q: got %s, want an error", tc.in, got)
			}
			continue
		}
		if err != nil || got.Std() != tc.want || got.String() != tc.out {
			t.Errorf("%q: got %s, %v, want %s written %s", tc.in, got.Std(), err, tc.want, tc.out)
		}
	}
}

func TestRuleReadsWhatItWrote(t *testing.T) {
	in := `{"id":"a","name":"A","query":"x","spike":{"window":"1h"},"throttle":{"most":3,"per":"1d"}}`
	var r Rule
	if err := json.Unmarshal([]byte(in), &r); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(r)
	if err != nil || string(out) != in {
		t.Errorf("got %s, %v, want %s", out, err, in)
	}
}
