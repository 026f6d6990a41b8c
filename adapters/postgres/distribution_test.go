package postgres_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
)

// spread names, for each table that grows with its users, the column by which
// docs/scale.md spreads it over nodes: rows with the same value lie on the same node,
// and a statement that names the value is sent to that node alone.
var spread = map[string]string{
	"accounts":     "id",
	"credentials":  "account",
	"sessions":     "account",
	"access_keys":  "account",
	"logins":       "normal",
	"records":      "collection",
	"record_keys":  "collection",
	"record_index": "collection",
	"record_words": "collection",
	"receipts":     "id",
	"imports":      "id",
	"numbers":      "series",
}

// whole are the tables that are not spread.
var whole = map[string]string{
	"collections":      "a copy on each node: hundreds of rows, seldom written",
	"keys":             "a copy on each node: tens of rows, seldom written",
	"changes":          "on one node: replicas read them in the order of its transactions",
	"record_events":    "on one node: watchers read them in the order of its transactions",
	"goose_db_version": "on one node: a row for each migration",
}

// loose are the constraints that no one node could keep, and what keeps the promise
// instead.
var loose = map[string]string{
	"sessions_pkey":       "ids are 74 random bits beside a time; the key would be (account, id)",
	"access_keys_pkey":    "ids are 74 random bits beside a time; the key would be (account, id)",
	"logins_account_fkey": "a login lies elsewhere than its account; the one statement that deletes an account would delete its logins",
}

// scattered are the statements that do not name a value for all of their tables: the
// tables, what the statement has that others have not, and why that is borne.
var scattered = []exception{
	{"accounts credentials logins", "FROM logins given", "a sign-in knows a login, which leads to an account elsewhere; the hash costs a hundred times as much"},
	{"logins", "WHERE a.id = $1::uuid", "the logins of an account lie where each is looked for, and are found on all nodes by an index; read by me and by administrators"},
	{"logins", "SELECT EXISTS", "whether one of several new logins is taken: a change of names"},
	{"logins", "ORDER BY place", "old logins are dropped wherever they lie: a change of names"},
	{"accounts logins", "ORDER BY a.id LIMIT", "administrators list all accounts: each node gives its first"},
	{"accounts logins", "a.id = ANY", "administrators look at some accounts at once, which lie on several nodes"},
	{"accounts sessions", "UPDATE sessions s SET counter = s.counter + 1", "a refresh token names its session and not its account: all nodes are asked for one row by its primary key, and the token would name the account too"},
	{"accounts sessions", "SELECT a.id, a.authority, a.roles FROM sessions", "asked only where a replica has not heard the bulletin; the access token names the account too"},
	{"accounts sessions", "SELECT s.id, s.account", "who makes an access key; the access token names the account too"},
	{"access_keys accounts", "FROM access_keys k JOIN accounts", "an access key names itself and not its account, as a refresh token does"},
	{"sessions", "UPDATE sessions t SET seen", "what was seen of many sessions, written at most once a minute by each replica"},
	{"access_keys", "UPDATE access_keys t SET seen", "what was seen of many keys, written at most once a minute by each replica"},
	{"records", "SET owner = NULL", "an account is deleted: its records lie wherever their collections do"},
	{"sessions", "ORDER BY ends LIMIT", "a chore, once in ten minutes: each node prunes its own"},
	{"access_keys", "ORDER BY expires LIMIT", "a chore, once in ten minutes: each node prunes its own"},
	{"receipts", "ORDER BY at LIMIT", "a chore, once a minute: each node prunes its own"},
	{"imports", "ORDER BY changed LIMIT", "a chore, once a minute: each node prunes its own"},
}

type exception struct{ tables, mark, why string }

// A statements collects the texts of what was sent. It is safe for concurrent use.
type statements struct {
	sync.Mutex
	seen map[string]bool
}

func (s *statements) add(sql string) {
	s.Lock()
	defer s.Unlock()
	if s.seen == nil {
		s.seen = make(map[string]bool)
	}
	s.seen[strings.Join(strings.Fields(sql), " ")] = true
}

// check tells of each statement that does not name the value by which one of its
// tables is spread, and of each entry of scattered that no statement needs.
func (s *statements) check(t *testing.T) {
	if len(s.seen) < 100 {
		t.Fatalf("%d statements are too few to judge", len(s.seen))
	}
	needed := make([]bool, len(scattered))
	for _, sql := range slices.Sorted(maps.Keys(s.seen)) {
		tables := unrouted(sql)
		if len(tables) == 0 {
			continue
		}
		entry := slices.IndexFunc(scattered, func(e exception) bool {
			return e.tables == strings.Join(tables, " ") && strings.Contains(sql, e.mark)
		})
		if entry < 0 {
			t.Errorf("where are its rows of %v?\n%s", tables, sql)
			continue
		}
		needed[entry] = true
	}
	for i, e := range scattered {
		if !needed[i] {
			t.Errorf("no statement needs the entry of %s with %q", e.tables, e.mark)
		}
	}
}

var (
	mention  = regexp.MustCompile(`\b(FROM|JOIN|INTO|UPDATE|USING) ([a-z_]+)(?:(?: AS)? ([a-z]+)\b)?`)
	equality = regexp.MustCompile(`((?:[a-z_]+\.)?[a-z_]+|\$[0-9]+)(?:::[a-z0-9\[\]]+)* = ((?:[a-z_]+\.)?[a-z_]+|\$[0-9]+)`)
	inserted = regexp.MustCompile(`INSERT INTO ([a-z_]+)(?: AS [a-z]+)? \(([^)]*)\)`)
)

