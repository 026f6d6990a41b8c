// Command bench measures Keyport from outside: requests a second, and the
// processor time that its process uses for one, beside a bare chi handler that
// answers the same bytes, on SQLite and on PostgreSQL. It prints a table, and a
// profile of what misses its goal. It judges no time: it fails only where a
// request does. At the end it imports accounts by command, and records.
//
// With -million it compares instead what requests cost among many records with what
// they cost among few.
//
// The two take turns, so that a busy moment of the machine strikes both. What
// asks shares the processors with what answers, so requests a second say less
// than processor time does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A size says how long it takes.
type size struct {
	rounds  int
	turn    time.Duration // of each load in each round
	profile time.Duration // of a load that misses its goal; whole seconds
	movers  int           // accounts that are imported
	imports int           // records that are imported
	bound   time.Duration // of it all, once the binary is built
}

var (
	full  = size{rounds: 3, turn: 2 * time.Second, profile: 3 * time.Second, movers: 50_000, imports: 100_000, bound: 6 * time.Minute}
	short = size{rounds: 1, turn: time.Second, profile: time.Second, movers: 5_000, imports: 10_000, bound: 2 * time.Minute}
)

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) (err error) {
	// The program starts itself with these words.
	if len(args) == 1 && args[0] == bareWord {
		return serveBare(in, out)
	}
	if len(args) == 2 && args[0] == hashWord {
		return hashFor(args[1], out)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	brief := flags.Bool("short", false, "measure for a second each")
	only := flags.String("only", "", "measure on the stores alone whose name has this in it")
	crowded := flags.Bool("million", false, "compare 1,000,000 records with 10,000; with -short 20,000 with 1,000")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, c := full, million
	if *brief {
		s, c = short, shortMillion
	}
	g, err := ground.New(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	sites, err := g.Stores()
	if err != nil {
		return err
	}
	sites = slices.DeleteFunc(sites, func(s ground.Site) bool { return !strings.Contains(s.Store, *only) })
	if *crowded {
		return c.compareAll(ctx, sites, out)
	}
	ctx, cancel := context.WithTimeout(ctx, s.bound)
	defer cancel()
	fmt.Fprintf(out, "%d connections in turns of %v, %d times; %d processors for all; a line of log for each request\n",
		connections, s.turn, s.rounds, runtime.GOMAXPROCS(0))
	for _, site := range sites {
		if err := measure(ctx, g, site, s, out); err != nil {
			return fmt.Errorf("%s: %w", site.Store, err)
		}
	}
	return nil
}
