package baddisk_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"xinwen/deploy/e2e/internal/baddisk"
)

func TestMain(m *testing.M) {
	if !baddisk.Serve() {
		os.Exit(m.Run())
	}
}

func TestDiskIsAsBadAsItIsTold(t *testing.T) {
	d := baddisk.New(t)
	f, err := os.Create(filepath.Join(d.Dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	write := func() (time.Duration, error) {
		began := time.Now()
		_, err := f.Write([]byte("text"))
		return time.Since(began), errors.Join(err, f.Sync())
	}
	if _, err := write(); err != nil {
		t.Errorf("good disk: %v", err)
	}
	d.Set(baddisk.Fault{Write: 40 * time.Millisecond, Sync: 40 * time.Millisecond})
	if took, err := write(); err != nil || took < 20*time.Millisecond {
		t.Errorf("slow disk: wrote in %v, %v, want it to take 20 ms or more", took, err)
	}
	d.Set(baddisk.Fault{Errno: syscall.EIO})
	if _, err := write(); !errors.Is(err, syscall.EIO) {
		t.Errorf("failing disk: got %v, want %v", err, syscall.EIO)
	}
	d.Set(baddisk.Fault{})
	if _, err := write(); err != nil {
		t.Errorf("mended disk: %v", err)
	}
	if got, err := os.ReadFile(f.Name()); err != nil || len(got) != 3*len("text") {
		t.Errorf("read %q, %v, want what was written three times", got, err)
	}
}

// TestDatabaseOnDisk uses what Xinwen's outbox and its index use: a map of a file
// that is written beside it, and a lock.
func TestDatabaseOnDisk(t *testing.T) {
	d := baddisk.New(t)
	path := filepath.Join(d.Dir, "db")
	for i := range byte(3) {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("b"))
			if err != nil {
				return err
			}
			if n := b.Inspect().KeyN; n != int(i) {
				t.Errorf("got %d keys at opening %d, want as many", n, i)
			}
			return b.Put([]byte{i}, make([]byte, 10<<10))
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
