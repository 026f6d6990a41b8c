package sqlite_test

import (
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestStore(t *testing.T) {
	var heard tally
	porttest.TestStore(t, func(t *testing.T) ports.Store {
		return opened(t, sqlite.Config{Path: litetest.Path(t), OnStatement: heard.hear})
	})
	if !t.Failed() {
		followIndexes(t, heard.take())
	}
}
