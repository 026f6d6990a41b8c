package ports

import (
	"context"
	"errors"
	"strings"
)

// An Archive is all that a store keeps, as tables of plain rows that mean the same in
// every store: what is carried from one store to another. It is no part of Store, for
// who serves has no use for it. One goroutine at a time uses it.
type Archive interface {
	// Read calls f with the tables as they all are at one moment, whatever is written
	// meanwhile, and returns what f does. It fails with ErrNoArchive where there is no
	// store, or one that is not of this release.
	Read(ctx context.Context, f func(Tables) error) error

	// Reserve makes the store, if there is none, and reserves it for what comes from
	// the source of that name, until Release. What a reservation for the same source
	// has brought before stays, however that ended. It fails with ErrReserved if the
	// store is reserved for another source, or somebody has it reserved now, and with
	// ErrOccupied if it keeps anything.
	Reserve(ctx context.Context, source string) error

	// Add puts rows behind those that the table has, all of them or none. Rows come in
	// the order of the table, and tables in that of Archived. It fails unless this
	// Archive has the store reserved; so does Clear.
	Add(ctx context.Context, t Table, rows []Row) error

	// Clear drops all rows of the tables, which are the last of Archived.
	Clear(ctx context.Context, tables []Table) error

	// Release ends the reservation: from here on the store can be served.
	Release(ctx context.Context) error

	// Close lets go of the store. What is reserved stays so, for whoever goes on.
	Close() error
}

// Tables are the rows of an archive at one moment.
type Tables interface {
	// Rows visits all rows of the table, in its order. What the visitor returns ends it.
	// A row is the visitor's to keep.
	Rows(ctx context.Context, t Table, visit func(Row) error) error
}

// The failures of an Archive.
var (
	ErrNoArchive = errors.New("there is no database of this release of Keyport")
	ErrReserved  = errors.New("the database is in use")
	ErrOccupied  = errors.New("the database is not empty")
)

// A Row has a value for each column of its table: nil, or what the column's kind says.
type Row []any

// A ColumnKind is what the values of a column are.
type ColumnKind uint8

// The kinds of columns.
const (
	Text   ColumnKind = iota // string
	Number                   // int64; a truth is 0 or 1
	Moment                   // int64: microseconds since 1970 in UTC
	Bytes                    // []byte, not nil
)

// A Column is one of a table. A value may be nil where it is Optional.
type Column struct {
	Name     string
	Kind     ColumnKind
	Optional bool
}

// A Table is a list of rows in one order, which is the same in every store: that of the
// columns by which Order says, compared bytewise, or that in which they were added.
type Table struct {
	Name    string
	Columns []Column
	Order   []string // empty: as they were added
}

// Archived returns all tables, each behind those that it refers to.
func Archived() []Table { return archived }

var archived = []Table{
	table("accounts", "id", text("id"), text("name"), text("roles"), text("status"), number("authority"), number("revision"),
		moment("created"), moment("changed")),
	table("logins", "kind normal", text("kind"), text("normal"), text("value"), text("account")),
	table("credentials", "account", text("account"), text("hash"), number("revision")),
	table("sessions", "id", text("id"), text("account"), number("counter"), moment("created"), moment("used"), moment("ends"),
		text("device"), text("renewal"), moment("seen"), text("address")),
	table("access_keys", "id", text("id"), text("account"), text("name"), text("scopes"), octets("digest"), moment("created"),
		optional(moment("expires")), optional(moment("seen")), text("address")),
	table("collections", "name", text("name"), text("schema"), text("rules"), text("uniques"), text("indexes"), text("search"),
		number("search_building"), number("watch"), number("managed"), number("revision"), moment("created"), moment("changed")),
	table("records", "collection id", text("collection"), text("id"), optional(text("owner")), text("data"), number("revision"),
		moment("created"), moment("changed")),
	table("record_keys", "collection field digest", text("collection"), text("field"), octets("digest"), text("record")),
	table("record_index", "collection name key record", text("collection"), text("name"), octets("key"), text("record"), number("revision")),
	table("record_words", "collection record", text("collection"), text("record"), text("words")),
	table("record_events", "", text("kind"), text("collection"), text("record"), optional(text("owner")), text("data"),
		optional(text("before")), number("revision"), moment("created"), moment("changed"), moment("at")),
	table("changes", "at kind subject value", text("kind"), text("subject"), number("value"), moment("at")),
	table("keys", "use number", text("use"), number("number"), text("id"), text("algorithm"), octets("sealed"), moment("created"), moment("signs")),
	table("numbers", "series number", text("series"), number("number"), text("id")),
	table("receipts", "id", octets("id"), octets("body"), octets("answer"), moment("at")),
	table("imports", "id", text("id"), optional(text("account")), text("collection"), number("lines"), number("stored"), number("refused"),
		text("problems"), number("done"), moment("created"), moment("changed")),
}

func table(name, order string, columns ...Column) Table {
	return Table{Name: name, Columns: columns, Order: strings.Fields(order)}
}

func text(name string) Column   { return Column{Name: name, Kind: Text} }
func number(name string) Column { return Column{Name: name, Kind: Number} }
func moment(name string) Column { return Column{Name: name, Kind: Moment} }
func octets(name string) Column { return Column{Name: name, Kind: Bytes} }

func optional(c Column) Column {
	c.Optional = true
	return c
}
