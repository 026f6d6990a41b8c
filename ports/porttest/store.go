package porttest

import (
	"slices"
	"testing"

	"github.com/keyport-go/keyport/ports"
)

// TestStore checks every promise of ports.Store and of its repositories. open is
// called once a clause and returns an empty store; what it opens it closes with
// t.Cleanup.
func TestStore(t *testing.T, open func(*testing.T) ports.Store) {
	t.Helper()
	run(t, open, store)
}

var store = slices.Concat(accounts, sessions, accessKeys, collections, records, walks, events, receipts, imports, keys, numbers, bulletin, atomicity, common)
