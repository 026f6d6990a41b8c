package fake_test

import (
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestStore(t *testing.T) {
	porttest.TestStore(t, func(*testing.T) ports.Store { return new(fake.Store) })
}

func TestStoreReplaying(t *testing.T) {
	porttest.TestStore(t, func(*testing.T) ports.Store { return &fake.Store{Replay: true} })
}

func TestIssuer(t *testing.T) {
	n := names()
	porttest.TestIssuer(t, func(*testing.T) ports.TokenIssuer { return fake.Issuer{Name: n()} })
}

func TestRefreshIssuer(t *testing.T) {
	n := names()
	porttest.TestRefreshIssuer(t, func(*testing.T) ports.RefreshIssuer { return fake.RefreshIssuer{Name: n()} })
}

func TestCursors(t *testing.T) {
	n := names()
	porttest.TestCursorSealer(t, func(*testing.T) ports.CursorSealer { return fake.Cursors{Name: n()} })
}

func TestHasher(t *testing.T) {
	porttest.TestHasher(t, func(_ *testing.T, cost int) ports.PasswordHasher { return fake.Hasher{Cost: cost} })
}

func TestBlocklist(t *testing.T) {
	porttest.TestBlocklist(t, func(*testing.T) ports.Blocklist { return fake.Common }, fake.Common...)
}

// names returns a name that is another each time, so that no two adapters trust
// one another.
func names() func() string { return fake.UUIDs() }

func TestModel(t *testing.T) {
	porttest.TestModel(t,
		func(*testing.T) ports.Store { return new(fake.Store) },
		func(*testing.T) ports.Store { return &fake.Store{Replay: true} },
	)
}
