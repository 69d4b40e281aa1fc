package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"xinwen/deploy/simweb"
)

// served is a web in a process of its own, so that its work is not counted as the
// crawler's.
type served struct {
	cmd  *exec.Cmd
	in   io.Closer
	addr string
}

// serve starts the web: "portal", or the volume sites of "simweb".
func serve(ctx context.Context, which string) (*served, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &served{cmd: exec.CommandContext(ctx, self, "web", which)}
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.addr = strings.TrimSpace(line)
	return s, nil
}

func (s *served) stop() error {
	s.in.Close() // that ends it
	return s.cmd.Wait()
}

// Every host of the web has a feed with perHost entries and their pages.
const (
	perHost   = 40
	pageBytes = 67 << 10
)

// web answers until its input ends: for any host a feed at /feed, not modified for
// who has seen it, and pages of 67 KB with 250 links, compressed.
func web(ctx context.Context) error {
	if len(os.Args) > 2 && os.Args[2] == "simweb" {
		w, err := simweb.New(simweb.Options{NoDemo: true, Volume: simwebSites, VolumePages: perHost})
		if err != nil {
			return err
		}
		if err := w.Start(ctx); err != nil {
			return err
		}
		fmt.Println(w.Addr())
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is what counts
		return w.Close()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is what counts
		l.Close()
	}()
	pages := make([][]byte, 16)
	for i := range pages {
		pages[i] = gzipped(portalPage(uint64(i)))
	}
	err = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/feed":
			w.Header().Set("ETag", `"same"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("Content-Type", "application/rss+xml")
			_, _ = io.WriteString(w, rss(r.Host)) // a client that left is its own affair
		case strings.HasPrefix(r.URL.Path, "/p/"):
			n, err := strconv.Atoi(strings.TrimSuffix(r.URL.Path[3:], ".html"))
			if err != nil {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(pages[n%len(pages)]) // a client that left is its own affair
			// Each page is one of its own, by a second member of its gzip.
			_, _ = w.Write(gzipped([]byte("<p>" + r.Host + r.URL.Path)))
		default:
			http.NotFound(w, r)
		}
	}))
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func rss(host string) string {
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel><title>Bench</title>`)
	for i := range perHost {
		fmt.Fprintf(&b, "<item><title>Entry %d</title><link>http://%s/p/%d.html</link></item>", i, host, i)
	}
	return b.String() + "</channel></rss>"
}

// portalPage makes a page like a portal's article: 67 KB, 250 links in lists that
// take more markup than text, and a body of paragraphs.
func portalPage(seed uint64) []byte {
	rnd := rand.New(rand.NewPCG(seed, 7))
	words := strings.Fields("wafer fab node yield 晶圆 先进封装 memory controller 产能 price contract demand lithography 光刻 substrate shipment 订单 capacity 存储 quarter supplier 报价 design equipment 设备 revenue")
	text := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(words[rnd.IntN(len(words))])
			b.WriteByte(' ')
		}
		return b.String()
	}
	var b bytes.Buffer
	b.WriteString("<!DOCTYPE html><html><head><meta charset=utf-8><title>Bench page</title></head><body>")
	for i := range 10 {
		fmt.Fprintf(&b, "<div class=\"box box-%d\"><h3><span>%s</span></h3><ul class=\"list\">", i, text(3))
		for j := range 25 {
			fmt.Fprintf(&b, "<li class=\"item\"><i class=\"dot\"></i><a href=\"/2025/11/%d/%d.html\" title=\"%s\"><span>%s</span></a><em>11-%02d</em></li>\n", i+1, rnd.IntN(1e6), text(2), text(3), j+1)
		}
		b.WriteString("</ul></div>")
	}
	b.WriteString("<div id=main>")
	for b.Len() < pageBytes {
		fmt.Fprintf(&b, "<p><span>%s</span><b>%s</b>%s<br></p>\n", text(20), text(2), text(15))
	}
	b.WriteString("</div></body></html>")
	return b.Bytes()
}

func gzipped(b []byte) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, _ = z.Write(b) // into memory
	_ = z.Close()
	return buf.Bytes()
}

// processor returns the processor time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
