package fetch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// addressError says that an address must not be connected to.
type addressError struct{ addr netip.Addr }

func (e *addressError) Error() string {
	return fmt.Sprintf("%s is not a public address", e.addr)
}

// special holds what netip does not call private but is not the public internet
// either.
var special = func() []netip.Prefix {
	var prefixes []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		prefixes = append(prefixes, netip.MustParsePrefix(s))
	}
	return prefixes
}()

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	nat64L = netip.MustParsePrefix("64:ff9b:1::/48")
	sixTo4 = netip.MustParsePrefix("2002::/16")
)

// public reports whether a belongs to the public internet. IPv6 forms that carry
// an IPv4 address are judged by that.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.IsUnspecified() || a.IsLoopback() || a.IsPrivate() || a.IsMulticast() ||
		a.IsLinkLocalUnicast() || a.IsInterfaceLocalMulticast() || !a.IsGlobalUnicast() {
		return false
	}
	if a.Is6() {
		b := a.As16()
		switch {
		case nat64.Contains(a):
			return public(netip.AddrFrom4([4]byte(b[12:16])))
		case sixTo4.Contains(a):
			return public(netip.AddrFrom4([4]byte(b[2:6])))
		case nat64L.Contains(a):
			return false
		case [12]byte(b[:12]) == [12]byte{}: // ::a.b.c.d, long out of use
			return false
		}
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

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
		// Control sees the address that is really dialled: a name that resolves
		// to something else the second time gains nothing.
		d.guarded.Control = func(_, address string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("dial %s: %w", address, err)
			}
			if !public(ap.Addr()) {
				return &addressError{ap.Addr()}
			}
			return nil
		}
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
