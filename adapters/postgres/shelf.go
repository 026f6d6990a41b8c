package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/ports"
)

// A shelf is where a table of an archive stands in the database, and how its rows are
// read and written.
type shelf struct {
	read  string
	write []string // statements, each with an array a column
}

// A spelling is a column that does not stand in the database as it does in an archive, or
// not alone.
type spelling struct {
	column string // "": it has the same name
	read   string // an expression over the table t; "": the column
}

// spellings are by table and column.
var spellings = map[string]spelling{
	"collections.uniques":  {column: "unique_fields"},
	"record_words.words":   {read: `array_to_string(tsvector_to_array(t.words), ' ')`},
	"credentials.revision": {read: `a.credential`},
	// An owner who is gone is nobody, also where the record was made beside the going.
	"records.owner": {read: `a.id`},
}

// joins say what is read beside a table, and which of its rows count. No foreign key
// leads to a record: what is left of one that is gone is nothing.
var joins = map[string]string{
	"credentials":  `JOIN accounts a ON a.id = t.account`,
	"records":      `LEFT JOIN accounts a ON a.id = t.owner`,
	"record_keys":  `WHERE ` + ofRecord,
	"record_index": `WHERE ` + ofRecord,
	"record_words": `WHERE ` + ofRecord,
}

const ofRecord = `EXISTS (SELECT FROM records r WHERE r.collection = t.collection AND r.id = t.record)`

// casts are how a type of the server is read and written, for what is none of the four
// kinds: %s is a column.
var casts = map[string]struct{ read, write string }{
	"uuid":  {`%s::text`, `%s::uuid`},
	"json":  {`%s::text`, `%s::json`},
	"bool":  {`%s::integer::bigint`, `%s <> 0`},
	"_text": {`to_json(%s)::text`, `ARRAY(SELECT json_array_elements_text(%s::json))`}, // of roles and scopes, which need no quoting
}

// arrays are the types of the server in which the values of a column are sent.
var arrays = map[ports.ColumnKind]string{
	ports.Text: "text[]", ports.Number: "bigint[]", ports.Moment: "timestamptz[]", ports.Bytes: "bytea[]",
}

// shelvesOf returns all shelves. The types of the columns are the server's to tell.
func shelvesOf(ctx context.Context, tx pgx.Tx) (map[string]shelf, error) {
	types, err := typesOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	shelves := make(map[string]shelf)
	for _, t := range ports.Archived() {
		shelves[t.Name] = shelfOf(t, types)
	}
	return shelves, nil
}

// typesOf returns the type of each column of all tables, by "table.column".
func typesOf(ctx context.Context, tx pgx.Tx) (map[string]string, error) {
	var names []string
	for _, t := range ports.Archived() {
		names = append(names, t.Name)
	}
	rows, err := tx.Query(ctx, `
		SELECT c.relname || '.' || a.attname, t.typname
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
		WHERE c.oid IN (SELECT to_regclass(name) FROM unnest($1::text[]) name) AND a.attnum > 0 AND NOT a.attisdropped`, names)
	if err != nil {
		return nil, err
	}
	types := make(map[string]string)
	var column, kind string
	_, err = pgx.ForEachRow(rows, []any{&column, &kind}, func() error {
		types[column] = kind
		return nil
	})
	return types, err
}

func shelfOf(t ports.Table, types map[string]string) shelf {
	var into, read, given, names, sent []string
	for i, c := range t.Columns {
		s := spellings[t.Name+"."+c.Name]
		column := cmp.Or(s.column, c.Name)
		cast := casts[types[t.Name+"."+column]]
		from := cmp.Or(s.read, "t."+column)
		if cast.read != "" {
			from = fmt.Sprintf(cast.read, from)
		}
		value := "x." + column
		if cast.write != "" {
			value = fmt.Sprintf(cast.write, value)
		}
		into, read, given = append(into, column), append(read, from), append(given, value)
		names, sent = append(names, column), append(sent, fmt.Sprintf("$%d::%s", i+1, arrays[c.Kind]))
	}
	rows := ` FROM unnest(` + strings.Join(sent, ", ") + `) WITH ORDINALITY AS x (` + strings.Join(names, ", ") + `, place)`
	return shelf{
		read:  `SELECT ` + strings.Join(read, ", ") + ` FROM ` + t.Name + ` t ` + joins[t.Name] + ` ORDER BY ` + order(t, types),
		write: writes(t.Name, into, given, rows),
	}
}

// order returns by what a table is read: texts bytewise, ids as their texts, and events
// as they are told.
func order(t ports.Table, types map[string]string) string {
	if len(t.Order) == 0 {
		return "t.written, t.seq"
	}
	var by []string
	for _, c := range t.Order {
		column := "t." + c
		if types[t.Name+"."+c] == "text" {
			column += ` COLLATE "C"`
		}
		by = append(by, column)
	}
	return strings.Join(by, ", ")
}

