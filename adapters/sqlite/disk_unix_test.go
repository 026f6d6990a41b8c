//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func init() { parts["meets the end of its disk"] = meetsTheEndOfItsDisk }

// The limit on the size of a file is the process's, so it is lowered in one of
// its own.
func TestAFullDiskFailsAWholeGroup(t *testing.T) {
	play(t, "meets the end of its disk", filepath.Join(t.TempDir(), "keyport.db"), 1)
}

func meetsTheEndOfItsDisk(ctx context.Context, path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := sqlite.Open(ctx, sqlite.Config{Path: path})
	if err != nil {
		return err
	}
	ships := fleet("ships")
	if err := s.Collections().Add(ctx, ships); err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		last func(free func() error) error
	}{
		{name: "the commit fails", last: func(func() error) error {
			return s.Records().Add(ctx, ships.Ref(), freight(2), domain.Entries{})
		}},
		{name: "a statement fails, and who sent it goes on", last: func(free func() error) error {
			return s.Atomically(ctx, func(tx ports.Repositories) error {
				for n := range 12 {
					if err := tx.Records().Add(ctx, ships.Ref(), freight(n+10), domain.Entries{}); err != nil {
						break
					}
				}
				// SQLite has undone the transaction by now, and would take this
				// for one of its own.
				if err := free(); err != nil {
					return err
				}
				_ = tx.Records().Add(ctx, ships.Ref(), ship(3), domain.Entries{})
				return nil
			})
		}},
	} {
		if err := loses(ctx, s, ships.Ref(), c.last); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if lost := s.Stats().Lost; lost < 2 {
		return fmt.Errorf("%d groups were lost, want 2 or more", lost)
	}
	// There is room again.
	if err := s.Records().Add(ctx, ships.Ref(), freight(1), domain.Entries{}); err != nil {
		return err
	}
	return s.Close()
}

// loses plays a group of a transaction, a small write and last, with hardly any
// room, and fails unless all of them are undone.
func loses(ctx context.Context, s *sqlite.Store, ships domain.CollectionRef, last func(free func() error) error) error {
	free, err := limit(256 << 10)
	if err != nil {
		return err
	}
	var small, large error
	var wg sync.WaitGroup
	first := s.Atomically(ctx, func(ports.Repositories) error {
		wg.Go(func() { small = s.Records().Add(ctx, ships, ship(1), domain.Entries{}) })
		if err := awaits(ctx, func() bool { return s.Stats().Waiting == 1 }); err != nil {
			return err
		}
		wg.Go(func() { large = last(free) })
		return awaits(ctx, func() bool { return s.Stats().Waiting == 2 })
	})
	wg.Wait()
	if err := free(); err != nil {
		return err
	}
	for _, err := range []error{first, small, large} {
		if !errors.Is(err, domain.ErrUnavailable) {
			return fmt.Errorf("a member was told: %w", err)
		}
	}
	page, err := s.Records().List(ctx, ships, everything(100))
	if err != nil || page != nil {
		return fmt.Errorf("%d records were stored: %w", len(page), err)
	}
	return nil
}

// freight is a record of nearly a megabyte.
func freight(n int) domain.Record {
	r := ship(n)
	r.Data = domain.RestoreDocument(`{"cargo":"` + strings.Repeat("x", 1_000_000) + `"}`)
	return r
}

// limit bounds the size of the files that this process writes, until free.
func limit(size uint64) (free func() error, err error) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return nil, err
	}
	now := before
	now.Cur = size
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &now); err != nil {
		return nil, err
	}
	return func() error { return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before) }, nil
}
