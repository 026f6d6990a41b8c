// Command drill does to Keyport what a bad day does, and looks for what was lost:
// it kills Keyport and PostgreSQL in mid-write, starts Keyport on many records,
// lets everybody sign in at once, times how long a revoked token is taken, turns the
// keys under load, has thousands watch, and declares anew what is in use. It ends with
// 1 where a promise was broken.
//
// The full form writes its figures to docs/drills.md; -short does less of
// everything, with the same assertions, and prints them only. Keyport is run and
// spoken to from outside, as its users do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "drill:", err)
		os.Exit(1)
	}
}

// A size says how much is done of everything.
type size struct {
	kills   int // of Keyport, on each store
	outages int // of PostgreSQL
	records int // that Keyport is started on
	starts  int // that are timed, of each kind
	signIns int // at once
	endings int // of sessions, seen by another replica

	listeners   int           // streams of who watches
	cuts        int           // of these, broken off and resumed
	performance time.Duration // for which there is something to hear
	built       int           // records of a collection that is declared anew

	bound time.Duration // of it all, once the binary is built
}

var (
	full = size{
		kills: 10, outages: 3, records: 100_000, starts: 5, signIns: 1000, endings: 1000,
		listeners: 5000, cuts: 100, performance: 10 * time.Second, built: 100_000, bound: 20 * time.Minute,
	}
	short = size{
		kills: 3, outages: 1, records: 20_000, starts: 3, signIns: 300, endings: 100,
		listeners: 300, cuts: 20, performance: 5 * time.Second, built: 10_000, bound: 8 * time.Minute,
	}
)

// A drill is one kind of bad day. What it finds broken is its error.
type drill struct {
	name string
	run  func(ctx context.Context, g *ground.Ground, s size, r *report) error
}

var drills = []drill{
	{"kill -9 of Keyport in mid-write", crash},
	{"kill -9 of PostgreSQL in mid-write", outage},
	{"start", startup},
	{"sign-ins at once", flood},
	{"revocation over two replicas", revocation},
	{"revocation, notices cut each second", cutOff},
	{"revocation through PgBouncer", bounced},
	{"keys turn under load", turning},
	{"watching", watching},
	{"declared anew in use", building},
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("drill", flag.ContinueOnError)
	brief := flags.Bool("short", false, "do less, and do not write docs/drills.md")
	only := flags.String("only", "", "do the drills alone whose name has this in it, and do not write docs/drills.md")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s := full
	if *brief {
		s = short
	}
	r, err := newReport(ctx, out)
	if err != nil {
		return err
	}
	g, err := ground.New(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, s.bound)
	defer cancel()
	var broken []error
	for _, d := range drills {
		if !strings.Contains(d.name, *only) {
			continue
		}
		r.begin(d.name)
		if err := d.run(ctx, g, s, r); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", d.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := errors.Join(broken...); err != nil || *brief || *only != "" {
		return err
	}
	return r.write()
}
