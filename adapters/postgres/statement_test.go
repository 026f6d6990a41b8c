package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
)

// A tape keeps the statements that are sent.
type tape struct {
	mu   sync.Mutex
	sent []string
}

func (t *tape) add(sql string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = append(t.sent, sql)
}

// of returns the statements that f sends.
func (t *tape) of(f func()) []string {
	t.sent = nil
	f()
	return t.sent
}

func TestWhatIsAskedOftenIsOneStatement(t *testing.T) {
	var sent tape
	s, _ := open(t, postgres.Config{OnStatement: sent.add})
	ctx := t.Context()
	a := register(t, s, ada, "ada")
	bare := domain.Collection{Name: "notes", Revision: 1}
	if err := s.Collections().Add(ctx, bare); err != nil {
		t.Fatal(err)
	}
	ships := declare(t, s, "ships")
	policy := domain.SessionPolicy{Idle: time.Hour, Max: time.Hour, Grace: time.Minute}
	keys := []domain.UniqueKey{{Field: "imo"}}
	for _, c := range []struct {
		name string
		want int
		do   func(ctx context.Context) error
	}{
		{"look up a login", 1, func(ctx context.Context) error {
			_, _, err := s.Accounts().ByLogin(ctx, a.Logins[0])
			return err
		}},
		{"change an account", 1, func(ctx context.Context) error { return s.Accounts().Update(ctx, a) }},
		{"look accounts up by their ids", 1, func(ctx context.Context) error {
			_, err := s.Accounts().ByIDs(ctx, []domain.AccountID{ada, bob})
			return err
		}},
		{"give an account other logins, between BEGIN and COMMIT", 4, func(ctx context.Context) error {
			return s.Accounts().SetLogins(ctx, ada, 0, a.Logins, noon)
		}},
		{"give things numbers, after a look whether they have them, between BEGIN and COMMIT", 5, func(ctx context.Context) error {
			_, err := s.Numbers().Of(ctx, "ships", "a", "b")
			return err
		}},
		{"find the numbers of things", 1, func(ctx context.Context) error {
			_, err := s.Numbers().Of(ctx, "ships", "b", "a")
			return err
		}},
		{"find what has a number", 1, func(ctx context.Context) error {
			_, err := s.Numbers().ByNumber(ctx, "ships", 2)
			return err
		}},
		{"list what has numbers", 1, func(ctx context.Context) error {
			_, err := s.Numbers().List(ctx, "ships", 0, 10)
			return err
		}},
		{"open a session", 1, func(ctx context.Context) error {
			_, err := s.Sessions().Open(ctx, session(1, ada), 1)
			return err
		}},
		{"refresh", 1, func(ctx context.Context) error {
			_, err := s.Sessions().Refresh(ctx, domain.RefreshToken{Session: session(1, ada).ID}, noon, policy)
			return err
		}},
		{"ask what an account may do", 1, func(ctx context.Context) error {
			_, err := s.Sessions().Authority(ctx, session(1, ada).ID, noon)
			return err
		}},
		{"add an access key, between BEGIN and COMMIT", 4, func(ctx context.Context) error {
			return s.AccessKeys().Add(ctx, accessKey(1, ada), session(1, ada).ID)
		}},
		{"look up an access key and what its account may do", 1, func(ctx context.Context) error {
			_, _, err := s.AccessKeys().ByID(ctx, accessKey(1, ada).ID, noon)
			return err
		}},
		{"note no sighting", 0, func(ctx context.Context) error { return s.Sessions().Saw(ctx, nil) }},
		{"note where a hundred sessions were seen", 1, func(ctx context.Context) error {
			var all []domain.Sighting[domain.SessionID]
			for n := range 100 {
				all = append(all, domain.Sighting[domain.SessionID]{ID: session(n, ada).ID, At: noon.Add(time.Hour)})
			}
			return s.Sessions().Saw(ctx, all)
		}},
		{"note where an access key was seen", 1, func(ctx context.Context) error {
			return s.AccessKeys().Saw(ctx, []domain.Sighting[domain.AccessKeyID]{{ID: accessKey(1, ada).ID, At: noon}})
		}},
		{"end an access key", 1, func(ctx context.Context) error { return s.AccessKeys().End(ctx, ada, accessKey(1, ada).ID) }},
		{"end all access keys", 1, func(ctx context.Context) error {
			_, err := s.AccessKeys().EndAll(ctx, ada)
			return err
		}},
		{"stop the renewal of a session", 1, func(ctx context.Context) error {
			return s.Sessions().StopRenewal(ctx, ada, session(1, ada).ID, noon)
		}},
		{"end a session", 1, func(ctx context.Context) error { return s.Sessions().End(ctx, ada, session(1, ada).ID) }},
		{"end all sessions", 1, func(ctx context.Context) error {
			_, err := s.Sessions().EndAll(ctx, ada, "")
			return err
		}},
		{"post no change", 0, func(ctx context.Context) error { return s.Bulletin().Post(ctx) }},
		{"post three changes", 1, func(ctx context.Context) error { return s.Bulletin().Post(ctx, ended(1), ended(2), ended(3)) }},
		{"ask whether a change is kept", 1, func(ctx context.Context) error {
			_, err := s.Bulletin().Posted(ctx, domain.TokenRefused, "jti")
			return err
		}},
		{"read the news", 1, func(ctx context.Context) error {
			_, _, err := s.Bulletin().News(ctx, "")
			return err
		}},
		{"forget changes", 1, func(ctx context.Context) error {
			_, err := s.Bulletin().Forget(ctx, noon, 10)
			return err
		}},
		{"add a record without unique keys", 1, func(ctx context.Context) error { return s.Records().Add(ctx, bare.Ref(), ship(1), nil) }},
		{"read a record", 1, func(ctx context.Context) error {
			_, err := s.Records().Get(ctx, bare.Ref(), ship(1).ID)
			return err
		}},
		{"read a page", 1, func(ctx context.Context) error {
			_, err := s.Records().List(ctx, bare.Ref(), domain.Everything{}, "", 50)
			return err
		}},
		{"replace a record without unique keys", 1, func(ctx context.Context) error { return s.Records().Replace(ctx, bare.Ref(), ship(1), nil) }},
		{"remove a record", 1, func(ctx context.Context) error { return s.Records().Remove(ctx, bare.Ref(), ship(1).ID, 2) }},
		{"add a record with unique keys, between BEGIN and COMMIT", 3, func(ctx context.Context) error {
			return s.Records().Add(ctx, ships.Ref(), ship(1), keys)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := sent.of(func() {
				if err := c.do(ctx); err != nil {
					t.Fatal(err)
				}
			})
			if len(got) != c.want {
				t.Fatalf("it takes %d statements, want %d:\n%s", len(got), c.want, strings.Join(got, "\n"))
			}
		})
	}
}

