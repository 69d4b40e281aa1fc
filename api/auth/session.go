package auth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// maxSessions bounds the browsers that are logged in at one time.
const maxSessions = 10_000

// session is a browser that has logged in.
type session struct {
	// Key is the ID of the key it has shown; its role and its end are the key's.
	Key string `json:"key,omitempty"`
	// Name and Role are those that an identity provider gave.
	Name    string    `json:"name,omitempty"`
	Role    Role      `json:"role,omitempty"`
	Expires time.Time `json:"expires"`
}

// errSessions says that too many are logged in.
var errSessions = errors.New("too many browsers are logged in; wait until some have logged out")

// OpenSession opens a session for v and returns the secret of its cookie.
func (s *Store) OpenSession(ctx context.Context, v Viewer, lifetime time.Duration) (string, time.Time, error) {
	if err := s.prune(ctx); err != nil {
		return "", time.Time{}, err
	}
	o := &session{Key: v.Key, Expires: time.Now().UTC().Add(lifetime).Truncate(time.Second)}
	if v.Key == "" {
		o.Name, o.Role = v.Name, v.Role
	}
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	text := encoding.EncodeToString(secret)
	data, err := json.Marshal(o)
	if err != nil {
		return "", time.Time{}, err
	}
	id := sessionID(text)
	revision, err := s.kv.Create(ctx, sessionEntry+id, data)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("store the session: %w", err)
	}
	s.mu.Lock()
	s.sessions[id], s.revisions[sessionEntry+id] = o, revision
	s.mu.Unlock()
	return text, o.Expires, nil
}

// sessionID is what a session is kept by: who reads the bucket cannot use it. As
// an ID it has all bits of the hash, so finding it is knowing the secret.
func sessionID(text string) string { return hashed("session:" + text) }

// prune takes sessions away that are over.
func (s *Store) prune(ctx context.Context) error {
	now := time.Now()
	var over []string
	s.mu.RLock()
	total := len(s.sessions)
	for id, o := range s.sessions {
		if !now.Before(o.Expires) {
			over = append(over, id)
		}
	}
	s.mu.RUnlock()
	for _, id := range over {
		if err := s.end(ctx, id); err != nil {
			return err
		}
	}
	if total-len(over) >= maxSessions {
		return errSessions
	}
	return nil
}

// Resume returns who is logged in with the secret of a cookie.
func (s *Store) Resume(text string) (Viewer, bool) {
	s.mu.RLock()
	o := s.sessions[sessionID(text)]
	s.mu.RUnlock()
	if o == nil || !time.Now().Before(o.Expires) {
		return Viewer{}, false
	}
	if o.Key == "" {
		return Viewer{Name: o.Name, Role: o.Role, Session: true}, true
	}
	k, err := s.key(o.Key)
	if err != nil {
		return Viewer{}, false
	}
	return Viewer{Name: k.Name, Role: k.Role, Key: k.ID, Session: true}, true
}

// CloseSession ends the session with the secret of a cookie.
func (s *Store) CloseSession(ctx context.Context, text string) error {
	return s.end(ctx, sessionID(text))
}

func (s *Store) end(ctx context.Context, id string) error {
	s.mu.Lock()
	_, known := s.sessions[id]
	delete(s.sessions, id)
	if known {
		s.revisions[sessionEntry+id] = math.MaxUint64 // until the watch says that it is gone
	}
	s.mu.Unlock()
	if !known {
		return nil
	}
	if err := s.kv.Purge(ctx, sessionEntry+id); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	return nil
}
