package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// startup measures how long Keyport takes to its first answer, with nothing and
// with many records, and how much memory it then holds. It promises nothing.
func startup(ctx context.Context, g *ground.Ground, s size, r *report) error {
	binary, err := os.Stat(g.Binary)
	if err != nil {
		return err
	}
	r.add("", "the binary", "%.1f MB", megabytes(binary.Size()))
	empty, err := measureStarts(ctx, s.starts, g.SQLite)
	if err != nil {
		return err
	}
	empty.tell(r, "a new database")
	site, err := g.SQLite()
	if err != nil {
		return err
	}
	if err := fill(ctx, site, s.records); err != nil {
		return err
	}
	full, err := measureStarts(ctx, s.starts, func() (ground.Site, error) { return site, nil })
	if err != nil {
		return err
	}
	full.tell(r, fmt.Sprintf("%d records", s.records))
	return nil
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }

// starts is what was measured on one kind of database.
type starts struct {
	took []time.Duration // to the first answer
	idle int64           // bytes that were resident 2 s after the last
}

func (s starts) tell(r *report, what string) {
	slices.Sort(s.took)
	r.add("SQLite", "start to first answer, "+what, "%v (median of %d)", s.took[len(s.took)/2].Round(time.Millisecond), len(s.took))
	r.add("SQLite", "memory when idle, "+what, "%.1f MB", megabytes(s.idle))
}

// idleFor is how long a Keyport has nothing to do before its memory is measured.
const idleFor = 2 * time.Second

// measureStarts starts Keyport on the given site, n times.
func measureStarts(ctx context.Context, n int, at func() (ground.Site, error)) (s starts, err error) {
	for i := range n {
		site, err := at()
		if err != nil {
			return s, err
		}
		begun := time.Now()
		k, err := site.Serve(ctx)
		if err != nil {
			return s, err
		}
		s.took = append(s.took, time.Since(begun))
		if i == n-1 {
			if err = pause(ctx, idleFor); err == nil {
				s.idle, err = k.RSS()
			}
		}
		if _, stopped := k.Stop(); err != nil || stopped != nil {
			return s, errors.Join(err, stopped)
		}
	}
	return s, nil
}

// fill makes the demo on a site, with n records more.
func fill(ctx context.Context, site ground.Site, n int) (err error) {
	k, err := site.ServeDemo(ctx)
	if err != nil {
		return err
	}
	defer func() {
		_, stopped := k.Stop()
		err = errors.Join(err, stopped)
	}()
	client := k.Client()
	defer client.Close()
	admin, err := client.SignIn(ctx, "admin", k.AdminPassword)
	if err != nil {
		return err
	}
	var next atomic.Int64
	errs := make([]error, 64)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() {
			for serial := int(next.Add(1)); serial <= n && errs[i] == nil; serial = int(next.Add(1)) {
				errs[i] = client.Want(ctx, http.StatusCreated, process.Request{
					Method: http.MethodPost, Path: ships, Token: admin.AccessToken,
					Body: map[string]any{"data": shipOf(fmt.Sprintf("filling %d", serial), "nobody", serial)},
				}, nil)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
