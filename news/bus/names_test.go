package bus

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"
)

var nameTests = []struct{ in, token, key string }{
	{"", "=", "="},
	{"chips", "chips", "chips"},
	{"www.chips.example:8080", "www_chips_example=3A8080", "www=2Echips=2Eexample=3A8080"},
	{"a_b", "a=5Fb", "a_b"},
	{"a b*c>d", "a=20b=2Ac=3Ed", "a=20b=2Ac=3Ed"},
	{"芯片", "芯片", "=E8=8A=AF=E7=89=87"},
	{"a=b", "a=3Db", "a=3Db"},
	{"\xff\n", "=FF=0A", "=FF=0A"},
	{".", "_", "=2E"},
}

func TestTokenAndKey(t *testing.T) {
	for _, c := range nameTests {
		if got := Token(c.in); got != c.token {
			t.Errorf("Token(%q): got %q, want %q", c.in, got, c.token)
		}
		if got := Key(c.in); got != c.key {
			t.Errorf("Key(%q): got %q, want %q", c.in, got, c.key)
		}
	}
}

var validKey = regexp.MustCompile(`^[-/_=a-zA-Z0-9]{1,120}$`)

func FuzzNames(f *testing.F) {
	for _, c := range nameTests {
		f.Add(c.in, c.token)
	}
	f.Add(strings.Repeat("芯", 200), strings.Repeat("x", 121))
	f.Fuzz(func(t *testing.T, a, b string) {
		if key := Key(a); !validKey.MatchString(key) {
			t.Errorf("Key(%q) = %q is not valid", a, key)
		}
		token := Token(a)
		if token == "" || len(token) > maxName || strings.ContainsAny(token, ".*> \t\r\n\x00") || !utf8.ValidString(token) {
			t.Errorf("Token(%q) = %q is not one token", a, token)
		}
		if a != b && (token == Token(b) || Key(a) == Key(b)) {
			t.Errorf("%q and %q share a name", a, b)
		}
	})
}

func TestHeaderText(t *testing.T) {
	long := headerText(strings.Repeat("芯", 1000))
	if len(long) > 1024 || !utf8.ValidString(long) || !strings.HasSuffix(long, "…") {
		t.Errorf("got %d bytes ending in %q", len(long), long[len(long)-6:])
	}
	if got, want := headerText(" a\r\nInjected: b\xff\x00c "), "a Injected: b� c"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		code            int
		api             jetstream.ErrorCode
		full, permanent bool
	}{
		{503, codeStoreFailed, true, false},
		{500, codeStorageExceeded, true, false},
		{400, jetstream.JSErrCodeStreamMessageExceedsMaximum, false, true},
		{400, 10060, false, true},  // not the expected stream
		{409, 10158, false, false}, // the same ID is just being stored
		{503, 10008, false, false}, // no leader
	} {
		t.Run(fmt.Sprint(c.api), func(t *testing.T) {
			err := classify(Pages, &jetstream.APIError{Code: c.code, ErrorCode: c.api})
			if errors.Is(err, ErrFull) != c.full || IsPermanent(err) != c.permanent {
				t.Errorf("got %v: full %t, permanent %t", err, errors.Is(err, ErrFull), IsPermanent(err))
			}
		})
	}
}

func TestRetryDelayGrowsToItsLimit(t *testing.T) {
	w := &worker{config: ConsumerConfig{RetryDelay: time.Second, MaxRetryDelay: 10 * time.Second}}
	for attempt, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 5: 10 * time.Second, 1000: 10 * time.Second} {
		for range 100 {
			if got := w.delay(attempt); got < want/2 || got > want*3/2 {
				t.Fatalf("attempt %d: got %s, want about %s", attempt, got, want)
			}
		}
	}
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add([]byte(`{"subject":"xinwen.pages.a","id":"1","header":{"A":["b"]}}` + "\ndata"))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, v []byte) {
		m, err := decodeMessage(v)
		if err != nil {
			return
		}
		again, err := encodeMessage(m)
		if err != nil {
			t.Fatal(err)
		}
		m2, err := decodeMessage(again)
		if err != nil || m2.Subject != m.Subject || m2.ID != m.ID || string(m2.Data) != string(m.Data) {
			t.Errorf("got %+v, %v, want %+v", m2, err, m)
		}
	})
}