// A page is read along an index and no further than its end, however the server
// plans: for the parameters at hand, or once for all.
func TestAPageOfTenThousandRecordsIsReadAlongAnIndex(t *testing.T) {
	var sent tape
	s, url := open(t, postgres.Config{OnStatement: sent.add})
	ships := declare(t, s, "ships")
	c := connect(t, url)
	_, err := c.Exec(t.Context(), `
		INSERT INTO records (collection, id, owner, data, revision, created, changed)
		SELECT collection, gen_random_uuid(), CASE WHEN n % 10 = 0 THEN '`+string(ada)+`'::uuid END, '{}', 1, now(), now()
		FROM generate_series(1, 10000) n, unnest(ARRAY['ships', 'authors']) collection`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), `ANALYZE`); err != nil {
		t.Fatal(err)
	}
	const middle = domain.RecordID("80000000-0000-4000-8000-000000000000")
	for _, q := range []struct {
		name  string
		where domain.Predicate
		after domain.RecordID
		args  string
	}{
		{"the first page", domain.Everything{}, "", `'ships', 1, 50`},
		{"a page in the middle", domain.Everything{}, middle, `'ships', 1, 50, '` + string(middle) + `'`},
		{"the first page of one owner", domain.OwnedBy{Account: ada}, "", `'ships', 1, 50, '` + string(ada) + `'`},
		{"a page in the middle of one owner", domain.OwnedBy{Account: ada}, middle, `'ships', 1, 50, '` + string(ada) + `', '` + string(middle) + `'`},
	} {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			t.Run(q.name+", "+mode, func(t *testing.T) {
				sql := sent.of(func() {
					page, err := s.Records().List(t.Context(), ships.Ref(), q.where, q.after, 50)
					if err != nil || len(page) != 50 {
						t.Fatalf("it has %d records (%v), want 50", len(page), err)
					}
				})
				plan := explain(t, url, mode, sql[0], q.args)
				for _, bad := range []string{"Sort", "Seq Scan on records", "Bitmap"} {
					if strings.Contains(plan, bad) {
						t.Errorf("%s is in the plan:\n%s", bad, plan)
					}
				}
				if !strings.Contains(plan, "using records_") {
					t.Errorf("no index of the records is in the plan:\n%s", plan)
				}
			})
		}
	}
}

