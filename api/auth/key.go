package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"time"
)

const (
	// keyPrefix lets people and scanners of repositories tell our keys.
	keyPrefix = "xinwen_"
	// secretBytes is the length of a secret. 256 random bits cannot be guessed,
	// whatever a guess costs; a slow hash would only slow our own requests.
	secretBytes = 32
)

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Key is what is kept of a key. The key itself is shown once, when it is made.
type Key struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role Role   `json:"role"`
	// Hash is the SHA-256 of the key.
	Hash []byte `json:"hash,omitempty"`
	// By names who made it.
	By      string    `json:"by,omitempty"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	Revoked time.Time `json:"revoked,omitzero"`
	// Used is when it was last shown, give or take an hour; zero if never.
	Used time.Time `json:"used,omitzero"`
	// Fixed says that the key comes from the configuration and is changed there.
	Fixed bool `json:"fixed,omitempty"`
}

// Active reports whether k opens anything at a time.
func (k *Key) Active(now time.Time) bool {
	return k.Revoked.IsZero() && !k.expired(now)
}

func (k *Key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// is reports whether text is the key.
func (k *Key) is(text string) bool {
	sum := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(sum[:], k.Hash) == 1
}

// newSecret returns a key: the prefix, the secret, and a checksum, so that one
// cut off while copying is told from one that is wrong.
func newSecret() string {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	body := keyPrefix + encoding.EncodeToString(secret)
	return body + checksum(body)
}

func checksum(body string) string {
	return encoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(body))))
}

// garbled reports whether text was one of our keys and has lost or changed a
// character.
func garbled(text string) bool {
	if !strings.HasPrefix(text, keyPrefix) {
		return false
	}
	end := len(text) - len(checksum(""))
	return end <= len(keyPrefix) || checksum(text[:end]) != text[end:]
}

// idOf returns the ID that a key is found by: the beginning of another hash of
// it, which tells nothing of the key.
func idOf(text string) string { return hashed("id:" + text)[:12] }

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return encoding.EncodeToString(sum[:])
}
