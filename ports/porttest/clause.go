// Package porttest checks that an adapter keeps the promises of package ports.
//
// Each suite is a list of clauses. A clause quotes the promise it checks, word
// for word, and a failure prints that promise, so that its reader need not know
// Keyport:
//
//	func TestStore(t *testing.T) {
//		porttest.TestStore(t, func(t *testing.T) ports.Store {
//			return mystore.Open(t.TempDir())
//		})
//	}
//
// TestModel goes further: it plays the same random operations on several stores
// and wants the same answers from all.
//
// The package is an ordinary one, neither internal nor a _test file, so that
// stores outside this repository can be checked by it too. It leaves to each
// adapter what a port cannot show: that a write outlives the process, how long a
// hash takes, and what happens when a server goes away.
package porttest

import (
	"context"
	"testing"
	"time"
)

// patience is how long a clause may take before it counts as broken. It is no
// promise of speed: it turns a call that never returns into a failure.
const patience = time.Minute

// A clause is one promise of the port P, and the way to catch it broken.
type clause[P any] struct {
	name    string
	promise string // in the words of the port's comment
	check   func(ctx context.Context, p P) error
}

// run checks each clause on a P of its own.
func run[P any](t *testing.T, open func(*testing.T) P, clauses []clause[P]) {
	t.Helper()
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) {
			p := open(t)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := c.check(ctx, p); err != nil {
				t.Errorf("%v\nThe promise was: %s", err, c.promise)
			}
		})
	}
}
