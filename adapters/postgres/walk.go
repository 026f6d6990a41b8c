package postgres

import (
	"cmp"
	"slices"
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// A walk renders a domain.Walk from the place behind which it goes on, so that one
// index leads along it.
type walk struct {
	from  string // where records r are found
	where string // which of them are passed
	order string
	found string // the order, of what has been found as w
	key   string // of a record's place, where that is not told by the record
}

// newWalk renders a walk through the collection that is the first argument.
func newWalk(args *arguments, w domain.Walk, after domain.Place) walk {
	on := walk{from: "records r", where: "r.collection = $1::text", key: "NULL::bytea"}
	if w.Order == domain.ByIndex {
		on.from = "record_index x JOIN records r ON r.collection = x.collection AND r.id = x.record AND r.revision = x.revision"
		on.where = "x.collection = $1::text AND x.name = " + args.add(w.Index, "text")
		on.key = "x.key"
	}
	switch {
	case w.Owner != "" && w.Gathers():
		// The server is not asked whether it had better walk along all records.
		on.from = "(SELECT * FROM records o WHERE o.collection = $1::text AND o.owner = " + args.add(string(w.Owner), "uuid") + " OFFSET 0) r"
	case w.Owner != "":
		on.where += " AND r.owner = " + args.add(string(w.Owner), "uuid")
	}
	key, id := columnsOf(w.Order)
	beyond, way := " > ", ""
	if w.Backward {
		beyond, way = " < ", " DESC"
	}
	on.order, on.found = id+way, "w.id"+way
	if key == "" {
		if after.ID != "" {
			on.where += " AND " + id + beyond + args.add(string(after.ID), "uuid")
		}
		return on
	}
	_, column, _ := strings.Cut(key, ".")
	on.order, on.found = key+way+", "+on.order, "w."+column+way+", "+on.found
	is := func(op string, p domain.Place) string {
		return " AND (" + key + ", " + id + ")" + op + "(" + keyOf(args, w.Order, p.Key) + ", " + args.add(string(cmp.Or(p.ID, first)), "uuid") + ")"
	}
	low, high := bounds(w, after)
	if low != "" {
		on.where += is(" >= ", domain.Place{Key: low})
	}
	if high != "" {
		on.where += is(" < ", domain.Place{Key: high})
	}
	switch {
	case after == (domain.Place{}):
	case after.ID == "" && !w.Backward: // before all that have the key
		on.where += is(" >= ", after)
	default:
		on.where += is(beyond, after)
	}
	return on
}

// first is the least id: before a place with it are all that have lesser keys. Bounds
// are places too, though keys would do. Where the server does not know them, it takes
// what lies between two keys for so little that it had better be sorted.
const first = domain.RecordID("00000000-0000-0000-0000-000000000000")

// columnsOf returns the columns that a walk is ordered by; it has no key by id.
func columnsOf(o domain.Order) (key, id string) {
	switch o {
	case domain.ByCreated:
		return "r.created", "r.id"
	case domain.ByChanged:
		return "r.changed", "r.id"
	case domain.ByIndex:
		return "x.key", "x.record"
	default:
		return "", "r.id"
	}
}

func keyOf(args *arguments, o domain.Order, key string) string {
	if o == domain.ByIndex {
		return args.add([]byte(key), "bytea")
	}
	return args.add(domain.KeyTime(key), "timestamptz")
}

// bounds returns the bounds of the keys, but for the one that the place behind which
// the walk goes on makes needless: of two, the server might begin at the outer one,
// and read all up to the other.
func bounds(w domain.Walk, after domain.Place) (low, high string) {
	if w.Order != domain.ByIndex {
		return "", ""
	}
	low, high = w.Low, w.High
	switch {
	case after == (domain.Place{}):
	case !w.Backward && after.Key >= low:
		low = ""
	case w.Backward && after.Key < high:
		high = ""
	}
	return low, high
}

// A stop is a record that was found on a walk.
type stop struct {
	record domain.Record
	key    string
}

// inOrder returns the records in the order of the walk. They come in it, but SQL does
// not promise that of a query around one that is ordered; and if it were told to,
// the server would sort what is sorted.
func inOrder(w domain.Walk, found []stop) []domain.Record {
	slices.SortFunc(found, func(a, b stop) int {
		if w.Backward {
			a, b = b, a
		}
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.record.ID, b.record.ID))
	})
	var records []domain.Record
	for _, s := range found {
		records = append(records, s.record)
	}
	return records
}

// stopAt returns a stop; key is that of a walk by index.
func stopAt(w domain.Walk, r domain.Record, key []byte) stop {
	switch w.Order {
	case domain.ByCreated:
		return stop{r, domain.TimeKey(r.Created)}
	case domain.ByChanged:
		return stop{r, domain.TimeKey(r.Changed)}
	default:
		return stop{r, string(key)}
	}
}
