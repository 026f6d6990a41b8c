package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func TestASignInWaitsForAChangeOfTheAccountThatIsUnderWay(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(ctx context.Context, tx ports.Repositories) error
		undo   bool
		want   *domain.Error
	}{
		{"a new password refuses it", func(ctx context.Context, tx ports.Repositories) error {
			return tx.Accounts().SetCredential(ctx, domain.Credential{Account: ada, Hash: domain.NewPasswordHash("new"), Revision: 1}, noon)
		}, false, domain.ErrCredentialChanged},
		{"a suspension refuses it", func(ctx context.Context, tx ports.Repositories) error {
			a, err := tx.Accounts().ByID(ctx, ada)
			a.Status = domain.Suspended
			return errors.Join(err, tx.Accounts().Update(ctx, a))
		}, false, domain.ErrCredentialChanged},
		{"a removal refuses it", func(ctx context.Context, tx ports.Repositories) error {
			return tx.Accounts().Remove(ctx, ada, 0)
		}, false, domain.ErrCredentialChanged},
		{"a new name does not", func(ctx context.Context, tx ports.Repositories) error {
			a, err := tx.Accounts().ByID(ctx, ada)
			a.Name = "Ada"
			return errors.Join(err, tx.Accounts().Update(ctx, a))
		}, false, nil},
		{"a new password that is taken back does not", func(ctx context.Context, tx ports.Repositories) error {
			return tx.Accounts().SetCredential(ctx, domain.Credential{Account: ada, Hash: domain.NewPasswordHash("new"), Revision: 1}, noon)
		}, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := open(t, postgres.Config{})
			register(t, s, ada, "ada")
			watch := connect(t, url)
			undone := errors.New("undone")
			opened := make(chan error, 1)
			err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
				if err := c.change(t.Context(), tx); err != nil {
					return err
				}
				go func() {
					_, err := s.Sessions().Open(t.Context(), session(1, ada), 1)
					opened <- err
				}()
				untilItWaits(t, watch, opened)
				if c.undo {
					return undone
				}
				_, err := tx.Sessions().EndAll(t.Context(), ada, "")
				return err
			})
			if err != nil && !errors.Is(err, undone) {
				t.Fatal(err)
			}
			err = <-opened
			if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("the sign-in ends with %v, want %v", err, c.want)
			}
			left, err := s.Sessions().List(t.Context(), ada, noon, "", 10)
			if want := map[bool]int{true: 1}[c.want == nil]; err != nil || len(left) != want {
				t.Fatalf("%d sessions are left (%v), want %d", len(left), err, want)
			}
		})
	}
}

// A sign-in that is faster than the change is found by what ends the sessions.
func TestAChangeOfTheAccountWaitsForASignInThatIsUnderWay(t *testing.T) {
	s, url := open(t, postgres.Config{})
	register(t, s, ada, "ada")
	watch := connect(t, url)
	changed := make(chan error, 1)
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if _, err := tx.Sessions().Open(t.Context(), session(1, ada), 1); err != nil {
			return err
		}
		go func() {
			changed <- s.Atomically(t.Context(), func(tx ports.Repositories) error {
				c := domain.Credential{Account: ada, Hash: domain.NewPasswordHash("new"), Revision: 1}
				if err := tx.Accounts().SetCredential(t.Context(), c, noon); err != nil {
					return err
				}
				_, err := tx.Sessions().EndAll(t.Context(), ada, "")
				return err
			})
		}()
		untilItWaits(t, watch, changed)
		return nil
	})
	if err := errors.Join(err, <-changed); err != nil {
		t.Fatal(err)
	}
	if left, err := s.Sessions().List(t.Context(), ada, noon, "", 10); err != nil || len(left) != 0 {
		t.Fatalf("%d sessions are left (%v), want none", len(left), err)
	}
}

// A hash of the old password that was on its way must not come over the new one.
func TestARehashWaitsForANewPasswordAndThenDoesNothing(t *testing.T) {
	s, url := open(t, postgres.Config{})
	register(t, s, ada, "ada")
	watch := connect(t, url)
	rehashed := make(chan error, 1)
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		c := domain.Credential{Account: ada, Hash: domain.NewPasswordHash("new"), Revision: 1}
		if err := tx.Accounts().SetCredential(t.Context(), c, noon); err != nil {
			return err
		}
		go func() {
			rehashed <- s.Accounts().Rehash(t.Context(), domain.Credential{Account: ada, Hash: domain.NewPasswordHash("old, anew"), Revision: 1})
		}()
		untilItWaits(t, watch, rehashed)
		return nil
	})
	if err := errors.Join(err, <-rehashed); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Accounts().Credential(t.Context(), ada); err != nil || c.Hash.Reveal() != "new" || c.Revision != 2 {
		t.Fatalf("the hash is %q at revision %d (%v), want the new one at 2", c.Hash.Reveal(), c.Revision, err)
	}
}