// unrouted returns, sorted, the tables of a statement for which it does not name the
// value that says where their rows lie. It follows equalities: what is joined with
// what a parameter gives is given. Aliases are taken to mean the same all over the
// statement.
func unrouted(sql string) []string {
	given := map[string]bool{"$": true}
	equal := equality.FindAllStringSubmatch(sql, -1)
	for range equal { // as many steps as there are, at most
		for _, e := range equal {
			a, b := strings.TrimRight(e[1], "0123456789"), strings.TrimRight(e[2], "0123456789")
			if given[a] || given[b] {
				given[a], given[b] = true, true
			}
		}
	}
	filled := make(map[string]bool)
	for _, m := range inserted.FindAllStringSubmatch(sql, -1) {
		filled[m[1]] = slices.Contains(strings.Split(m[2], ", "), spread[m[1]])
	}
	tables := make(map[string]bool)
	for _, m := range mention.FindAllStringSubmatch(sql, -1) {
		verb, table, alias := m[1], m[2], m[3]
		key, ok := spread[table]
		switch {
		case !ok, verb == "INTO" && filled[table]:
		case given[key], given[table+"."+key], given[alias+"."+key]:
		default:
			tables[table] = true
		}
	}
	return slices.Sorted(maps.Keys(tables))
}

func TestAStatementIsRoutedByWhatItNames(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT hash FROM credentials WHERE account = $1::uuid":                                                       "",
		"SELECT a.id FROM accounts a JOIN sessions s ON s.account = a.id WHERE a.id = $1::uuid":                       "",
		"SELECT a.id FROM accounts a JOIN sessions s ON s.account = a.id WHERE s.id = $1::uuid":                       "accounts sessions",
		"DELETE FROM sessions WHERE ends < $1::timestamptz":                                                           "sessions",
		"INSERT INTO credentials (account, hash) SELECT id, $1::text FROM held":                                       "",
		"INSERT INTO credentials (hash) VALUES ($1::text)":                                                            "credentials",
		"WITH c AS (SELECT name FROM collections) SELECT r.id FROM records r WHERE r.id = $1::uuid":                   "records",
		"UPDATE records r SET revision = 2 FROM held WHERE r.collection = $1::text AND r.id = held.id":                "",
		"SELECT count(*) FROM record_index x JOIN records r ON r.collection = x.collection WHERE x.name = $1::text":   "record_index records",
		"SELECT true FROM record_index x JOIN records r ON r.collection = x.collection WHERE x.collection = $1::text": "",
	} {
		if got := strings.Join(unrouted(sql), " "); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

// What is unique, and what leads to another row, can be kept by one node only if it
// stays on it.
func TestConstraintsStayOnOneNode(t *testing.T) {
	c := connect(t, pgtest.Database(t, postgres.Migrate))
	type constraint struct {
		Table, Name string
		Columns     []string
		Other       *string  // the table that a foreign key leads to
		There       []string // its columns
	}
	rows, err := c.Query(t.Context(), `
		SELECT c.relname, coalesce(k.conname, i.relname), array(
			SELECT a.attname FROM unnest(x.indkey) n JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = n
		)::text[], NULL, NULL::text[]
		FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
		LEFT JOIN pg_constraint k ON k.conindid = i.oid AND k.contype IN ('p', 'u')
		WHERE x.indisunique AND c.relnamespace = 'public'::regnamespace
		UNION ALL
		SELECT c.relname, k.conname,
			array(SELECT attname FROM pg_attribute WHERE attrelid = k.conrelid AND attnum = ANY (k.conkey))::text[], o.relname,
			array(SELECT attname FROM pg_attribute WHERE attrelid = k.confrelid AND attnum = ANY (k.confkey))::text[]
		FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class o ON o.oid = k.confrelid
		WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace`)
	if err != nil {
		t.Fatal(err)
	}
	constraints, err := pgx.CollectRows(rows, pgx.RowToStructByPos[constraint])
	if err != nil {
		t.Fatal(err)
	}
	tables, broken := make(map[string]bool), make(map[string]bool)
	for _, c := range constraints {
		tables[c.Table] = true
		key := spread[c.Table]
		stays := slices.Contains(c.Columns, key)
		if c.Other != nil {
			stays = stays && slices.Contains(c.There, spread[*c.Other])
		}
		if _, ok := whole[c.Table]; !ok && !stays {
			broken[c.Name] = true
			if loose[c.Name] == "" {
				t.Errorf("%s of %s does not hold %q", c.Name, c.Table, key)
			}
		}
	}
	for name := range loose {
		if !broken[name] {
			t.Errorf("%s need not be loose", name)
		}
	}
	placed := slices.Sorted(maps.Keys(whole))
	placed = slices.Sorted(slices.Values(slices.AppendSeq(placed, maps.Keys(spread))))
	var all []string
	rows, err = c.Query(t.Context(), `SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`)
	if err == nil {
		all, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	if !slices.Equal(all, placed) {
		t.Errorf("tables %v\nplaced %v", all, placed)
	}
}
