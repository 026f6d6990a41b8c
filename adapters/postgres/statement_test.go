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
	"github.com/keyport-go/keyport/ports"
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
	filed := domain.Entries{Index: []domain.IndexKey{{Index: "n", Key: "1"}}, Words: []string{"ship"}, Event: noon}
	keys := domain.Entries{Unique: []domain.UniqueKey{{Field: "imo"}}}
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
		{"add a record without unique keys", 1, func(ctx context.Context) error { return s.Records().Add(ctx, bare.Ref(), ship(1), domain.Entries{}) }},
		{"read a record", 1, func(ctx context.Context) error {
			_, err := s.Records().Get(ctx, bare.Ref(), ship(1).ID)
			return err
		}},
		{"read a page", 1, func(ctx context.Context) error {
			_, err := s.Records().List(ctx, bare.Ref(), domain.Query{Where: domain.Everything{}, Limit: 50, Scan: 1000})
			return err
		}},
		{"read a page of those that a condition picks", 1, func(ctx context.Context) error {
			_, err := s.Records().List(ctx, bare.Ref(), domain.Query{Where: domain.Is{Term: domain.Member{"n"}}, Words: []string{"ship"}, Limit: 50, Scan: 1000})
			return err
		}},
		{"count", 1, func(ctx context.Context) error {
			_, err := s.Records().Count(ctx, bare.Ref(), domain.Query{Where: domain.Is{Term: domain.Member{"n"}}, Limit: 50, Scan: 1000})
			return err
		}},
		{"replace a record without unique keys", 1, func(ctx context.Context) error {
			return s.Records().Replace(ctx, bare.Ref(), ship(1), domain.Entries{})
		}},
		{"remove a record", 1, func(ctx context.Context) error {
			return s.Records().Remove(ctx, bare.Ref(), ship(1).ID, 2, time.Time{})
		}},
		{"add a record with all but unique keys", 1, func(ctx context.Context) error { return s.Records().Add(ctx, bare.Ref(), ship(1), filed) }},
		{"replace a record with all but unique keys", 1, func(ctx context.Context) error { return s.Records().Replace(ctx, bare.Ref(), ship(1), filed) }},
		{"enter two records", 1, func(ctx context.Context) error {
			return s.Records().Enter(ctx, bare.Ref(), []ports.Filing{{ID: ship(1).ID, Revision: 2, Entries: filed}, {ID: ship(2).ID, Revision: 1, Entries: filed}})
		}},
		{"remove a record and tell it", 1, func(ctx context.Context) error { return s.Records().Remove(ctx, bare.Ref(), ship(1).ID, 2, noon) }},
		{"read what became of records", 1, func(ctx context.Context) error {
			_, err := s.Events().News(ctx, "", 10)
			return err
		}},
		{"read where events end", 1, func(ctx context.Context) error {
			_, err := s.Events().Latest(ctx)
			return err
		}},
		{"claim a receipt", 2, func(ctx context.Context) error {
			_, _, err := s.Receipts().Claim(ctx, domain.ReceiptID{1})
			return err
		}},
		{"keep a receipt", 1, func(ctx context.Context) error {
			return s.Receipts().Keep(ctx, domain.Receipt{ID: domain.ReceiptID{1}, At: noon})
		}},
		{"take an import on", 1, func(ctx context.Context) error { return s.Imports().Advance(ctx, importOf(10), 0) }},
		{"read how far an import is", 1, func(ctx context.Context) error {
			_, err := s.Imports().ByID(ctx, importOf(10).ID)
			return err
		}},
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

// What is asked about one thing among many is found by an index.
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
		t.Run(q.name, func(t *testing.T) {
			sql := sent.of(func() {
				if err := q.ask(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
			plan := explain(t, url, sql[0], q.args)
			if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, q.index) {
				t.Errorf("%s is not in the plan, or a whole table is:\n%s", q.index, plan)
			}
		})
	}
}

// explain returns how the server runs a prepared statement for the store.
func explain(t *testing.T, url, sql, args string) string {
	t.Helper()
	c := connect(t, url)
	asked := []string{`PREPARE page AS ` + sql}
	for name, value := range postgres.Planning {
		asked = append(asked, `SET `+name+` = `+value)
	}
	for _, sql := range asked {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if args != "" {
		args = "(" + args + ")"
	}
	rows, err := c.Query(t.Context(), `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE page`+args)
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
