package fetch

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// rawServer answers every request on a connection with what answer returns for its
// path, as it is.
func rawServer(t *testing.T, answer func(path string) string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				in := bufio.NewReader(conn)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if _, err := conn.Write([]byte(answer(r.URL.Path))); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// TestAnswerNobodyAskedForIsNeverTaken sends an answer and at once another one,
// with the next request right behind on the same client.
func TestAnswerNobodyAskedForIsNeverTaken(t *testing.T) {
	var n atomic.Int64
	proper := func(body string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	addr := rawServer(t, func(path string) string {
		n.Add(1)
		if strings.HasPrefix(path, "/empty") { // no body to wait for
			return "HTTP/1.1 304 Not Modified\r\n\r\n" + proper("smuggled")
		}
		return proper("body of "+path) + proper("smuggled") + proper("smuggled again")
	})
	c, err := New(Config{Resolve: []string{"*=" + addr}, HeaderTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for i := range 300 {
		path := fmt.Sprintf("/%d", i)
		if i%3 == 2 {
			path = fmt.Sprintf("/empty%d", i)
		}
		resp, err := c.Get(ctx, Request{URL: "http://a.example" + path})
		if err != nil {
			continue // a connection that is given up costs a request
		}
		if body := string(resp.Body); body != "" && body != "body of "+path || resp.Status == http.StatusOK && body == "" {
			t.Fatalf("%s: got %q, an answer that nobody asked for", path, body)
		}
	}
	if n.Load() < 100 {
		t.Errorf("only %d requests reached the server", n.Load())
	}
}
