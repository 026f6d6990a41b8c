package postgres_test

import (
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

// The modes differ in how parameters reach the server, and what it takes them
// for.
func TestTheStoreKeepsItsPromisesInEveryModeOfSending(t *testing.T) {
	for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			porttest.TestStore(t, func(t *testing.T) ports.Store {
				s, _ := open(t, postgres.Config{ExecMode: mode})
				return s
			})
		})
	}
}
