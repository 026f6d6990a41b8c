package postgres_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// fillRecords stores so many records in each of the collections, a tenth of them of
// ada, with an index and words.
func fillRecords(t testing.TB, url string, count int, collections ...string) {
	t.Helper()
	names := "ARRAY['" + strings.Join(collections, "', '") + "']"
	instruct(t, url, []string{
		fmt.Sprintf(`
		INSERT INTO records (collection, id, owner, data, revision, created, changed)
		SELECT collection, gen_random_uuid(), CASE WHEN n %% 10 = 0 THEN '`+string(ada)+`'::uuid END,
			json_build_object('length', n, 'name', 'ship ' || n), 1,
			'2030-01-02T12:00:00Z'::timestamptz + n * interval '1 second', '2030-01-02T12:00:00Z'::timestamptz + n * 7919 %% 10007 * interval '1 second'
		FROM generate_series(1, %d) n, unnest(%s) collection`, count, names),
		`INSERT INTO record_index (collection, name, key, record, revision)
		SELECT collection, 'length', decode(lpad(to_hex((data ->> 'length')::integer), 8, '0'), 'hex'), id, revision FROM records WHERE collection = ANY (` + names + `)`,
		`INSERT INTO record_words (collection, record, words)
		SELECT collection, id, array_to_tsvector(ARRAY['/' || collection, 'ship', data ->> 'length']) FROM records WHERE collection = ANY (` + names + `)`,
	})
}

