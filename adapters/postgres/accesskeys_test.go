package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// signedIn returns a store in which ada has a session, and the URL of its database.
func signedIn(t *testing.T, c postgres.Config) (*postgres.Store, string) {
	t.Helper()
	s, url := open(t, c)
	register(t, s, ada, "ada")
	if _, err := s.Sessions().Open(t.Context(), session(1, ada), 1); err != nil {
		t.Fatal(err)
	}
	return s, url
}

// Whoever holds a token that is being revoked must not make a key of it.
func TestANewAccessKeyWaitsForWhatIsUnderWay(t *testing.T) {
	undone := errors.New("undone")
	suspend := func(ctx context.Context, tx ports.Repositories) error {
		a, err := tx.Accounts().ByID(ctx, ada)
		a.Status = domain.Suspended
		return errors.Join(err, tx.Accounts().Update(ctx, a))
	}
	end := func(ctx context.Context, tx ports.Repositories) error {
		return tx.Sessions().End(ctx, ada, session(1, ada).ID)
	}
	for _, c := range []struct {
		name   string
		change func(ctx context.Context, tx ports.Repositories) error
		undo   bool
		want   *domain.Error
	}{
		{"the end of the session refuses it", end, false, domain.ErrSessionNotFound},
		{"an end of the session that is taken back does not", end, true, nil},
		{"a suspension refuses it", suspend, false, domain.ErrSessionNotFound},
		{"a suspension that is taken back does not", suspend, true, nil},
		{"a removal of the account refuses it", func(ctx context.Context, tx ports.Repositories) error {
			return tx.Accounts().Remove(ctx, ada, 0)
		}, false, domain.ErrSessionNotFound},
		{"a new password that ends the session refuses it", func(ctx context.Context, tx ports.Repositories) error {
			err := tx.Accounts().SetCredential(ctx, domain.Credential{Account: ada, Hash: domain.NewPasswordHash("new"), Revision: 1}, noon)
			return errors.Join(err, end(ctx, tx))
		}, false, domain.ErrSessionNotFound},
		{"a refresh that ends the session refuses it", func(ctx context.Context, tx ports.Repositories) error {
			_, err := tx.Sessions().Refresh(ctx, domain.RefreshToken{Session: session(1, ada).ID, Counter: 7}, noon, domain.SessionPolicy{Idle: time.Hour})
			return err
		}, false, domain.ErrSessionNotFound},
		{"a refresh that rotates does not", func(ctx context.Context, tx ports.Repositories) error {
			_, err := tx.Sessions().Refresh(ctx, domain.RefreshToken{Session: session(1, ada).ID}, noon, domain.SessionPolicy{Idle: time.Hour})
			return err
		}, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := signedIn(t, postgres.Config{})
			watch := connect(t, url)
			added := make(chan error, 1)
			err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
				if err := c.change(t.Context(), tx); err != nil {
					return err
				}
				go func() { added <- s.AccessKeys().Add(t.Context(), accessKey(1, ada), session(1, ada).ID) }()
				untilItWaits(t, watch, added)
				if c.undo {
					return undone
				}
				return nil
			})
			if err != nil && !errors.Is(err, undone) {
				t.Fatal(err)
			}
			err = <-added
			if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("it ends with %v, want %v", err, c.want)
			}
			keys, err := s.AccessKeys().List(t.Context(), ada, noon, "", 10)
			if want := map[bool]int{true: 1}[c.want == nil]; err != nil || len(keys) != want {
				t.Fatalf("there are %d keys (%v), want %d", len(keys), err, want)
			}
		})
	}
}

// What ends a session waits for a key that is being made with it, so that whoever
// ends the account's keys next finds that one.
func TestTheEndOfASessionWaitsForAnAccessKeyThatIsUnderWay(t *testing.T) {
	s, url := signedIn(t, postgres.Config{})
	watch := connect(t, url)
	ended := make(chan error, 1)
	err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		if err := tx.AccessKeys().Add(t.Context(), accessKey(1, ada), session(1, ada).ID); err != nil {
			return err
		}
		go func() { ended <- s.Sessions().End(t.Context(), ada, session(1, ada).ID) }()
		untilItWaits(t, watch, ended)
		return nil
	})
	if err := errors.Join(err, <-ended); err != nil {
		t.Fatal(err)
	}
	if n, err := s.AccessKeys().EndAll(t.Context(), ada); err != nil || n != 1 {
		t.Fatalf("%d keys are ended (%v), want 1", n, err)
	}
}

