package bus_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"xinwen/news"
	"xinwen/news/bus"
)

// markup returns about n bytes that compress like a news page.
func markup(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"芯片", "存储", "价格", "上涨", "台积电", "宣布", "扩产", "先进", "封装", "的", "在", "和", "季度", "营收", "晶圆"}
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(`<div class="article-body"><p>`)
		for range 40 {
			b.WriteString(words[r.IntN(len(words))])
		}
		b.WriteString("。</p></div>\n")
	}
	return b.Bytes()
}

func embeddedBus(b *testing.B) *bus.Bus {
	return open(b, bus.Options{Config: bus.Config{Dir: b.TempDir()}})
}

// fill publishes n messages, 256 in flight.
func fill(b *testing.B, s *bus.Bus, n int, data []byte) {
	for i := range n {
		if _, err := s.JetStream().PublishAsync("xinwen.articles.bench", data); err != nil {
			b.Fatal(err)
		}
		if i%256 == 255 {
			<-s.JetStream().PublishAsyncComplete()
		}
	}
	<-s.JetStream().PublishAsyncComplete()
}

// One publisher, each message on the disk before the next.
func BenchmarkPublish20KB(b *testing.B) {
	s := embeddedBus(b)
	data := markup(20 << 10)
	ctx := context.Background()
	for b.Loop() {
		if err := s.Publish(ctx, &bus.Message{Subject: "xinwen.articles.bench", Data: data}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// A 67 KB page from PublishPage through a consumer to Page.
func BenchmarkPageRoundTrip(b *testing.B) {
	s := embeddedBus(b)
	page := &news.Page{ID: "bench", URL: "https://chips.example/", Source: "bench", Status: 200, Body: markup(67 << 10)}
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan error)
	done := make(chan error, 1)
	go func() {
		done <- s.Consume(ctx, bus.ConsumerConfig{Stream: bus.Pages, Name: "bench"}, func(ctx context.Context, m *bus.Message) error {
			_, err := s.Page(ctx, m)
			got <- err
			return nil
		})
	}()
	n := byte(0)
	for b.Loop() {
		n++
		page.Body[0], page.Body[1], page.Status = n, byte(b.N), page.Status+1 // a new page each time
		if err := s.PublishPage(ctx, page); err != nil {
			b.Fatal(err)
		}
		if err := <-got; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// What a rebuild reads: 20 KB messages in batches.
func BenchmarkRead20KB(b *testing.B) {
	s := embeddedBus(b)
	data := markup(20 << 10)
	const n = 2000
	fill(b, s, n, data)
	began := time.Now()
	for b.Loop() {
		ctx, cancel := context.WithCancel(context.Background())
		err := s.Read(ctx, bus.ReadConfig{Stream: bus.Articles, MaxMessages: 400}, func(_ context.Context, ms []*bus.Message) error {
			if ms[len(ms)-1].Seq == n {
				cancel()
			}
			return nil
		})
		cancel()
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*n/time.Since(began).Seconds(), "msg/s")
}

// A backlog of 1 KB messages through two workers that do nothing.
func BenchmarkConsume1KB(b *testing.B) {
	s := embeddedBus(b)
	data := markup(1 << 10)
	fill(b, s, b.N, data)
	b.ResetTimer()
	ctx, cancel := context.WithCancel(context.Background())
	var n atomic.Int64
	err := s.Consume(ctx, bus.ConsumerConfig{Stream: bus.Articles, Name: "bench", Workers: 2}, func(context.Context, *bus.Message) error {
		if n.Add(1) == int64(b.N) {
			cancel()
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}
