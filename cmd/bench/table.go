package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// The goals that the design sets.
const (
	goalRead    = 2.0    // times the processor time of the bare handler
	goalToken   = 5.0    // µs that a token adds to a read
	goalPage    = 150.0  // µs
	goalCreate  = 8000.0 // a second, on SQLite
	goalRefresh = 4000.0 // a second, on PostgreSQL
	goalSignIn  = 0.95   // of the rate of bare hashes
	goalMove    = 1e4    // accounts a second, on SQLite
	goalImport  = 2e4    // records a second, on SQLite
)

// A goal is what a subject should reach, and whether it did.
type goal struct {
	text string // "" for none
	met  bool
}

func (g goal) missed() bool { return g.text != "" && !g.met }

func (g goal) verdict() string {
	switch {
	case g.met:
		return "met"
	case g.missed():
		return "missed"
	}
	return ""
}

func atMost(got, want float64, unit string) goal {
	return goal{fmt.Sprintf("%.3g of at most %.3g %s", got, want, unit), got <= want}
}

func atLeast(got, want float64, unit string) goal {
	return goal{fmt.Sprintf("%s of at least %s %s", figure(got), figure(want), unit), got >= want}
}

// table prints what was measured, and returns what missed its goal.
func (r *round) table(store string, out io.Writer) (missed []*subject) {
	goals := map[*subject]goal{
		r.stranger: atMost(r.stranger.sum.micros()/r.bare.sum.micros(), goalRead, "times the bare handler's CPU"),
		r.bearer:   atMost(r.bearer.sum.micros()-r.stranger.sum.micros(), goalToken, "µs for the token"),
		r.page:     atMost(r.page.sum.micros(), goalPage, "µs"),
		r.signIn:   atLeast(r.signIn.sum.rate()/r.hashes.rate(), goalSignIn, "of the bare hash"),
	}
	var moved, imported goal
	if store == "SQLite" {
		moved = atLeast(r.moved.rate(), goalMove, "a second")
		imported = atLeast(r.imported.rate(), goalImport, "a second")
		goals[r.create] = atLeast(r.create.sum.rate(), goalCreate, "a second")
	} else {
		goals[r.refresh] = atLeast(r.refresh.sum.rate(), goalRefresh, "a second")
	}
	fmt.Fprintf(out, "\n%s\n", store)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  what\trequests/s\tCPU µs\tPostgreSQL µs\tgoal\t")
	for _, s := range r.subjects() {
		server := r.server(s.sum)
		if s == r.bare {
			server = ""
		}
		g := goals[s]
		if g.missed() {
			missed = append(missed, s)
		}
		fmt.Fprintf(t, "  %s\t%.0f\t%.1f\t%s\t%s\t%s\n", s.name, s.sum.rate(), s.sum.micros(), server, g.text, g.verdict())
	}
	fmt.Fprintf(t, "  import of records\t%.0f\t%.1f\t%s\t%s\t%s\n",
		r.imported.rate(), r.imported.micros(), r.server(r.imported), imported.text, imported.verdict())
	fmt.Fprintf(t, "  import of accounts with hashes\t%.0f\t\t\t%s\t%s\n", r.moved.rate(), moved.text, moved.verdict())
	fmt.Fprintf(t, "  a bare hash, one for each processor at once\t%.1f\t\t\t\t\n", r.hashes.rate())
	_ = t.Flush() // nothing is kept: out has told of its own failure
	return missed
}

// server says what PostgreSQL used for one request; "" on an embedded database.
func (r *round) server(s sum) string {
	if r.postmaster == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", per(s.store, s.requests))
}

// figure writes a number as people do: whole where it is large.
func figure(x float64) string {
	if x >= 1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}
