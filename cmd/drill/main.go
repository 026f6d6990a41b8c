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
	"cmp"
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

	previous string // revision that replicas are upgraded from, and back to

	lock   time.Duration // for which a table is held
	storm  time.Duration // for which replicas serve that want more connections than there are
	stall  time.Duration // for which nothing comes through to the server
	broken int           // migrations that are killed

	bound time.Duration // of it all, once the binary is built
}

var (
	full = size{
		kills: 10, outages: 3, records: 100_000, starts: 5, signIns: 1000, endings: 1000,
		listeners: 5000, cuts: 100, performance: 10 * time.Second, built: 100_000,
		lock: 10 * time.Second, storm: 8 * time.Second, stall: 6 * time.Second, broken: 20, bound: 40 * time.Minute,
	}
	short = size{
		kills: 3, outages: 1, records: 20_000, starts: 3, signIns: 300, endings: 100,
		listeners: 300, cuts: 20, performance: 5 * time.Second, built: 10_000,
		lock: 4 * time.Second, storm: 4 * time.Second, stall: 5 * time.Second, broken: 6, bound: 15 * time.Minute,
	}
)

// A drill is one kind of bad day. What it finds broken is its error.
type drill struct {
	name   string
	rounds int // in a row, in the full form; one in the short form
	run    func(ctx context.Context, g *ground.Ground, s size, r *report) error
}

var drills = []drill{
	{"kill -9 of Keyport in mid-write", 1, crash},
	{"kill -9 of PostgreSQL in mid-write", 1, outage},
	{"start", 1, startup},
	{"sign-ins at once", 1, flood},
	{"revocation over two replicas", 1, revocation},
	{"revocation, notices cut each second", 1, cutOff},
	{"revocation through PgBouncer", 1, bounced},
	{"keys turn under load", 1, turning},
	{"watching", 1, watching},
	{"declared anew in use", 1, building},
	{"PostgreSQL: immediate stop and restart", 3, restart},
	{"PostgreSQL: standby promoted", 3, failover},
	{"PostgreSQL: standby lost", 3, standbyLost},
	{"PostgreSQL: a table locked", 3, locked},
	{"PostgreSQL: a connection storm", 3, storm},
	{"PostgreSQL: 200 ms to every packet, then a stall", 3, stalled},
	{"PostgreSQL: a migration killed in its middle", 3, migration},
	{"rolling upgrade", 3, rolling},
	{"disk full", 3, diskFull},
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("drill", flag.ContinueOnError)
	brief := flags.Bool("short", false, "do less, and do not write docs/drills.md")
	only := flags.String("only", "", "do the drills alone whose name has this in it, and do not write docs/drills.md")
	rounds := flags.Int("rounds", 0, "do each drill as often in a row, and do not write docs/drills.md; 0 leaves it to the drill")
	previous := flags.String("previous", "HEAD~1", "the revision that replicas are upgraded from, and back to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s := full
	if *brief {
		s = short
	}
	s.previous = *previous
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
		n := cmp.Or(*rounds, d.rounds)
		if *brief && *rounds == 0 {
			n = 1
		}
		for round := range n {
			r.begin(d.name, round+1, n)
			if err := d.run(ctx, g, s, r); err != nil {
				broken = append(broken, fmt.Errorf("%s: %w", d.name, err))
			}
			if ctx.Err() != nil {
				break
			}
		}
	}
	if err := errors.Join(broken...); err != nil || *brief || *only != "" || *rounds != 0 {
		return err
	}
	return r.write()
}
