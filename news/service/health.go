package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"xinwen/news/bus"
)

// Handler answers /metrics, /healthz (the process lives) and /readyz (ready
// returns nil; else 503 with its error).
func Handler(metrics prometheus.Gatherer, ready func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		if err := ready(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return mux
}

// Server answers requests until Close.
type Server struct {
	http http.Server
	addr string
	done chan error
}

// Listen serves h at address.
func Listen(ctx context.Context, address string, h http.Handler) (*Server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w; choose another address with -metrics", err)
	}
	s := &Server{
		http: http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute},
		addr: l.Addr().String(), done: make(chan error, 1),
	}
	go func() { s.done <- s.http.Serve(l) }()
	return s, nil
}

// Addr returns the address it listens on.
func (s *Server) Addr() string { return s.addr }

// Close ends it at once: nothing is lost with a scrape.
func (s *Server) Close() error {
	err := s.http.Close()
	if serr := <-s.done; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// RegisterBus registers what a bus tells without asking its server: its disk,
// its outbox, its connection.
func RegisterBus(r prometheus.Registerer, b *bus.Bus) {
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	flag := func(v bool) float64 {
		if v {
			return 1
		}
		return 0
	}
	gauge("xinwen_bus_connected", "1 while connected to the NATS server.", func() float64 { return flag(b.Conn().IsConnected()) })
	gauge("xinwen_bus_outbox_messages", "Messages that wait on the local disk for the NATS server.", func() float64 { return float64(b.Outbox().Messages) })
	gauge("xinwen_bus_outbox_bytes", "Bytes of the messages that wait on the local disk.", func() float64 { return float64(b.Outbox().Bytes) })
	if b.Disk().Required == 0 {
		return // the disk is the NATS server's own matter
	}
	gauge("xinwen_bus_disk_free_bytes", "Free bytes on the disk that the bus writes to.", func() float64 { return float64(b.Disk().Free) })
	gauge("xinwen_bus_disk_required_bytes", "Free bytes below which crawling pauses.", func() float64 { return float64(b.Disk().Required) })
	gauge("xinwen_bus_disk_low", "1 while crawling pauses for lack of disk.", func() float64 { return flag(b.Disk().Low) })
}
