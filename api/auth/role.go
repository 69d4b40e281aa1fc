package auth

import (
	"context"
	"fmt"
)

// Role is what somebody may do. Each role includes those before it.
type Role int

// Roles.
const (
	// Nobody has shown neither key nor session.
	Nobody Role = iota
	// Feeds may read feeds and the live stream, and nothing else: the role of
	// keys that stand in addresses, which end up in many logs.
	Feeds
	// Read may search and read all there is.
	Read
	// Alerts may also make rules of alerts and see to their deliveries.
	Alerts
	// Admin may do everything.
	Admin
)

var roleNames = [...]string{Nobody: "nobody", Feeds: "feeds", Read: "read", Alerts: "alerts", Admin: "admin"}

// Roles are those that a key can have, the least first.
var Roles = []Role{Feeds, Read, Alerts, Admin}

// String returns the name of r.
func (r Role) String() string {
	if r < 0 || int(r) >= len(roleNames) {
		return fmt.Sprintf("Role(%d)", int(r))
	}
	return roleNames[r]
}

// Highest reports whether no role may do more.
func (r Role) Highest() bool { return r == Admin }

// ParseRole returns the role of a name that a key can have.
func ParseRole(name string) (Role, error) {
	for _, r := range Roles {
		if r.String() == name {
			return r, nil
		}
	}
	return Nobody, fmt.Errorf("%q is not a role; there are feeds, read, alerts and admin", name)
}

// MarshalText writes the name of r.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name of a role that a key can have.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRole(string(text))
	return err
}

// Viewer is who asks.
type Viewer struct {
	// Name is the name of a key or of a person; empty where none is asked for.
	Name string
	Role Role
	// Key is the ID of the key that was shown, now or at login; empty without one.
	Key string
	// Session says that a browser has logged in, and can log out.
	Session bool
}

// MayRead reports whether v may search and read.
func (v Viewer) MayRead() bool { return v.Role >= Read }

// MayAlert reports whether v may change rules and replay deliveries.
func (v Viewer) MayAlert() bool { return v.Role >= Alerts }

// MayAdmin reports whether v may do everything.
func (v Viewer) MayAdmin() bool { return v.Role >= Admin }

type viewerKey struct{}

// WithViewer returns a context of a request by v.
func WithViewer(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// ViewerOf returns who asks, somebody with the role Nobody if that is not known.
func ViewerOf(ctx context.Context) Viewer {
	v, _ := ctx.Value(viewerKey{}).(Viewer)
	return v
}
