package bus_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"xinwen/news"
	"xinwen/news/bus"
)

// A crawler publishes a page; an extractor consumes it.
func Example() {
	dir, err := os.MkdirTemp("", "xinwen-bus")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: dir}, Name: "example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	page := &news.Page{ID: "1", URL: "https://chips.example/1", Source: "chips", Status: 200, Body: []byte("<p>芯片</p>")}
	if err := b.PublishPage(ctx, page); err != nil {
		fmt.Println(err)
		return
	}

	extractor := bus.ConsumerConfig{Stream: bus.Pages, Name: "extractor", Workers: 2}
	err = b.Consume(ctx, extractor, func(ctx context.Context, m *bus.Message) error {
		p, err := b.Page(ctx, m)
		if err != nil {
			return err // retried, or quarantined if bus.Permanent says so
		}
		fmt.Println(m.Subject, p.URL, string(p.Body))
		cancel()
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: xinwen.pages.chips https://chips.example/1 <p>芯片</p>
}
