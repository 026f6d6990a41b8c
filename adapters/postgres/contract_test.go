package postgres_test

import (
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

// The modes differ in how parameters reach the server, and what it takes them
// for. Eight connections are enough to race on, and quick to make. What the suite
// makes the store send is all that it ever sends.
func TestTheStoreKeepsItsPromisesInEveryModeOfSending(t *testing.T) {
	var sent statements
	t.Run("of sending", func(t *testing.T) {
		for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
			t.Run(mode, func(t *testing.T) {
				t.Parallel() // for half of the time it waits for the server
				porttest.TestStore(t, func(t *testing.T) ports.Store {
					s, _ := open(t, postgres.Config{ExecMode: mode, MaxConns: 8, OnStatement: sent.add})
					return s
				})
			})
		}
	})
	if !t.Failed() {
		t.Run("statements say where their rows lie", sent.check)
	}
}