// instruct runs statements one after the other.
func instruct(t testing.TB, url string, all []string) {
	t.Helper()
	c := connect(t, url)
	for _, sql := range all {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

// surveys are what the server may know of ships, by which it plans: when its statistics
// were made, if they were.
var surveys = []struct {
	name string
	fill func(t testing.TB, url string, count int)
}{
	{"all is known", func(t testing.TB, url string, count int) {
		fillRecords(t, url, count, "ships", "authors")
		instruct(t, url, []string{`VACUUM ANALYZE`})
	}},
	{"nothing is known", func(t testing.TB, url string, count int) {
		fillRecords(t, url, count, "ships", "authors")
	}},
	{"others are known", func(t testing.TB, url string, count int) {
		fillRecords(t, url, count, "authors")
		instruct(t, url, []string{`VACUUM ANALYZE`})
		fillRecords(t, url, count, "ships")
	}},
	{"few are known", func(t testing.TB, url string, count int) {
		fillRecords(t, url, 10, "ships", "authors")
		instruct(t, url, []string{`VACUUM ANALYZE`, `DELETE FROM records`, `DELETE FROM record_index`, `DELETE FROM record_words`})
		fillRecords(t, url, count, "ships", "authors")
	}},
}

// surveyed has f look at a store with so many ships, whatever the server knows of them.
func surveyed(t *testing.T, count int, f func(t *testing.T, s *postgres.Store, url string, sent *tape)) {
	for _, survey := range surveys {
		t.Run(survey.name, func(t *testing.T) {
			var sent tape
			s, url := open(t, postgres.Config{OnStatement: sent.add})
			declare(t, s, "ships")
			survey.fill(t, url, count)
			f(t, s, url, &sent)
		})
	}
}

// A page is read along an index and no further than its end, or the end of what one
// account has, whatever the server knows of them.
func TestAPageOfTenThousandRecordsIsReadAlongAnIndex(t *testing.T) {
	surveyed(t, 10_000, isReadAlongAnIndex)
}

func isReadAlongAnIndex(t *testing.T, s *postgres.Store, url string, sent *tape) {
	ships := domain.CollectionRef{Name: "ships", Revision: 1}
	const middle = domain.RecordID("80000000-0000-4000-8000-000000000000")
	at := noon.Add(5000 * time.Second)
	for _, w := range []struct {
		name  string
		walk  domain.Walk
		after domain.Place
		args  string
		index string
	}{
		{"by id", domain.Walk{}, domain.Place{ID: middle}, `'%id'`, "records_pkey"},
		{"by time of creation", domain.Walk{Order: domain.ByCreated}, domain.Place{Key: domain.TimeKey(at), ID: middle}, `'%at', '%id'`, "records_created_idx"},
		{"by time of change", domain.Walk{Order: domain.ByChanged}, domain.Place{Key: domain.TimeKey(at), ID: middle}, `'%at', '%id'`, "records_changed_idx"},
		{
			"by index",
			domain.Walk{Order: domain.ByIndex, Index: "length", Low: "\x00\x00\x00\x01", High: "\x00\xff"},
			domain.Place{Key: "\x00\x00\x13\x88", ID: middle},
			`'length', '%bound', '%zero', '\x00001388', '%id'`, "record_index_pkey",
		},
		{"by id, one owner's", domain.Walk{Owner: ada}, domain.Place{ID: middle}, `'%ada', '%id'`, "records_owner_idx"},
		{"by time of creation, one owner's", domain.Walk{Order: domain.ByCreated, Owner: ada}, domain.Place{Key: domain.TimeKey(at), ID: middle}, `'%ada', '%at', '%id'`, "records_owner_idx"},
		{"by time of change, one owner's", domain.Walk{Order: domain.ByChanged, Owner: ada}, domain.Place{Key: domain.TimeKey(at), ID: middle}, `'%ada', '%at', '%id'`, "records_owner_idx"},
	} {
		for _, where := range []struct {
			name  string
			where domain.Predicate
			args  string
		}{
			{"all", domain.Everything{}, ""},
			{"those that a condition picks", domain.Compare{Op: domain.Less, Left: domain.Literal{Value: 0.0}, Right: domain.Member{"length"}}, `, 0, 'length'`},
		} {
			for _, backward := range []bool{false, true} {
				for _, first := range []bool{false, true} {
					w.walk.Backward = backward
					q := domain.Query{Walk: w.walk, Where: where.where, After: w.after, Limit: 50, Scan: 100_000}
					args, bound := w.args, `\x00ff`
					if backward {
						bound = `\x00000001`
					}
					if first {
						q.After, args = domain.Place{}, strings.NewReplacer(`, '%at', '%id'`, "", `'%at', '%id'`, "", `, '%id'`, "", `'%id'`, "", `'%bound', '%zero', '\x00001388'`, `'\x00000001', '%zero', '\x00ff', '%zero'`).Replace(args)
					}
					args = strings.TrimSuffix(`'ships', 1, `+args, ", ")
					args = strings.NewReplacer("%at", at.Format(time.RFC3339), "%id", string(middle), "%ada", string(ada), "%bound", bound, "%zero", "00000000-0000-0000-0000-000000000000").Replace(args) + where.args
					t.Run(fmt.Sprintf("%s, %s, backward %v, first %v", w.name, where.name, backward, first), func(t *testing.T) {
						sql := sent.of(func() {
							page, err := s.Records().List(t.Context(), ships, q)
							if err != nil || len(page) != 50 {
								t.Fatalf("it has %d records (%v), want 50", len(page), err)
							}
						})
						plan := explain(t, url, sql[len(sql)-1], args)
						bads := []string{"Sort", "Seq Scan on record", "Bitmap", "Rows Removed by Filter: 1", "rows=10001"}
						if w.walk.Gathers() { // ada's thousand, in any order
							bads = []string{"Seq Scan on record", "rows=1001", "rows=10000"}
						}
						for _, bad := range bads {
							if strings.Contains(plan, bad) {
								t.Errorf("%s is in the plan:\n%s", bad, plan)
							}
						}
						if !strings.Contains(plan, w.index) {
							t.Errorf("%s is not in the plan:\n%s", w.index, plan)
						}
					})
				}
			}
		}
	}
}

// thousands are rows that are read for the sake of a few.
var thousands = regexp.MustCompile(`(rows=|Filter: )\d{4,}`)

// Beside a page, what is found, written and forgotten among many is found by an index,
// whatever the server knows of them.
func TestWhatIsKeptOfRecordsIsFoundByAnIndex(t *testing.T) {
	surveyed(t, 5_000, isFoundByAnIndex)
}

func isFoundByAnIndex(t *testing.T, s *postgres.Store, url string, sent *tape) {
	ships := domain.CollectionRef{Name: "ships", Revision: 1}
	for n := range 2 {
		if err := s.Records().Add(t.Context(), ships, ship(n+1), domain.Entries{}); err != nil {
			t.Fatal(err)
		}
	}
	instruct(t, url, []string{`INSERT INTO record_events (kind, collection, record, data, revision, created, changed, at)
		SELECT 'created', 'ships', gen_random_uuid(), '{}', 1, now(), now(), now() FROM generate_series(1, 5000)`})
	entries := domain.Entries{Index: []domain.IndexKey{{Index: "length", Key: "a"}}, Words: []string{"ship"}}
	id := `'` + string(ship(1).ID) + `'`
	for _, q := range []struct {
		name    string
		do      func() error
		args    string
		indexes []string
	}{
		{"words that few have", func() error {
			_, err := s.Records().List(t.Context(), ships, domain.Query{Where: domain.Everything{}, Words: []string{"4711"}, Limit: 50, Scan: 100_000})
			return err
		}, `'ships', 1, $$'/ships' & '4711':*$$`, []string{"record_words_words_idx", "records_pkey"}},
		{
			"a new form of a record", func() error { return s.Records().Replace(t.Context(), ships, ship(1), entries) },
			`'ships', 1, ` + id + `, 2, '{}', now(), '{}', '{}', '{length}', '{a}', 'ship'`,
			[]string{"record_index_record_idx", "records_pkey"},
		},
		{"the entries of records", func() error {
			return s.Records().Enter(t.Context(), ships, []ports.Filing{{ID: ship(1).ID, Revision: 2, Entries: entries}})
		}, `'ships', 1, ARRAY[` + id + `], '{2}', '{ship}', ARRAY[` + id + `], '{length}', '{a}'`, []string{"record_index_record_idx", "record_words_pkey", "records_pkey"}},
		{"the first events", func() error {
			_, err := s.Events().News(t.Context(), "1-1", 10)
			return err
		}, `'1', 1, 10`, []string{"record_events_pkey"}},
		{"where events end", func() error {
			_, err := s.Events().Latest(t.Context())
			return err
		}, ``, []string{"record_events_pkey"}},
		{"the removal of a record", func() error {
			return s.Records().Remove(t.Context(), ships, ship(2).ID, 1, time.Time{})
		}, `'ships', 1, '` + string(ship(2).ID) + `', 1`, []string{"record_index_record_idx", "record_words_pkey", "records_pkey"}},
	} {
		t.Run(q.name, func(t *testing.T) {
			sql := sent.of(func() {
				if err := q.do(); err != nil {
					t.Fatal(err)
				}
			})
			plan := explain(t, url, sql[0], q.args)
			for _, index := range q.indexes {
				if !strings.Contains(plan, index) {
					t.Errorf("%s is not in the plan:\n%s", index, plan)
				}
			}
			if all := thousands.FindString(plan); all != "" {
				t.Errorf("all of a table is read, %s:\n%s", all, plan)
			}
		})
	}
}
