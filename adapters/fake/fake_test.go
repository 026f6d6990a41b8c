package fake_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestStore(t *testing.T) {
	porttest.TestStore(t, func(*testing.T) ports.Store { return new(fake.Store) })
}

func TestStoreReplaying(t *testing.T) {
	porttest.TestStore(t, func(*testing.T) ports.Store { return &fake.Store{Replay: true} })
}

func TestPredicates(t *testing.T) {
	porttest.TestPredicates(t, func(*testing.T) ports.Store { return new(fake.Store) })
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

func TestFaultsComeBeforeOrAfterAnOperation(t *testing.T) {
	boom := errors.New("boom")
	ada := domain.Account{ID: "ada", Status: domain.Active}
	for _, apply := range []bool{false, true} {
		var ops []string
		s := new(fake.Store)
		s.Fault = func(op string) (bool, error) {
			ops = append(ops, op)
			if op == "accounts.add" || op == "ping" {
				return apply, boom
			}
			return false, nil
		}
		if err := s.Accounts().Add(t.Context(), ada, domain.PasswordHash{}); !errors.Is(err, boom) {
			t.Errorf("Add returned %v", err)
		}
		if err := s.Ping(t.Context()); !errors.Is(err, boom) {
			t.Errorf("Ping returned %v", err)
		}
		_, err := s.Accounts().ByID(t.Context(), ada.ID)
		if there := err == nil; there != apply {
			t.Errorf("with apply %t the account is there: %t", apply, there)
		}
		if want := []string{"accounts.add", "ping", "accounts.byID"}; !slices.Equal(ops, want) {
			t.Errorf("asked about %q, want %q", ops, want)
		}
	}
}

func TestATransactionWhoseAnswerIsLostIsKept(t *testing.T) {
	boom := errors.New("boom")
	for _, apply := range []bool{false, true} {
		s := new(fake.Store)
		s.Fault = func(op string) (bool, error) {
			if op == "atomically" {
				return apply, boom
			}
			return false, nil
		}
		err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
			return tx.Accounts().Add(t.Context(), domain.Account{ID: "ada"}, domain.PasswordHash{})
		})
		if !errors.Is(err, boom) {
			t.Errorf("Atomically returned %v", err)
		}
		if list, err := s.Accounts().List(t.Context(), "", 9); err != nil || (len(list) == 1) != apply {
			t.Errorf("with apply %t there are %v, %v", apply, list, err)
		}
	}
}

func TestReplayRunsATransactionTwiceAndKeepsItOnce(t *testing.T) {
	s, runs := &fake.Store{Replay: true}, 0
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		runs++
		return tx.Accounts().Add(t.Context(), domain.Account{ID: "ada"}, domain.PasswordHash{})
	})
	if err != nil || runs != 2 {
		t.Errorf("ran %d times: %v", runs, err)
	}
}

func TestTheClockStandsUntilItIsMoved(t *testing.T) {
	start := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.FixedZone("there", 3600))
	c := fake.NewClock(start)
	if !c.Now().Equal(start) || c.Now().Location() != time.UTC {
		t.Errorf("the clock shows %v", c.Now())
	}
	c.Advance(time.Minute)
	c.Advance(-time.Second)
	if want := start.Add(59 * time.Second); !c.Now().Equal(want) {
		t.Errorf("the clock shows %v, want %v", c.Now(), want)
	}
}

func TestUUIDsCountUp(t *testing.T) {
	next := fake.UUIDs()
	last := ""
	for range 300 {
		id := next()
		if _, err := domain.ParseAccountID(id); err != nil || id <= last || id[14] != '7' {
			t.Fatalf("%q after %q: %v", id, last, err)
		}
		last = id
	}
	if first := fake.UUIDs()(); first != "01900000-0000-7000-8000-000000000001" {
		t.Errorf("another source begins with %q", first)
	}
}

func TestAFullHasherIsBusy(t *testing.T) {
	h := fake.Hasher{Full: true}
	_, err := h.Hash(t.Context(), domain.NewPassword("x"))
	_, _, err2 := h.Matches(t.Context(), domain.NewPassword("x"), domain.PasswordHash{})
	if !errors.Is(err, domain.ErrBusy) || !errors.Is(err2, domain.ErrBusy) {
		t.Errorf("%v, %v", err, err2)
	}
}

func TestTokensCanBeReadByEye(t *testing.T) {
	claims := domain.Claims{
		Subject: "ada", Session: "s1", TokenID: "t.1", Authority: 7, Roles: []domain.Role{"admin", "editor"},
		SignedIn: time.Unix(1, 0), Issued: time.Unix(2, 0), Expires: time.Unix(3, 0),
	}
	access, err := fake.Issuer{}.Issue(t.Context(), claims)
	if err != nil || !strings.HasPrefix(access.Reveal(), "fake.ada.s1.t~2e1.7.admin+editor.1.2.3.") {
		t.Errorf("%s, %v", access.Reveal(), err)
	}
	refresh := fake.RefreshIssuer{}.Issue(domain.RefreshToken{Session: "s1", Counter: 4})
	if !strings.HasPrefix(refresh.Reveal(), "kpr_s1_4_") {
		t.Error(refresh.Reveal())
	}
	lasting := fake.RefreshIssuer{}.IssueLasting(domain.LastingToken{Account: "ada", Session: "s1", Ends: time.Unix(5, 0)})
	if !strings.HasPrefix(lasting.Reveal(), "kpl_ada_s1_5_") {
		t.Error(lasting.Reveal())
	}
	if cursor := (fake.Cursors{}).Seal("records", "r_1"); !strings.HasPrefix(cursor, "r_5f1-") {
		t.Error(cursor)
	}
}
