// Package guard keeps connections that strangers may choose the address of
// (pages to crawl, sources to add, webhooks) out of private networks.
//
// Control is for net.Dialer: it sees the address that is really dialled, after
// the name was resolved, so that a name cannot point elsewhere between a check
// and its use. A client that goes through a proxy is not guarded: the proxy
// dials.
package guard

import (
	"fmt"
	"net/netip"
	"syscall"
)

// Error says that an address must not be connected to.
type Error struct{ Addr netip.Addr }

// Error returns a sentence without its end.
func (e *Error) Error() string { return fmt.Sprintf("%s is not a public address", e.Addr) }

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

// Public reports whether a belongs to the public internet. IPv6 forms that carry
// an IPv4 address are judged by that.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.IsUnspecified() || a.IsLoopback() || a.IsPrivate() || a.IsMulticast() ||
		a.IsLinkLocalUnicast() || a.IsInterfaceLocalMulticast() || !a.IsGlobalUnicast() {
		return false
	}
	if a.Is6() {
		b := a.As16()
		switch {
		case nat64.Contains(a):
			return Public(netip.AddrFrom4([4]byte(b[12:16])))
		case sixTo4.Contains(a):
			return Public(netip.AddrFrom4([4]byte(b[2:6])))
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

// Control refuses a connection to an address that is not public, with an *Error.
func Control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	if !Public(ap.Addr()) {
		return &Error{ap.Addr()}
	}
	return nil
}