// Whatever waits for a row judges what has become of it, not what it was when the
// statement began.
func TestAWriteThatWaitsForAnotherJudgesWhatThatHasLeft(t *testing.T) {
	ships := domain.CollectionRef{Name: "ships", Revision: 1}
	rename := func(ctx context.Context, r ports.Repositories) error {
		a, err := r.Accounts().ByID(ctx, ada)
		a.Name = "Ada"
		return errors.Join(err, r.Accounts().Update(ctx, a))
	}
	setCredential := func(ctx context.Context, r ports.Repositories) error {
		return r.Accounts().SetCredential(ctx, domain.Credential{Account: ada, Revision: 1}, noon)
	}
	removeAccount := func(ctx context.Context, r ports.Repositories) error { return r.Accounts().Remove(ctx, ada, 1) }
	endAll := func(ctx context.Context, r ports.Repositories) error {
		_, err := r.Sessions().EndAll(ctx, ada, "")
		return err
	}
	refresh := func(ctx context.Context, r ports.Repositories) error {
		f, err := r.Sessions().Refresh(ctx, domain.RefreshToken{Session: session(1, ada).ID}, noon, domain.SessionPolicy{Idle: time.Hour})
		if err == nil && f.Verdict == domain.Refused {
			err = domain.ErrInvalidToken
		}
		return err
	}
	stop := func(ctx context.Context, r ports.Repositories) error {
		return r.Sessions().StopRenewal(ctx, ada, session(1, ada).ID, noon.Add(time.Minute))
	}
	setLogins := func(rev domain.Revision) func(context.Context, ports.Repositories) error {
		return func(ctx context.Context, r ports.Repositories) error {
			return r.Accounts().SetLogins(ctx, ada, rev, []domain.Login{username(t, "countess")}, noon)
		}
	}
	add := func(ctx context.Context, r ports.Repositories) error {
		return r.Records().Add(ctx, ships, ship(1), domain.Entries{})
	}
	replace := func(ctx context.Context, r ports.Repositories) error {
		return r.Records().Replace(ctx, ships, ship(1), domain.Entries{})
	}
	remove := func(ctx context.Context, r ports.Repositories) error {
		return r.Records().Remove(ctx, ships, ship(1).ID, 1, time.Time{})
	}
	type write = func(context.Context, ports.Repositories) error
	for _, c := range []struct {
		name          string
		first, second write
		want          *domain.Error // of the second
	}{
		{"an account that is renamed cannot be removed at its old revision", rename, removeAccount, domain.ErrStale},
		{"an account that is removed cannot be renamed", removeAccount, rename, domain.ErrAccountNotFound},
		{"an account that is removed gets no new password", removeAccount, setCredential, domain.ErrAccountNotFound},
		{"an account that is renamed gets a new password", rename, setCredential, nil},
		{"a session that is ended is not refreshed", endAll, refresh, domain.ErrInvalidToken},
		{"a session that is refreshed is ended", refresh, endAll, nil},
		{"a session whose renewal is stopped is not refreshed", stop, refresh, domain.ErrInvalidToken},
		{"the renewal of a session that is refreshed is stopped", refresh, stop, nil},
		{"the renewal of a session that is ended cannot be stopped", endAll, stop, domain.ErrSessionNotFound},
		{"an account that is renamed gets no other login at its old revision", rename, setLogins(1), domain.ErrStale},
		{"an account that is renamed gets another login at any revision", rename, setLogins(0), nil},
		{"an account that is removed gets no other login", removeAccount, setLogins(0), domain.ErrAccountNotFound},
		{"an account that got another login cannot be removed at its old revision", setLogins(0), removeAccount, domain.ErrStale},
		{"a record that is removed is not replaced", remove, replace, domain.ErrRecordNotFound},
		{"a record that is replaced is not removed at its old revision", replace, remove, domain.ErrStale},
		{"a record that is removed can be added anew", remove, add, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := open(t, postgres.Config{})
			register(t, s, ada, "ada")
			if _, err := s.Sessions().Open(t.Context(), session(1, ada), 1); err != nil {
				t.Fatal(err)
			}
			declare(t, s, ships.Name)
			if err := add(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			watch := connect(t, url)
			ended := make(chan error, 1)
			err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
				if err := c.first(t.Context(), tx); err != nil {
					return err
				}
				go func() { ended <- c.second(t.Context(), s) }()
				untilItWaits(t, watch, ended)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := <-ended; c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("the second ends with %v, want %v", err, c.want)
			}
		})
	}
}

