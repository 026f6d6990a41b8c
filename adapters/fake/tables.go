package fake

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// tables is the whole state. A method judges before it writes, so that one which
// fails has changed nothing. No slice in it is shared with a caller, nor written
// to after it was stored, so that a copy of the maps is a copy of the state.
type tables struct {
	accounts    map[domain.AccountID]domain.Account
	credentials map[domain.AccountID]domain.Credential
	sessions    map[domain.SessionID]domain.Session
	accessKeys  map[domain.AccessKeyID]domain.AccessKey
	collections map[domain.CollectionName]domain.Collection
	records     map[place]domain.Record
	filed       map[place]filing
	unique      map[claim]domain.RecordID
	receipts    map[domain.ReceiptID]domain.Receipt
	imports     map[domain.ImportID]domain.Import
	keys        map[string]domain.Key      // by id
	numbers     map[domain.Series][]string // the id of number n at n-1
	changes     []domain.Change            // in the order in which they were posted
	forgotten   int                        // how many are gone from the front
	events      []domain.Event             // in the order in which they were told
	told        int                        // how many there were, with those that are forgotten
}

// A place is where a record lies.
type place struct {
	collection domain.CollectionName
	id         domain.RecordID
}

// A claim is a unique key of one collection.
type claim struct {
	collection domain.CollectionName
	key        domain.UniqueKey
}

func newTables() tables {
	return tables{
		accounts:    make(map[domain.AccountID]domain.Account),
		credentials: make(map[domain.AccountID]domain.Credential),
		sessions:    make(map[domain.SessionID]domain.Session),
		accessKeys:  make(map[domain.AccessKeyID]domain.AccessKey),
		collections: make(map[domain.CollectionName]domain.Collection),
		records:     make(map[place]domain.Record),
		filed:       make(map[place]filing),
		unique:      make(map[claim]domain.RecordID),
		receipts:    make(map[domain.ReceiptID]domain.Receipt),
		imports:     make(map[domain.ImportID]domain.Import),
		keys:        make(map[string]domain.Key),
		numbers:     make(map[domain.Series][]string),
	}
}

func (t *tables) clone() tables {
	return tables{
		maps.Clone(t.accounts), maps.Clone(t.credentials), maps.Clone(t.sessions), maps.Clone(t.accessKeys), maps.Clone(t.collections),
		maps.Clone(t.records), maps.Clone(t.filed), maps.Clone(t.unique), maps.Clone(t.receipts), maps.Clone(t.imports),
		maps.Clone(t.keys), maps.Clone(t.numbers), slices.Clip(t.changes), t.forgotten, slices.Clip(t.events), t.told,
	}
}

// stamp returns t as a store keeps it: in UTC, to the microsecond.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// sightable reports whether a sighting at the given time is kept where the last one
// was at seen; zero: there was none.
func sightable(seen, at time.Time) bool {
	return seen.IsZero() || !at.Before(seen.Add(domain.SightingInterval))
}

// page returns at most limit of the items, ordered by id, beginning after the
// given one.
func page[T any, ID cmp.Ordered](items []T, id func(T) ID, after ID, limit int) []T {
	items = slices.DeleteFunc(items, func(x T) bool { return id(x) <= after })
	slices.SortFunc(items, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	return items[:min(max(limit, 0), len(items))]
}