// writes returns the statements that add rows.
func writes(table string, into, given []string, rows string) []string {
	insert := func(into, given []string) string {
		return `INSERT INTO ` + table + ` (` + strings.Join(into, ", ") + `) SELECT ` + strings.Join(given, ", ") + rows + ` ORDER BY x.place`
	}
	switch table {
	case "accounts": // the revision of its credential comes later
		return []string{insert(append(into, "credential"), append(given, "0"))}
	case "credentials":
		return []string{
			insert(into[:2], given[:2]),
			`UPDATE accounts a SET credential = x.revision` + rows + ` WHERE a.id = x.account::uuid`,
		}
	case "record_words":
		given = slices.Clone(given)
		given[2] = `array_to_tsvector(string_to_array(x.words, ' ') || ('` + marker + `' || x.collection))`
	}
	return []string{insert(into, given)}
}

// valuesOf returns the values of rows by column, as they are sent.
func valuesOf(t ports.Table, rows []ports.Row) ([]any, error) {
	var all []any
	for i, c := range t.Columns {
		switch c.Kind {
		case ports.Number:
			all = append(all, columnOf(rows, i, func(n int64) int64 { return n }))
		case ports.Moment:
			all = append(all, columnOf(rows, i, func(n int64) time.Time { return time.UnixMicro(n).UTC() }))
		case ports.Bytes:
			values := make([][]byte, len(rows))
			for n, r := range rows {
				values[n], _ = r[i].([]byte)
			}
			all = append(all, values)
		case ports.Text:
			convert, faults := respellings[t.Name+"."+c.Name].write, error(nil)
			all = append(all, columnOf(rows, i, func(s string) string {
				if convert == nil {
					return s
				}
				s, err := convert(s)
				if err != nil {
					faults = err
				}
				return s
			}))
			if faults != nil {
				return nil, faults
			}
		}
	}
	return all, nil
}

// columnOf returns the values of one column; nil is null.
func columnOf[T, S any](rows []ports.Row, i int, send func(T) S) []*S {
	values := make([]*S, len(rows))
	for n, r := range rows {
		if v, ok := r[i].(T); ok {
			s := send(v)
			values[n] = &s
		}
	}
	return values
}

// tables are the rows that a transaction sees.
type tables struct {
	tx      pgx.Tx
	shelves map[string]shelf
}

// Rows implements ports.Tables.
func (s tables) Rows(ctx context.Context, t ports.Table, visit func(ports.Row) error) error {
	rows, err := s.tx.Query(ctx, s.shelves[t.Name].read)
	if err != nil {
		return failed(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := neutral(rows, t)
		if err != nil {
			return err
		}
		if err := visit(r); err != nil {
			return err
		}
	}
	return failed(ctx, rows.Err())
}

// neutral reads one row.
func neutral(rows pgx.Rows, t ports.Table) (ports.Row, error) {
	into := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		switch c.Kind {
		case ports.Text:
			into[i] = new(*string)
		case ports.Number:
			into[i] = new(*int64)
		case ports.Moment:
			into[i] = new(*time.Time)
		case ports.Bytes:
			into[i] = new([]byte)
		}
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	r := make(ports.Row, len(into))
	for i, v := range into {
		switch v := v.(type) {
		case **string:
			if *v == nil {
				continue
			}
			text := **v
			if respell := respellings[t.Name+"."+t.Columns[i].Name].read; respell != nil {
				var err error
				if text, err = respell(text); err != nil {
					return nil, err
				}
			}
			r[i] = text
		case **int64:
			if *v != nil {
				r[i] = **v
			}
		case **time.Time:
			if *v != nil {
				r[i] = (*v).UnixMicro()
			}
		case *[]byte:
			if *v != nil {
				r[i] = *v
			}
		}
	}
	return r, nil
}

// respellings are by table and column: texts that are spelled otherwise here.
var respellings = map[string]struct{ read, write func(string) (string, error) }{
	"collections.indexes": {read: indexesToArchive, write: indexesFromArchive},
	"imports.problems":    {read: problemsToArchive},
	"record_words.words":  {read: wordsToArchive},
}

// An archivedIndex is an index as it is in an archive.
type archivedIndex struct {
	Sort     string `json:"sort"`
	Building bool   `json:"building"`
}

func indexesToArchive(text string) (string, error) {
	return respell(text, func(x storedIndex) archivedIndex { return archivedIndex{x.Order, x.Building} })
}

func indexesFromArchive(text string) (string, error) {
	return respell(text, func(x archivedIndex) storedIndex { return storedIndex{x.Sort, x.Building} })
}

// problemsToArchive gives each problem a list of fields, however empty.
func problemsToArchive(text string) (string, error) {
	type archived struct {
		Line   int64         `json:"line"`
		Code   string        `json:"code"`
		Detail string        `json:"detail"`
		Fields []storedField `json:"fields"`
	}
	return respell(text, func(p storedProblem) archived {
		return archived{p.Line, p.Code, p.Detail, append([]storedField{}, p.Fields...)}
	})
}

// wordsToArchive sorts words bytewise, and leaves out the one that is the collection.
func wordsToArchive(text string) (string, error) {
	words := slices.DeleteFunc(strings.Fields(text), func(w string) bool { return strings.HasPrefix(w, marker) })
	slices.Sort(words)
	return strings.Join(words, " "), nil
}

// respell spells each item of a list of JSON otherwise.
func respell[T, S any](text string, one func(T) S) (string, error) {
	var list []T
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return "", fmt.Errorf("postgres: a list that is not as it was written: %w", err)
	}
	b, err := json.Marshal(store(list, one))
	return string(b), err
}
