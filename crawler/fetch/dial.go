package fetch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"xinwen/news/guard"
)

// dialer connects to hosts, over the overrides of --resolve, and to public
// addresses only.
type dialer struct {
	resolve resolver
	guarded net.Dialer
	open    net.Dialer
}

func newDialer(resolve resolver, allowPrivate bool, timeout time.Duration) *dialer {
	d := &dialer{
		resolve: resolve,
		guarded: net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second},
		open:    net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second},
	}
	if !allowPrivate {
		d.guarded.Control = guard.Control
	}
	return d
}

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if to, ok := d.resolve.lookup(address); ok {
		return d.open.DialContext(ctx, network, to)
	}
	return d.guarded.DialContext(ctx, network, address)
}

// resolver maps "host:port", "host:*" and "*" to addresses.
type resolver map[string]string

// parseResolve reads overrides of name resolution. Each is "HOST:PORT=ADDR",
// "HOST=ADDR" (any port) or "*=ADDR" (any host), where ADDR is an IP address with
// or without a port, or as curl writes it, "HOST:PORT:ADDR".
func parseResolve(entries []string) (resolver, error) {
	r := make(resolver, len(entries))
	for _, entry := range entries {
		name, to, ok := strings.Cut(entry, "=")
		if !ok {
			name, to, ok = curlResolve(entry)
		}
		if !ok || name == "" {
			return nil, fmt.Errorf("resolve %q: want HOST:PORT=ADDRESS, HOST=ADDRESS or *=ADDRESS", entry)
		}
		if _, err := netip.ParseAddrPort(to); err != nil {
			addr, err := netip.ParseAddr(strings.Trim(to, "[]"))
			if err != nil {
				return nil, fmt.Errorf("resolve %q: %q is not an IP address with or without a port", entry, to)
			}
			to = addr.String() // keeps the port that is asked for
		}
		name = strings.ToLower(name)
		if name != "*" && !strings.Contains(name, ":") {
			name += ":*"
		}
		r[name] = to
	}
	return r, nil
}

func curlResolve(entry string) (name, to string, ok bool) {
	entry = strings.TrimPrefix(entry, "+")
	host, rest, ok := strings.Cut(entry, ":")
	if !ok {
		return "", "", false
	}
	port, to, ok := strings.Cut(rest, ":")
	to, _, _ = strings.Cut(to, ",") // the first of several addresses
	if host == "*" {
		return "*", to, ok
	}
	return host + ":" + port, to, ok
}

// lookup returns where to connect for address, a "host:port".
func (r resolver) lookup(address string) (string, bool) {
	if len(r) == 0 {
		return "", false
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", false
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	to, ok := r[host+":"+port]
	if !ok {
		to, ok = r[host+":*"]
	}
	if !ok {
		to, ok = r["*"]
	}
	if !ok {
		return "", false
	}
	if _, err := netip.ParseAddrPort(to); err != nil {
		to = net.JoinHostPort(to, port)
	}
	return to, true
}

// ipFor is how long an address is believed to stay.
const ipFor = 5 * time.Minute

// maxIPs bounds the addresses that are remembered.
const maxIPs = 10_000

// addresses remembers where hosts are.
type addresses struct {
	mu  sync.Mutex
	all map[string]knownIP
}

type knownIP struct {
	ip    string
	until time.Time
}

// Address returns the IP address that requests for u go to, "" if it is not
// known, or stands for many servers: a proxy, or the "*" of resolve.
func (c *Client) Address(ctx context.Context, u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if to, ok := c.resolve.lookup(net.JoinHostPort(host, port)); ok {
		name := strings.ToLower(strings.TrimSuffix(host, "."))
		if c.resolve[name+":"+port] == "" && c.resolve[name+":*"] == "" {
			return "" // of "*"
		}
		ip, _, err := net.SplitHostPort(to)
		if err != nil {
			return ""
		}
		return ip
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	now := time.Now()
	c.addresses.mu.Lock()
	known, ok := c.addresses.all[host]
	c.addresses.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.ip
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.HeaderTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(ips) == 0 {
		return "" // the request itself will tell why
	}
	ip := ips[0].Unmap().String()
	c.addresses.mu.Lock()
	defer c.addresses.mu.Unlock()
	if len(c.addresses.all) >= maxIPs {
		clear(c.addresses.all)
	}
	c.addresses.all[host] = knownIP{ip, now.Add(ipFor)}
	return ip
}
