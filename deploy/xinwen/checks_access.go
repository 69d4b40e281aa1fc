package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"time"

	"xinwen/api"
	"xinwen/api/auth"
)

// beyond reports whether other machines reach an address to listen on.
func beyond(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || host == "localhost" {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || !ip.Unmap().IsLoopback()
}

// checkAccess looks at who may do what in the api. keys are those in the streams,
// known says that these were seen.
func checkAccess(c api.Config, keys []auth.Key, known bool, now time.Time) error {
	fixed, err := c.Auth.HasAdmin()
	if err != nil {
		return err
	}
	active, admin := fixed, fixed
	for i := range keys {
		if keys[i].Active(now) {
			active = true
			admin = admin || keys[i].Role == auth.Admin
		}
	}
	login := c.Auth.OIDC.Issuer != ""
	switch {
	case len(keys) > 0 && !admin && !login:
		return hint(errors.New("no key with the role admin is good any more: nobody can make keys, rules or sources over the api"), "xinwen keys create NAME --role admin")
	case !beyond(orDefault(c.Listen)) || active || login:
		return nil
	case c.Auth.Open:
		return hint(fmt.Errorf("everybody who reaches %s may do everything", c.Listen), "make a key (xinwen keys create NAME --role admin) and take out open, or put a proxy with a login before it")
	case known:
		return hint(fmt.Errorf("other machines can reach %s, and there is no key: the api refuses to start", c.Listen), "xinwen keys create NAME --role admin, or set XINWEN_ADMIN_KEY, or listen on 127.0.0.1")
	}
	return nil
}

// expiresSoon is how long before its end a key is told of.
const expiresSoon = 7 * 24 * time.Hour

// checkKeys looks at what will be in the way soon.
func checkKeys(c api.Config, keys []auth.Key, now time.Time) error {
	var errs []error
	for i := range keys {
		k := &keys[i]
		if left := k.Expires.Sub(now); k.Active(now) && !k.Expires.IsZero() && left < expiresSoon {
			errs = append(errs, hint(fmt.Errorf("the key %s of %s expires in %s", k.ID, k.Name, left.Round(time.Hour)), "make another one, and revoke this one when that is in use: xinwen keys create"))
		}
	}
	if beyond(orDefault(c.Listen)) && c.TLS.Cert == "" && len(c.Auth.TrustedProxies) == 0 {
		errs = append(errs, hint(fmt.Errorf("keys travel to %s as they are", c.Listen), "set api.tls, or put a proxy that speaks https before it and name that in api.auth.trusted_proxies"))
	}
	return errors.Join(errs...)
}

// checkPrivate reports a file or directory that other users of the machine can
// read. What is not there is not looked at.
func checkPrivate(path string) error {
	if path == "" || runtime.GOOS == "windows" {
		return nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	open, mend := info.Mode().Perm()&0o044, "600"
	if info.IsDir() {
		open, mend = info.Mode().Perm()&0o005, "700"
	}
	if open != 0 {
		return hint(fmt.Errorf("other users of this machine can read %s (mode %s)", path, strings.TrimPrefix(info.Mode().Perm().String(), "-")), "chmod "+mend+" "+path)
	}
	return nil
}
