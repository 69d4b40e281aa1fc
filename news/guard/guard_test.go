package guard_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"xinwen/news/guard"
)

func TestPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "2400:3200::1": true, "2606:4700::1111": true, "127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "::1": false, "::": false,
		"fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "::ffff:127.0.0.1": false, "::ffff:8.8.8.8": true,
		"64:ff9b::7f00:1": false, "64:ff9b::808:808": true, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2002:808:808::1": true, "::127.0.0.1": false,
		"198.18.0.1": false, "192.0.2.1": false, "2001:db8::1": false, "ff02::1": false,
	} {
		if got := guard.Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %v, want %v", addr, got, want)
		}
	}
	if guard.Public(netip.Addr{}) {
		t.Error("got no address called public")
	}
}

func TestControlRefusesWhatIsDialled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var refused *guard.Error
	for _, host := range []string{"127.0.0.1", "localhost"} { // a name is judged by where it leads
		d := net.Dialer{Control: guard.Control}
		if _, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port)); !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want it refused", host, err)
		}
	}
}

func ExamplePublic() {
	fmt.Println(guard.Public(netip.MustParseAddr("8.8.8.8")), guard.Public(netip.MustParseAddr("169.254.169.254")))
	// Output: true false
}