func TestOfManyAccessKeysAtOnceNoMoreAreAddedThanThereMayBe(t *testing.T) {
	s, _ := signedIn(t, postgres.Config{MaxConns: 16})
	// These have expired, and do not count.
	for n := range 10 {
		k := accessKey(1000+n, ada)
		k.Created, k.Expires = noon.Add(-time.Hour), noon
		if err := s.AccessKeys().Add(t.Context(), k, session(1, ada).ID); err != nil {
			t.Fatal(err)
		}
	}
	var added, refused atomic.Int32
	var all sync.WaitGroup
	for n := range 150 {
		all.Go(func() {
			switch err := s.AccessKeys().Add(t.Context(), accessKey(n, ada), session(1, ada).ID); {
			case err == nil:
				added.Add(1)
			case errors.Is(err, domain.ErrTooManyAccessKeys):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if added.Load() != domain.MaxAccessKeys || refused.Load() != 50 {
		t.Fatalf("%d are added and %d refused, want %d and 50", added.Load(), refused.Load(), domain.MaxAccessKeys)
	}
	if keys, err := s.AccessKeys().List(t.Context(), ada, noon, "", 200); err != nil || len(keys) != domain.MaxAccessKeys {
		t.Fatalf("there are %d keys (%v), want %d", len(keys), err, domain.MaxAccessKeys)
	}
	// The last place is free again.
	if err := s.AccessKeys().End(t.Context(), ada, accessKey(0, ada).ID); err != nil && !errors.Is(err, domain.ErrAccessKeyNotFound) {
		t.Fatal(err)
	}
}

func TestASessionOfAnotherAccountAddsNoAccessKey(t *testing.T) {
	s, _ := signedIn(t, postgres.Config{})
	register(t, s, bob, "bob")
	for _, id := range []domain.SessionID{session(1, ada).ID, ""} {
		is(t, s.AccessKeys().Add(t.Context(), accessKey(1, bob), id), domain.ErrSessionNotFound)
	}
}

// Replicas that write sightings of the same rows in contrary orders wait for one
// another, and are in nobody's way twice.
func TestSightingsAreWrittenInOneOrderWhateverTheirsIs(t *testing.T) {
	const many = 200
	var sent tape
	s, url := open(t, postgres.Config{MaxConns: 8, OnStatement: sent.add})
	register(t, s, ada, "ada")
	var up, down []domain.Sighting[domain.SessionID]
	for n := range many {
		if _, err := s.Sessions().Open(t.Context(), session(n, ada), 1); err != nil {
			t.Fatal(err)
		}
		up = append(up, domain.Sighting[domain.SessionID]{ID: session(n, ada).ID})
		down = append(down, domain.Sighting[domain.SessionID]{ID: session(many-1-n, ada).ID})
	}
	if _, err := connect(t, url).Exec(t.Context(), `ANALYZE sessions`); err != nil {
		t.Fatal(err)
	}
	const turns = 20
	said := sent.of(func() {
		var writing sync.WaitGroup
		for w, sightings := range [][]domain.Sighting[domain.SessionID]{up, down, up, down} {
			writing.Go(func() {
				for turn := range turns {
					mine := append([]domain.Sighting[domain.SessionID]{}, sightings...)
					for i := range mine {
						mine[i].At = noon.Add(time.Duration(1+turn*4+w) * domain.SightingInterval)
					}
					if err := s.Sessions().Saw(t.Context(), mine); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writing.Wait()
	})
	if len(said) != 4*turns {
		t.Fatalf("it takes %d statements, want %d: some were run again after a collision", len(said), 4*turns)
	}
}

func TestReplicasThatPruneAccessKeysAtOnceShareTheWork(t *testing.T) {
	s, url := signedIn(t, postgres.Config{})
	for n := range 10 {
		k := accessKey(n, ada)
		k.Expires = noon.Add(time.Duration(n) * time.Second)
		k.Created = noon.Add(-time.Hour)
		if err := s.AccessKeys().Add(t.Context(), k, session(1, ada).ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AccessKeys().Add(t.Context(), accessKey(10, ada), session(1, ada).ID); err != nil {
		t.Fatal(err)
	}
	other, err := connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec(t.Context(), `SELECT FROM access_keys ORDER BY expires LIMIT 4 FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	n, err := s.AccessKeys().Prune(t.Context(), noon.Add(time.Hour), 100)
	if err != nil || n != 6 {
		t.Fatalf("it forgets %d (%v), want the 6 that nobody holds", n, err)
	}
	if err := other.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err = s.AccessKeys().Prune(t.Context(), noon.Add(time.Hour), 3); err != nil || n != 3 {
		t.Fatalf("it forgets %d (%v), want 3", n, err)
	}
}

// What is asked of the keys of one account, and of those that have expired, is
// found along an index among ten thousand.
func TestOfTenThousandAccessKeysOnlyThoseAreTouchedThatAreAskedFor(t *testing.T) {
	var sent tape
	s, url := signedIn(t, postgres.Config{OnStatement: sent.add})
	c := connect(t, url)
	for _, sql := range []string{`
		INSERT INTO accounts (id, name, roles, status, authority, credential, revision, created, changed)
		SELECT gen_random_uuid(), '', '{}', 'active', 1, 1, 1, now(), now() FROM generate_series(1, 200)`, `
		INSERT INTO access_keys (id, account, name, scopes, digest, created, expires, address)
		SELECT gen_random_uuid(), a.id, '', '{admin}', decode(repeat('00', 32), 'hex'), now(),
			CASE WHEN n % 2 = 0 THEN '2030-01-02'::timestamptz + n * interval '1 h' END, ''
		FROM accounts a, generate_series(1, 50) n`, `ANALYZE`} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []struct {
		name  string
		do    func() error
		args  string
		index string
	}{
		{"a page of one account", func() error {
			_, err := s.AccessKeys().List(t.Context(), ada, noon, "", 50)
			return err
		}, `'` + string(ada) + `', '2030-01-02', 50`, "access_keys_account_idx"},
		{"pruning", func() error {
			_, err := s.AccessKeys().Prune(t.Context(), time.Time{}, 100)
			return err
		}, `'2030-01-02 03:00', 100`, "access_keys_expires_idx"},
		{"the key that asks", func() error {
			_, _, err := s.AccessKeys().ByID(t.Context(), accessKey(1, ada).ID, noon)
			if errors.Is(err, domain.ErrAccessKeyNotFound) {
				err = nil
			}
			return err
		}, `'` + string(accessKey(1, ada).ID) + `', '2030-01-02'`, "access_keys_pkey"},
	} {
		t.Run(q.name, func(t *testing.T) {
			sql := sent.of(func() {
				if err := q.do(); err != nil {
					t.Fatal(err)
				}
			})
			plan := explain(t, url, sql[0], q.args)
			if strings.Contains(plan, "Seq Scan on access_keys") || !strings.Contains(plan, q.index) {
				t.Errorf("the plan is:\n%s", plan)
			}
		})
	}
}

// What every sighting writes is in no index, so that it leaves no line in one.
func TestASightingWritesNoIndex(t *testing.T) {
	s, url := signedIn(t, postgres.Config{})
	if err := s.AccessKeys().Add(t.Context(), accessKey(1, ada), session(1, ada).ID); err != nil {
		t.Fatal(err)
	}
	at := noon.Add(time.Minute)
	err := errors.Join(
		s.Sessions().Saw(t.Context(), []domain.Sighting[domain.SessionID]{{ID: session(1, ada).ID, At: at, Address: "192.0.2.1"}}),
		s.AccessKeys().Saw(t.Context(), []domain.Sighting[domain.AccessKeyID]{{ID: accessKey(1, ada).ID, At: at, Address: "192.0.2.1"}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	var indexed int
	err = connect(t, url).QueryRow(t.Context(), `
		SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
		WHERE i.indrelid IN ('sessions'::regclass, 'access_keys'::regclass) AND a.attname IN ('counter', 'used', 'seen', 'address')`).Scan(&indexed)
	if err != nil || indexed != 0 {
		t.Fatalf("%d of them are in an index (%v), want none", indexed, err)
	}
}