// What is asked about one thing among many is found by an index, however the server
// plans.
func TestOneThingAmongTenThousandIsFoundByAnIndex(t *testing.T) {
	var sent tape
	s, url := open(t, postgres.Config{OnStatement: sent.add})
	c := connect(t, url)
	for _, sql := range []string{
		`INSERT INTO changes (kind, subject, value, at)
			SELECT CASE WHEN n % 2 = 0 THEN 'token' ELSE 'session' END, 's' || n, 0, now() FROM generate_series(1, 10000) n`,
		`INSERT INTO numbers (series, number, id) SELECT series, n, 'id' || n FROM generate_series(1, 10000) n, unnest(ARRAY['ships', 'users']) series`,
		`INSERT INTO accounts (id, name, roles, status, authority, credential, revision, created, changed)
			SELECT gen_random_uuid(), '', '{}', 'active', 1, 1, 1, now(), now() FROM generate_series(1, 10000)`,
		`INSERT INTO logins (kind, normal, value, account) SELECT 'username', id::text, id::text, id FROM accounts`,
		`ANALYZE`,
	} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []struct {
		name  string
		ask   func(ctx context.Context) error
		args  string
		index string
	}{
		{"a change about a subject", func(ctx context.Context) error {
			posted, err := s.Bulletin().Posted(ctx, domain.TokenRefused, "s44")
			if err == nil && !posted {
				err = errors.New("it is not found")
			}
			return err
		}, `'s44', 'token'`, "changes_subject_idx"},
		{"the numbers of two ids", func(ctx context.Context) error {
			given, err := s.Numbers().Of(ctx, "ships", "id44", "id7")
			if err == nil && !slices.Equal(given, []int64{44, 7}) {
				err = fmt.Errorf("they are %v", given)
			}
			return err
		}, `'ships', ARRAY['id44', 'id7']`, "numbers_id_key"},
		{"what has a number", func(ctx context.Context) error {
			_, err := s.Numbers().ByNumber(ctx, "ships", 44)
			return err
		}, `'ships', 44`, "numbers_pkey"},
		{"what has the numbers after one", func(ctx context.Context) error {
			_, err := s.Numbers().List(ctx, "ships", 44, 10)
			return err
		}, `'ships', 44, 10`, "numbers_pkey"},
		{"two accounts", func(ctx context.Context) error {
			_, err := s.Accounts().ByIDs(ctx, []domain.AccountID{ada, bob})
			return err
		}, `ARRAY['` + string(ada) + `', '` + string(bob) + `']`, "accounts_pkey"},
	} {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			t.Run(q.name+", "+mode, func(t *testing.T) {
				sql := sent.of(func() {
					if err := q.ask(t.Context()); err != nil {
						t.Fatal(err)
					}
				})
				plan := explain(t, url, mode, sql[0], q.args)
				if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, q.index) {
					t.Errorf("%s is not in the plan, or a whole table is:\n%s", q.index, plan)
				}
			})
		}
	}
}

// explain returns how the server runs a prepared statement.
func explain(t *testing.T, url, mode, sql, args string) string {
	t.Helper()
	c := connect(t, url)
	for _, sql := range []string{`SET plan_cache_mode = ` + mode, `PREPARE page AS ` + sql} {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := c.Query(t.Context(), `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE page(`+args+`)`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

func TestTheNumbersOfThePool(t *testing.T) {
	s, _ := open(t, postgres.Config{MaxConns: 3})
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.Stats(); n.Max != 3 || n.Open != 1 || n.Idle != 1 || n.InUse != 0 || n.Lent != 1 {
		t.Fatalf("they are %+v, want one of at most 3 connections open, idle, and lent once", n)
	}
}
