package news

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that people write: 90s, 15m, 1h30m, and also whole
// days and weeks, 30d and 2w (of 24 hours).
type Duration time.Duration

// ParseDuration reads what people write for a duration that is not negative.
func ParseDuration(s string) (Duration, error) {
	s = strings.TrimSpace(s)
	if s == "0" {
		return 0, nil
	}
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseUint(number, 10, 16)
			if err != nil || n > 3660 {
				return 0, badDuration(s)
			}
			return Duration(time.Duration(n) * length), nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, badDuration(s)
	}
	return Duration(d), nil
}

func badDuration(s string) error {
	return fmt.Errorf("%q is not a duration: write for example 90s, 15m, 1h30m, 30d or 2w", s)
}

// Std returns d as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns d as ParseDuration reads it.
func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	if d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}
