// Command subscriber shows how a program of your own follows Xinwen over NATS: it
// prints the title of every article, or of every alert of a rule, from where it
// stopped the last time. It needs nothing of Xinwen but the names of two streams.
//
//	go run ./deploy/examples/subscriber -nats nats://127.0.0.1:4222
//	go run ./deploy/examples/subscriber -nats nats://127.0.0.1:4222 -stream ALERTS -subject xinwen.alerts.tsmc-prices
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	url := flag.String("nats", "nats://127.0.0.1:4222", "the NATS server")
	stream := flag.String("stream", "ARTICLES", "ARTICLES or ALERTS")
	subject := flag.String("subject", "xinwen.articles.>", "what to follow: xinwen.articles.SOURCE, xinwen.alerts.RULE, or all with >")
	name := flag.String("name", "example", "name of the subscription; the server remembers by it what was read")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := follow(ctx, os.Stdout, *url, *stream, *subject, *name); err != nil {
		log.Fatal(err)
	}
}

// item is what of an article or an alert is printed.
type item struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	URL       string    `json:"url"`
	Published time.Time `json:"published"`
}

// follow prints what comes on a subject until ctx is done.
func follow(ctx context.Context, w io.Writer, url, stream, subject, name string) error {
	nc, err := nats.Connect(url, nats.Name("example subscriber"), nats.MaxReconnects(-1))
	if err != nil {
		return fmt.Errorf("connect to %s: %w", url, err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	consumer, err := js.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{
		Durable: name, FilterSubject: subject,
		// From now on; DeliverAllPolicy begins with the first article there is.
		DeliverPolicy: jetstream.DeliverNewPolicy, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait:           10 * time.Second,   // what we had in hand when we ended comes again after that
		InactiveThreshold: 7 * 24 * time.Hour, // forgotten after a week away
	})
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, messages.Stop)
	for {
		m, err := messages.Next()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		var a item
		if err := json.Unmarshal(m.Data(), &a); err != nil {
			log.Printf("%s is no JSON: %v", m.Subject(), err)
			_ = m.Term() // it will not get better
			continue
		}
		// A second message with the same id is a newer revision of the article.
		if _, err := fmt.Fprintf(w, "%s  %s\n  %s\n", a.Published.Format(time.DateOnly), a.Title, a.URL); err != nil {
			return err
		}
		if err := m.Ack(); err != nil { // after it was used: what is not acked comes again
			return err
		}
	}
}
