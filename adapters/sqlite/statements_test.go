package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A tally keeps the statements that a store was told of.
type tally struct {
	mu    sync.Mutex
	texts []string
}

func (c *tally) hear(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts = append(c.texts, text)
}

func (c *tally) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	texts := c.texts
	c.texts = nil
	return texts
}

func TestWhatIsAskedOftenIsOneStatement(t *testing.T) {
	var heard tally
	s := opened(t, sqlite.Config{Path: litetest.Path(t), OnStatement: heard.hear})
	ada, ships, ctx := person(1, "ada"), fleet("ships"), t.Context()
	policy := domain.SessionPolicy{Idle: time.Hour, Grace: time.Minute}
	boats := fleet("boats")
	boats.Unique, boats.Indexes = nil, []domain.Index{{Sort: domain.Sort{{Field: "built"}}}, {Sort: domain.Sort{{Field: "class"}, {Field: "crew"}}}}
	told := boats
	told.Search, told.Watch = []string{"name"}, true
	refresh := func(c domain.Counter) error {
		_, err := s.Sessions().Refresh(ctx, domain.RefreshToken{Session: visit(1, ada).ID, Counter: c}, noon, policy)
		return err
	}
	var all []string
	for _, c := range []struct {
		name string
		most int
		call func() error
	}{
		{"adding an account", 3, func() error { return s.Accounts().Add(ctx, ada, domain.NewPasswordHash("hash")) }},
		{"declaring a collection", 1, func() error { return s.Collections().Add(ctx, ships) }},
		{"finding who signs in", 1, func() error { _, _, err := s.Accounts().ByLogin(ctx, ada.Logins[0]); return err }},
		{"opening a session", 1, func() error { _, err := s.Sessions().Open(ctx, visit(1, ada), 1); return err }},
		{"opening a session that does not rotate", 1, func() error {
			lasting := visit(3, ada)
			lasting.Renewal = domain.Reusable
			_, err := s.Sessions().Open(ctx, lasting, 1)
			return err
		}},
		{"stopping its renewal", 1, func() error { return s.Sessions().StopRenewal(ctx, ada.ID, visit(3, ada).ID, noon) }},
		{"looking accounts up by their ids", 1, func() error {
			_, err := s.Accounts().ByIDs(ctx, []domain.AccountID{ada.ID, person(2, "bob").ID})
			return err
		}},
		{"giving an account another login", 3, func() error { return s.Accounts().SetLogins(ctx, ada.ID, 0, person(1, "Ada").Logins, noon) }},
		{"refusing an account another login", 3, func() error {
			if err := s.Accounts().SetLogins(ctx, ada.ID, 9, ada.Logins, noon); !errors.Is(err, domain.ErrStale) {
				return fmt.Errorf("at a revision that it never had: %w", err)
			}
			return nil
		}},
		{"noting that a session was used", 1, func() error {
			return s.Sessions().Saw(ctx, []domain.Sighting[domain.SessionID]{{ID: visit(1, ada).ID, At: noon}})
		}},
		{"adding an access key", 1, func() error { return s.AccessKeys().Add(ctx, pass(1, ada), visit(1, ada).ID) }},
		{"refusing an access key", 2, func() error {
			if err := s.AccessKeys().Add(ctx, pass(2, ada), visit(2, ada).ID); !errors.Is(err, domain.ErrSessionNotFound) {
				return fmt.Errorf("for a session that was never opened: %w", err)
			}
			return nil
		}},
		{"checking an access key", 1, func() error { _, _, err := s.AccessKeys().ByID(ctx, pass(1, ada).ID, noon); return err }},
		{"noting that an access key was used", 1, func() error {
			return s.AccessKeys().Saw(ctx, []domain.Sighting[domain.AccessKeyID]{{ID: pass(1, ada).ID, At: noon}})
		}},
		{"listing access keys", 1, func() error { _, err := s.AccessKeys().List(ctx, ada.ID, noon, "", 30); return err }},
		{"ending all access keys", 1, func() error { _, err := s.AccessKeys().EndAll(ctx, ada.ID); return err }},
		{"forgetting access keys", 1, func() error { _, err := s.AccessKeys().Prune(ctx, noon, 30); return err }},
		{"settling a key", 2, func() error { _, err := s.Keys().Settle(ctx, sealed(1)); return err }},
		{"reading the keys", 1, func() error { _, err := s.Keys().List(ctx); return err }},
		{"resealing a key", 1, func() error { return s.Keys().Reseal(ctx, sealed(1)) }},
		{"dropping a key", 1, func() error { return s.Keys().Drop(ctx, sealed(1).ID) }},
		{"checking a token", 1, func() error { _, err := s.Sessions().Authority(ctx, visit(1, ada).ID, noon); return err }},
		{"refreshing", 1, func() error { return refresh(0) }},
		{"refreshing once more within the grace", 2, func() error { return refresh(0) }},
		{"finding a thief", 4, func() error { return refresh(7) }},
		{"ending all sessions", 1, func() error { _, err := s.Sessions().EndAll(ctx, ada.ID, ""); return err }},
		{"asking whether a change is kept", 1, func() error { _, err := s.Bulletin().Posted(ctx, domain.TokenRefused, id(9, 1)); return err }},
		{"numbering three things", 5, func() error { _, err := s.Numbers().Of(ctx, "ships", id(3, 1), id(3, 2), id(3, 3)); return err }},
		{"finding the numbers of three things", 1, func() error { _, err := s.Numbers().Of(ctx, "ships", id(3, 3), id(3, 2), id(3, 1)); return err }},
		{"finding what has a number", 1, func() error { _, err := s.Numbers().ByNumber(ctx, "ships", 3); return err }},
		{"listing what has numbers", 1, func() error { _, err := s.Numbers().List(ctx, "ships", 0, 30); return err }},
		{"hearing the news", 1, func() error { _, _, err := s.Bulletin().News(ctx, ""); return err }},
		{"adding a record", 1, func() error { return s.Records().Add(ctx, ships.Ref(), ship(1), domain.Entries{}) }},
		{"reading a record", 1, func() error { _, err := s.Records().Get(ctx, ships.Ref(), ship(1).ID); return err }},
		{"reading a page", 1, func() error {
			_, err := s.Records().List(ctx, ships.Ref(), everything(30))
			return err
		}},
		{"replacing a record", 1, func() error { return s.Records().Replace(ctx, ships.Ref(), ship(1), domain.Entries{}) }},
		{"reading a page of a walk by time, of one account's", 2, func() error {
			_, err := s.Records().List(ctx, ships.Ref(), domain.Query{
				Walk: domain.Walk{Order: domain.ByChanged, Backward: true, Owner: ada.ID}, Where: domain.OwnedBy{Account: ada.ID}, Limit: 30, Scan: 100,
			})
			return err
		}},
		{"reading a page by a condition", 1, func() error {
			_, err := s.Records().List(ctx, ships.Ref(), domain.Query{Where: domain.Has{Path: domain.Member{"crew"}}, Limit: 30, Scan: 100})
			return err
		}},
		{"searching", 2, func() error {
			_, err := s.Records().List(ctx, ships.Ref(), domain.Query{Where: domain.Everything{}, Words: []string{"galaxy"}, Limit: 30, Scan: 100})
			return err
		}},
		{"counting", 1, func() error { _, err := s.Records().Count(ctx, ships.Ref(), everything(1000)); return err }},
		{"declaring a collection with indexes", 1, func() error { return s.Collections().Add(ctx, boats) }},
		{"adding a record with two indexes", 2, func() error { return s.Records().Add(ctx, boats.Ref(), ship(1), boats.Entries(ship(1), noon)) }},
		{"reading a page by an index", 1, func() error {
			_, err := s.Records().List(ctx, boats.Ref(), domain.Query{Walk: domain.Walk{Order: domain.ByIndex, Index: "built"}, Where: domain.Everything{}, Limit: 30})
			return err
		}},
		{"replacing a record with two indexes", 3, func() error { return s.Records().Replace(ctx, boats.Ref(), ship(1), boats.Entries(ship(1), noon)) }},
		{"entering a record in two indexes", 3, func() error {
			return s.Records().Enter(ctx, boats.Ref(), []ports.Filing{{ID: ship(1).ID, Revision: 2, Entries: boats.Entries(ship(1), noon)}})
		}},
		{"removing a record with two indexes", 1, func() error { return s.Records().Remove(ctx, boats.Ref(), ship(1).ID, 2, time.Time{}) }},
		{"replacing the declaration of a collection", 1, func() error { return s.Collections().Replace(ctx, told) }},
		{"holding a collection", 1, func() error { return s.Collections().Hold(ctx, domain.CollectionRef{Name: "boats", Revision: 2}) }},
		{"adding a record that is searched and told of", 5, func() error {
			return s.Records().Add(ctx, domain.CollectionRef{Name: "boats", Revision: 2}, ship(2), told.Entries(ship(2), noon))
		}},
		{"replacing a record that is searched and told of", 6, func() error {
			return s.Records().Replace(ctx, domain.CollectionRef{Name: "boats", Revision: 2}, ship(2), told.Entries(ship(2), noon))
		}},
		{"removing a record that is told of", 2, func() error {
			return s.Records().Remove(ctx, domain.CollectionRef{Name: "boats", Revision: 2}, ship(2).ID, 2, noon)
		}},
		{"hearing of records", 1, func() error { _, err := s.Events().News(ctx, "", 100); return err }},
		{"finding the latest event", 1, func() error { _, err := s.Events().Latest(ctx); return err }},
		{"forgetting events", 1, func() error { _, err := s.Events().Forget(ctx, noon, 100); return err }},
		{"claiming and keeping a receipt", 2, func() error {
			_, _, err := s.Receipts().Claim(ctx, domain.ReceiptID{1})
			return errors.Join(err, s.Receipts().Keep(ctx, domain.Receipt{ID: domain.ReceiptID{1}, Answer: []byte("yes"), At: noon}))
		}},
		{"forgetting receipts", 1, func() error { _, err := s.Receipts().Forget(ctx, noon, 100); return err }},
		{"advancing an import", 1, func() error { return s.Imports().Advance(ctx, domain.Import{ID: "1", Lines: 1}, 0) }},
		{"reading an import", 1, func() error { _, err := s.Imports().ByID(ctx, "1"); return err }},
		{"forgetting imports", 1, func() error { _, err := s.Imports().Forget(ctx, noon, 100); return err }},
		{"removing a collection", 1, func() error { return s.Collections().Remove(ctx, domain.CollectionRef{Name: "boats", Revision: 2}) }},
		{"removing a record", 1, func() error { return s.Records().Remove(ctx, ships.Ref(), ship(1).ID, 2, time.Time{}) }},
	} {
		heard.take()
		if err := c.call(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		texts := heard.take()
		all = append(all, texts...)
		if len(texts) == 0 || len(texts) > c.most {
			t.Errorf("%s took %d statements, want at most %d:\n%s", c.name, len(texts), c.most, strings.Join(texts, "\n"))
		}
	}
	followIndexes(t, all)
}

// bounded are the steps that look at all there is: of what is few, of what was given in
// an argument, of the words that are matched, and of what another step finds.
var bounded = regexp.MustCompile(`^SCAN (` +
	`(collections|keys) USING INDEX .*|sqlite_sequence` +
	`|(json_each|asked|wanted) VIRTUAL TABLE INDEX .*` +
	`|record_terms VIRTUAL TABLE INDEX (25[6-9]|15[34][0-9]):` + // of one term, or from one to another
	`|page|passed|further|counted|sought|[0-9]-ROW VALUES CLAUSE|CONSTANT ROW` +
	`)$`)

// single are the steps that look one row up, or those of one record.
var single = regexp.MustCompile(`\((rowid=\?|name=\?|collection=\? AND (id|record)=\?)\)$`)

// followIndexes fails if a statement looks at more rows than it needs. A caller's
// context cannot interrupt a statement, so none may be long: each finds its rows
// by an index, and in their order.
func followIndexes(t *testing.T, heard []string) {
	t.Helper()
	path := litetest.Path(t)
	if err := sqlite.Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	slices.Sort(heard)
	for _, text := range slices.Compact(heard) {
		for _, step := range plan(t.Context(), t, db, text) {
			few := strings.Contains(text, "record_terms")                // which are sorted
			own := strings.Contains(text, "INDEXED BY records_by_owner") // no more than may be looked at
			if few && strings.HasPrefix(step, "SEARCH") && !single.MatchString(step) ||
				own && strings.HasPrefix(step, "SEARCH") && strings.Contains(step, "records_by_owner") && !strings.Contains(step, "COVERING") ||
				!few && !own && strings.Contains(step, "TEMP B-TREE") || strings.HasPrefix(step, "SCAN") && !bounded.MatchString(step) {
				t.Errorf("%s: %s", step, text)
			}
		}
	}
}

func plan(ctx context.Context, t *testing.T, db *sql.DB, text string) []string {
	t.Helper()
	rows, err := db.QueryContext(ctx, "EXPLAIN QUERY PLAN "+text, make([]any, 200)...)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	defer func() { _ = rows.Close() }()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
