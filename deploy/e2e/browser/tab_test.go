package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for what a page should do.
const patience = 30 * time.Second

// reader is how somebody looks at the pages.
type reader struct {
	lang     string // of the browser
	dark     bool
	noScript bool
}

// tab is a tab of the browser, which watches what a page must not do.
type tab struct {
	t   *testing.T
	d   *desk
	ctx context.Context

	mu     sync.Mutex
	faults []string
	bytes  float64 // on the wire
}

func (d *desk) tab(t *testing.T, r reader) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(d.browser, chromedp.WithNewBrowserContext())
	ctx, cancelTime := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(func() { cancelTime(); cancel() })
	b := &tab{t: t, d: d, ctx: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	theme := "light"
	if r.dark {
		theme = "dark"
	}
	send(b, network.Enable, network.EnableParams{})
	send(b, log.Enable, cdp.Empty{})
	send(b, runtime.Enable, cdp.Empty{})
	send(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	send(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": r.lang}})
	send(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	send(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: r.noScript})
	b.resize(wide)
	t.Cleanup(func() {
		for _, f := range b.seen() {
			t.Error(f)
		}
	})
	return b
}

// send sends a command to a tab.
func send[P, R any](b *tab, command cdp.Command[P, R], params P) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	}))
}

// do does actions, or fails the test.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// listen notes requests to elsewhere, violations of the policy, errors of
// scripts, and how much is loaded.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fault := func(format string, args ...any) { b.faults = append(b.faults, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Scheme != "data" && u.Scheme != "about" && "http://"+u.Host != b.d.base {
			fault("a request leaves the host: %s", e.Request.URL)
		}
	case *network.EventLoadingFinished:
		b.bytes += e.EncodedDataLength
	case *log.EventEntryAdded:
		// Pages that say what is wrong with a request have such a status.
		expected := strings.Contains(e.Entry.Text, "status of 400") || strings.Contains(e.Entry.Text, "status of 404")
		if e.Entry.Level == log.EntryLevelError && !expected {
			fault("the browser logs: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		what := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			what += " " + x.Description
		}
		fault("a script fails: %s %s", what, e.ExceptionDetails.URL)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError && len(e.Args) > 0 {
			fault("a script complains: %s", e.Args[0].Value)
		}
	}
}

func (b *tab) seen() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.faults)
}

// loaded returns how many bytes came over the wire.
func (b *tab) loaded() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

func (b *tab) resize(width int) {
	b.t.Helper()
	send(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: int64(width), Height: 900, DeviceScaleFactor: 1, Mobile: width == narrow})
}

// visit loads a page of the desk.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.d.base + path))
}

// evaluate returns what an expression of the page is, decoded from JSON; if it is
// a promise, what becomes of that. A page that is being left may never answer.
func evaluate[T any](b *tab, expression string, options ...chromedp.EvaluateOption) (T, error) {
	var v T
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if len(options) == 0 {
		ctx, cancel = context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression, options...))
	if err == nil {
		err = json.Unmarshal([]byte(text), &v)
	}
	return v, err
}

// value returns what an expression of the page is.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := evaluate[T](b, "JSON.stringify(("+expression+") ?? null)")
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression of the page to become true.
func (b *tab) until(what, expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := evaluate[bool](b, "String(!!("+expression+"))")
		if err == nil && ok {
			return
		}
		select {
		case <-tick.C: // a page that is being left cannot answer
		case <-ctx.Done():
			text, _ := evaluate[string](b, `JSON.stringify(location.href + "\n" + document.body.innerText.slice(0, 1500))`) // for the message
			b.t.Fatalf("want %s; the page is %s (%v)", what, text, err)
		}
	}
}

// follow does what leads to another page, and waits for it.
func (b *tab) follow(act func()) {
	b.t.Helper()
	value[bool](b, `window.before = true`)
	act()
	b.until("another page", `!window.before && document.readyState === "complete"`)
}

// element is the expression of the first element that a CSS selector finds and
// that has a text.
func element(css, text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].find(e => e.textContent.includes(%q))`, css, text)
}

type point struct{ X, Y float64 }

// click clicks an element in its middle, as a hand does, when it stands still.
func (b *tab) click(css, text string) {
	b.t.Helper()
	b.until("something to click: "+css+" "+text, element(css, text))
	where := func() point {
		return value[point](b, `(e => { e.scrollIntoView({block: "center"}); const r = e.getClientRects()[0]; return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })(`+element(css, text)+`)`)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	at := where()
	for range 40 {
		<-tick.C
		next := where()
		if next == at {
			break
		}
		at = next
	}
	b.do(chromedp.MouseClickXY(at.X, at.Y))
}

// focus puts the focus on an element.
func (b *tab) focus(css string) {
	b.t.Helper()
	b.until("something to focus: "+css, element(css, ""))
	value[bool](b, `(`+element(css, "")+`.focus(), true)`)
}

// press presses keys, where the focus is.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.do(chromedp.KeyEvent(k))
	}
}

// write puts in text, where the focus is; Chinese comes from no key.
func (b *tab) write(text string) {
	b.t.Helper()
	send(b, input.InsertText, input.InsertTextParams{Text: text})
}

// picture writes what the tab shows, if pictures are wanted.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("XINWEN_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
