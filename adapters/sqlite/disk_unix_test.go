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
	for round, group := range [][]func() error{
		{ // The commit fails.
			func() error { return s.Records().Add(ctx, ships.Ref(), ship(1), nil) },
			func() error { return s.Records().Add(ctx, ships.Ref(), freight(2), nil) },
		},
		{ // A statement fails amid the group, and what called it goes on.
			func() error { return s.Records().Add(ctx, ships.Ref(), ship(1), nil) },
			func() error {
				return s.Atomically(ctx, func(tx ports.Repositories) error {
					for n := range 12 {
						_ = tx.Records().Add(ctx, ships.Ref(), freight(n+10), nil)
					}
					_ = tx.Records().Add(ctx, ships.Ref(), ship(3), nil)
					return nil
				})
			},
			func() error { return s.Records().Add(ctx, ships.Ref(), ship(4), nil) },
		},
	} {
		free, err := limit(256 << 10)
		if err != nil {
			return err
		}
		errs := make([]error, len(group))
		var wg sync.WaitGroup
		err = s.Atomically(ctx, func(ports.Repositories) error {
			for i, call := range group {
				wg.Go(func() { errs[i] = call() })
				if err := awaits(ctx, func() bool { return s.Stats().Waiting == i+1 }); err != nil {
					return err
				}
			}
			return nil
		})
		wg.Wait()
		if err := free(); err != nil {
			return err
		}
		for i, err := range append([]error{err}, errs...) {
			// The last of the second group may come after the death.
			if !errors.Is(err, domain.ErrUnavailable) && (round != 1 || i != 3) {
				return fmt.Errorf("round %d, member %d: %w", round, i, err)
			}
		}
		page, err := s.Records().List(ctx, ships.Ref(), domain.Everything{}, "", 100)
		for _, r := range page {
			if r.ID != ship(4).ID {
				return fmt.Errorf("round %d: %s was stored", round, r.ID)
			}
		}
		if err != nil {
			return err
		}
	}
	if lost := s.Stats().Lost; lost < 2 {
		return fmt.Errorf("%d groups were lost, want 2 or more", lost)
	}
	// There is room again.
	if err := s.Records().Add(ctx, ships.Ref(), freight(1), nil); err != nil {
		return err
	}
	return s.Close()
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