// Each call that waits judges what the one before it has left, not what it saw
// when it began.
func TestThirtyTwoRefreshesOfOneToken(t *testing.T) {
	for _, c := range []struct {
		name  string
		grace time.Duration
		want  map[domain.Verdict]int
	}{
		{
			"within the grace one rotates and all others are answered again", time.Minute,
			map[domain.Verdict]int{domain.Rotated: 1, domain.Repeated: 31},
		},
		{
			"without a grace one rotates, the next ends the session, and it is over for the rest", 0,
			map[domain.Verdict]int{domain.Rotated: 1, domain.Reused: 1, domain.Refused: 30},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := open(t, postgres.Config{MaxConns: 32})
			register(t, s, ada, "ada")
			var posted []domain.Change
			for round := range 20 {
				id := session(round, ada)
				if _, err := s.Sessions().Open(t.Context(), id, 1); err != nil {
					t.Fatal(err)
				}
				policy := domain.SessionPolicy{Idle: time.Hour, Max: time.Hour, Grace: c.grace}
				answers := make([]domain.Refreshed, 32)
				var wg sync.WaitGroup
				for i := range answers {
					wg.Go(func() {
						var err error
						answers[i], err = s.Sessions().Refresh(t.Context(), domain.RefreshToken{Session: id.ID}, noon, policy)
						if err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				got := make(map[domain.Verdict]int)
				for _, a := range answers {
					got[a.Verdict]++
					if (a.Verdict == domain.Rotated || a.Verdict == domain.Repeated) && a.Session.Counter != 1 {
						t.Errorf("an answer has counter %d, want 1", a.Session.Counter)
					}
				}
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Fatalf("the verdicts are %v, want %v", got, c.want)
				}
				if got[domain.Reused] > 0 {
					posted = append(posted, ended(round))
				}
			}
			r := newReader(s)
			r.hears(t, posted...)
			for change, times := range r.heard {
				if times != 1 {
					t.Errorf("%v stands on the bulletin %d times, want once", change, times)
				}
			}
		})
	}
}

// A declaration and a record that do not know of one another may not both be
// stored.
func TestANewUniqueFieldWaitsForARecordThatIsUnderWay(t *testing.T) {
	s, url := open(t, postgres.Config{})
	ships := declare(t, s, "ships")
	watch := connect(t, url)
	replaced := make(chan error, 1)
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if err := tx.Records().Add(t.Context(), ships.Ref(), ship(1), domain.Entries{}); err != nil {
			return err
		}
		go func() {
			next := ships
			next.Unique = append(slices.Clone(next.Unique), domain.Unique{Field: "mmsi"})
			replaced <- s.Collections().Replace(t.Context(), next)
		}()
		untilItWaits(t, watch, replaced)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	is(t, <-replaced, domain.ErrCollectionInUse)
}

func TestARecordWaitsForADeclarationThatIsUnderWay(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func(ctx context.Context, r ports.Records, c domain.CollectionRef) error
	}{
		{"a new one", func(ctx context.Context, r ports.Records, c domain.CollectionRef) error {
			return r.Add(ctx, c, ship(2), domain.Entries{})
		}},
		{"a new form of one", func(ctx context.Context, r ports.Records, c domain.CollectionRef) error {
			return r.Replace(ctx, c, ship(1), domain.Entries{})
		}},
		{"a removal", func(ctx context.Context, r ports.Records, c domain.CollectionRef) error {
			return r.Remove(ctx, c, ship(1).ID, 1, time.Time{})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := open(t, postgres.Config{})
			ships := declare(t, s, "ships")
			if err := s.Records().Add(t.Context(), ships.Ref(), ship(1), domain.Entries{}); err != nil {
				t.Fatal(err)
			}
			watch := connect(t, url)
			written := make(chan error, 1)
			err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
				next := ships
				next.Rules.Read = "owner"
				if err := tx.Collections().Replace(t.Context(), next); err != nil {
					return err
				}
				go func() { written <- c.write(t.Context(), s.Records(), ships.Ref()) }()
				untilItWaits(t, watch, written)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			is(t, <-written, domain.ErrCollectionChanged)
		})
	}
}

// Two transactions that hold what the other wants: the server breaks one off,
// and it is run again.
func TestACollisionIsRunAgain(t *testing.T) {
	s, _ := open(t, postgres.Config{})
	for n, id := range []domain.AccountID{ada, bob} {
		register(t, s, id, string(id[len(id)-1:])+"th")
		if _, err := s.Sessions().Open(t.Context(), session(n, id), 1); err != nil {
			t.Fatal(err)
		}
	}
	var runs atomic.Int32
	var held, done sync.WaitGroup
	held.Add(2)
	end := func(first, second domain.AccountID) error {
		var once sync.Once
		return s.Atomically(t.Context(), func(tx ports.Repositories) error {
			runs.Add(1)
			if _, err := tx.Sessions().EndAll(t.Context(), first, ""); err != nil {
				return err
			}
			once.Do(func() {
				held.Done()
				held.Wait()
			})
			_, err := tx.Sessions().EndAll(t.Context(), second, "")
			return err
		})
	}
	errs := make([]error, 2)
	done.Go(func() { errs[0] = end(ada, bob) })
	done.Go(func() { errs[1] = end(bob, ada) })
	done.Wait()
	if err := errors.Join(errs...); err != nil || runs.Load() < 3 {
		t.Fatalf("the two ran %d times (%v), want one of them again", runs.Load(), err)
	}
}
