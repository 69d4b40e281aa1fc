package simweb

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Smuggled is a word of answers that nobody asked for: it must never show up in a
// page.
const Smuggled = "smuggled-answer"

// rawFaults are answers that are no proper HTTP, or that two readers of HTTP
// understand differently. What they say instead of the page names Smuggled.
var rawFaults = []Fault{
	{Name: "raw-chunked-and-length", At: AtPage, Recovers: true, serve: raw(func(page string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(page)
	})},
	{Name: "raw-two-lengths", At: AtPage, serve: raw(func(page string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\nContent-Length: 7\r\n\r\n%s", len(page), page)
	})},
	{Name: "raw-same-lengths", At: AtPage, Recovers: true, serve: raw(func(page string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\nContent-Length: %[1]d\r\n\r\n%s", len(page), page)
	})},
	{Name: "raw-length-sign", At: AtPage, serve: raw(func(page string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: +%d\r\n\r\n%s", len(page), page)
	})},
	{Name: "raw-two-codings", At: AtPage, serve: raw(func(page string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunked(page)
	})},
	{Name: "raw-bare-cr", At: AtPage, serve: raw(func(page string) string {
		return "HTTP/1.1 200 OK\rContent-Type: text/html\rContent-Length: 5\r\r" + page
	})},
	{Name: "raw-space-colon", At: AtPage, serve: raw(func(page string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding : chunked\r\n\r\n" + chunked(page)
	})},
	{Name: "raw-folded", At: AtPage, Recovers: true, serve: raw(func(page string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Long: one\r\n two\r\nContent-Type: text/html;\r\n\tcharset=utf-8\r\nContent-Length: %d\r\n\r\n%s", len(page), page)
	})},
	{Name: "raw-chunk-extensions", At: AtPage, Recovers: true, serve: raw(func(page string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n%x;name=\"a;b\";x\r\n%s\r\n0;last\r\n\r\n", len(page), page)
	})},
	{Name: "raw-chunk-flood", At: AtPage, serve: raw(func(page string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\n.\r\n", 1000) + chunked(page)
	})},
	{Name: "raw-chunk-overflow", At: AtPage, serve: raw(func(page string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + page
	})},
	{Name: "raw-chunk-long", At: AtPage, serve: raw(func(page string) string { // a longer one than it says
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + page + "\r\n0\r\n\r\n"
	})},
	{Name: "raw-hints-flood", At: AtPage, serve: raw(func(page string) string {
		return strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload; as=style\r\n\r\n", 20_000) + proper(page)
	})},
	{Name: "raw-hints", At: AtPage, Recovers: true, serve: raw(func(page string) string {
		return "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n" + proper(page)
	})},
	{Name: "raw-trailers", At: AtPage, Recovers: true, serve: raw(func(page string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n" +
			fmt.Sprintf("%x\r\n%s\r\n0\r\nX-Sum: 1\r\nX-Status: 500\r\n\r\n", len(page), page)
	})},
	{Name: "raw-trailer-flood", At: AtPage, serve: raw(func(page string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n" +
			fmt.Sprintf("%x\r\n%s\r\n0\r\n%s\r\n", len(page), page, strings.Repeat("X-Trailer: "+strings.Repeat("x", 1000)+"\r\n", 2000))
	})},
	{Name: "raw-huge-header", At: AtPage, serve: raw(func(page string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Huge: " + strings.Repeat("x", 1<<20) + "\r\n\r\n" + page
	})},
	{Name: "raw-many-headers", At: AtPage, serve: raw(func(page string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + strings.Repeat("X: y\r\n", 200_000) + "\r\n" + page
	})},
	{Name: "raw-status-line", At: AtPage, serve: raw(func(page string) string { return "HTTP/9 banana\r\n\r\n" + page })},
	{Name: "raw-no-status-line", At: AtPage, serve: raw(func(page string) string { return page })},
	{Name: "raw-endless-line", At: AtPage, serve: raw(func(string) string { return "HTTP/1.1 200 " + strings.Repeat("OK ", 1<<19) })},
	// The feed is answered, and then something that nobody asked for: it must not
	// be taken for the page, which is asked for next.
	{Name: "raw-second-answer", At: AtFeed, Recovers: true, serve: rawFeed(func(feed string) string {
		return proper(feed) + proper(smuggledPage)
	})},
	{Name: "raw-second-after-length", At: AtFeed, Recovers: true, serve: rawFeed(func(feed string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n%s%s",
			len(chunked(feed))+len(proper(smuggledPage)), chunked(feed), proper(smuggledPage))
	})},
}

const smuggledPage = "<!DOCTYPE html><title>" + Smuggled + "</title><p>" + Smuggled + ": nobody asked for this.</p>"

func chunked(body string) string {
	half := len(body) / 2
	return fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", half, body[:half], len(body)-half, body[half:])
}

func proper(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// afterRaw is how long a connection stays open after a raw answer: long enough
// for the client to ask for more on it.
const afterRaw = 500 * time.Millisecond

// raw writes what answer makes of the page of the fault straight to the
// connection.
func raw(answer func(page string) string) func(http.ResponseWriter, *http.Request, int, <-chan struct{}) {
	return func(w http.ResponseWriter, r *http.Request, _ int, quit <-chan struct{}) {
		name, _, _ := strings.Cut(r.Host, "-fault.")
		writeRaw(w, answer(faultPage(name)), quit)
	}
}

func rawFeed(answer func(feed string) string) func(http.ResponseWriter, *http.Request, int, <-chan struct{}) {
	return func(w http.ResponseWriter, r *http.Request, _ int, quit <-chan struct{}) {
		name, _, _ := strings.Cut(r.Host, "-fault.")
		writeRaw(w, answer(faultFeed(name, "http://"+r.Host+faultPagePath)), quit)
	}
}

func writeRaw(w http.ResponseWriter, answer string, quit <-chan struct{}) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // of HTTP/2, which we do not serve
	}
	defer conn.Close()
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-quit:
			_ = conn.Close() // the read below ends
		case <-done:
		}
	}()
	_ = conn.SetDeadline(time.Now().Add(hangTime))
	if _, err := io.WriteString(conn, answer); err != nil {
		return // the client has had enough
	}
	// Whatever is asked for next gets no answer from here.
	_ = conn.SetReadDeadline(time.Now().Add(afterRaw))
	_, _ = bufio.NewReader(conn).WriteTo(io.Discard) // until the client or the time ends it
}
