package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/keyport-go/keyport/adapters/httpapi/dialects/fleet"
	"github.com/keyport-go/keyport/adapters/httpapi/dialects/library"
	"github.com/keyport-go/keyport/adapters/httpapi/dialects/signup"
	"github.com/keyport-go/keyport/adapters/httpapi/dialects/skeleton"
	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

// An Import says what is to be imported.
type Import struct {
	File      string // "-" stands for standard input
	Passwords bool   // whether plain passwords are taken, and hashed
	Dialect   string // the older API whose users they were, and go on to be; "": none
	DryRun    bool   // whether it is only said what would happen
}

// userSeries are where the older APIs number their users.
var userSeries = map[string]domain.Series{
	"fleet": fleet.Users, "library": library.Users, "signup": signup.Users, "skeleton": skeleton.Users,
}

// ImportAccounts opens the accounts that a file holds, in its order, and passes over
// those that are there already, so that it may be run again: after it was stopped, too.
// It tells each line that it refuses, and why, on out, and fails where there was one, or
// where it had to stop. What it imported stays.
func ImportAccounts(ctx context.Context, c Config, i Import, in io.Reader, out, log io.Writer) error {
	if _, known := userSeries[i.Dialect]; i.Dialect != "" && !known {
		return fmt.Errorf("there is no older API %q: want %s", i.Dialect, strings.Join(slices.Sorted(maps.Keys(userSeries)), ", "))
	}
	var size int64
	if i.File != "-" {
		f, err := os.Open(i.File)
		if err != nil {
			return err
		}
		defer f.Close()
		about, err := f.Stat()
		if err != nil {
			return err
		}
		in, size = f, about.Size()
	}
	return moving(ctx, c, log, func(s *accounts.Service) error {
		run := importing{
			Import: i, accounts: s, forecast: s.Forecast(), out: out, progress: newProgress(log, size),
			hashes: cmp.Or(c.HashesRunning, runtime.GOMAXPROCS(0)),
		}
		return run.all(ctx, in)
	})
}

// moving runs f on the accounts of the configured store, beside whatever serves. It
// makes no key and needs none.
func moving(ctx context.Context, c Config, log io.Writer, f func(*accounts.Service) error) (err error) {
	c.LogLevel = "warn"
	o := new(opened)
	defer func() { err = errors.Join(err, o.Close()) }()
	if err := o.begin(c, log); err != nil {
		return err
	}
	if o.Store, err = o.openStore(ctx, c, nil); err != nil {
		return err
	}
	return f(accounts.New(accounts.Config{
		Store: o.Store, Now: o.Now, NewID: o.NewID, Readable: password.Check,
		Hasher: password.New(password.Config{Running: c.HashesRunning, Waiting: c.HashesWaiting}),
	}))
}

// An importing is one run of ImportAccounts.
type importing struct {
	Import
	accounts *accounts.Service
	forecast *accounts.Forecast
	out      io.Writer
	progress *progress
	hashes   int // passwords that are hashed at once: none has to wait at the gate

	at                          int // the line up to which all is done
	lines, made, known, refused int
}

// all imports what in has to say, and tells the sum of it.
func (i *importing) all(ctx context.Context, in io.Reader) error {
	err := i.each(ctx, in)
	i.progress.end()
	verb := "imported"
	if i.DryRun {
		verb = "to be imported"
	}
	_, told := fmt.Fprintf(i.out, "%s: %d %s, %d there already, %d refused\n", count(i.lines, "line"), i.made, verb, i.known, i.refused)
	switch {
	case err != nil || told != nil:
		return errors.Join(err, told)
	case i.refused == 1:
		return errors.New("1 line was refused")
	case i.refused > 0:
		return fmt.Errorf("%d lines were refused", i.refused)
	}
	return nil
}

// each imports one parcel after the other. Reading goes on beside; where it waits for
// somebody to type, it is not waited for once ctx has ended.
func (i *importing) each(ctx context.Context, in io.Reader) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	coming := parcels(reading, in, i.Passwords)
	for {
		var p parcel
		select {
		case p = <-coming:
		case <-ctx.Done():
			return i.stopped(ctx.Err())
		}
		if err := i.parcel(ctx, p.items); err != nil {
			return i.stopped(err)
		}
		i.progress.to(i.lines, p.read)
		if errors.Is(p.end, io.EOF) {
			return nil
		}
		if p.end != nil {
			return p.end
		}
	}
}

func (i *importing) stopped(err error) error {
	if i.DryRun {
		return fmt.Errorf("stopped after line %d: %w", i.at, err)
	}
	return fmt.Errorf("stopped after line %d; run it again to go on: %w", i.at, err)
}

// parcel imports some lines, wholly or not at all, and tells those that are refused.
func (i *importing) parcel(ctx context.Context, items []item) error {
	if len(items) == 0 {
		return nil
	}
	if !i.DryRun {
		if err := i.hash(ctx, items); err != nil {
			return err
		}
	}
	var moving []accounts.Transfer
	for _, it := range items {
		if it.fault == nil {
			moving = append(moving, it.transfer)
		}
	}
	arrived, err := i.move(ctx, moving)
	if err != nil {
		return err
	}
	for _, it := range items {
		fault := it.fault
		if fault == nil {
			a := arrived[0]
			arrived, fault = arrived[1:], a.Refusal
			if a.Made {
				i.made++
			} else if fault == nil {
				i.known++
			}
		}
		if fault != nil {
			i.refused++
			i.progress.hide()
			if _, err := fmt.Fprintf(i.out, "line %d: %s\n", it.at, told(fault)); err != nil {
				return err
			}
		}
		i.lines++
		i.at = it.at
	}
	return nil
}

func (i *importing) move(ctx context.Context, all []accounts.Transfer) ([]accounts.Arrival, error) {
	if i.DryRun {
		return i.forecast.Import(ctx, all)
	}
	return i.accounts.Import(ctx, userSeries[i.Dialect], all)
}

// hash makes the hashes of those passwords that are not there already.
func (i *importing) hash(ctx context.Context, items []item) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(i.hashes)
	for n := range items {
		it := &items[n]
		if it.fault != nil || it.password.IsZero() {
			continue
		}
		work.Go(func() error {
			taken, err := i.accounts.Taken(ctx, it.transfer.Logins)
			if err != nil || taken {
				return err
			}
			it.transfer.Hash, err = i.accounts.Hash(ctx, it.password)
			return err
		})
	}
	return work.Wait()
}

// told is an error as whoever has the file is to read it: what is at fault, and why.
func told(err error) string {
	if e, is := errors.AsType[*domain.Error](err); is && len(e.Fields) > 0 {
		f := e.Fields[0]
		return strings.TrimPrefix(f.Path, "/") + ": " + f.Problem
	}
	if errors.Is(err, accounts.ErrUnreadableHash) {
		_, why, known := strings.Cut(err.Error(), "password: ")
		if !known {
			why = "there is none"
		}
		return "hash: " + why
	}
	return err.Error()
}

// count tells how many there are of a thing.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
