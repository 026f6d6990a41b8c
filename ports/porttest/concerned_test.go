package porttest

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/ports"
)

// concerned returns the clauses that can come upon what a store may lie about. One that
// never asks for any repository that a lie replaces finds what it finds on an honest
// store.
func concerned(s ports.Store) []clause[ports.Store] {
	bent := shareOf(s)
	return slices.DeleteFunc(slices.Clone(store), func(c clause[ports.Store]) bool { return askedFor()[c.name]&bent == 0 })
}

// A share is some of what a store is: a bit for each repository, in the order of the
// fields of a lie, and one for what is not in them, which no lie replaces.
type share uint32

const (
	wholeStore = ^share(0)
	itself     = share(1) << 31
)

// share returns what a lie replaces.
func (l lie) share() (p share) {
	fields := reflect.ValueOf(l)
	for i := range fields.NumField() {
		if !fields.Field(i).IsNil() {
			p |= 1 << i
		}
	}
	return p
}

// shareOf returns where a store may differ from an honest one: everywhere, unless it
// is an honest one behind a lie.
func shareOf(s ports.Store) share {
	l, ok := s.(lying)
	if !ok {
		return wholeStore
	}
	if f, ok := l.Store.(*fake.Store); !ok || f.Replay || f.Fault != nil {
		return wholeStore
	}
	return l.lie.share()
}

// askedFor returns, by the name of a clause, what it asks an honest store for.
var askedFor = sync.OnceValue(func() map[string]share {
	all := make(map[string]share)
	for _, c := range store {
		var seen atomic.Uint32
		seen.Store(uint32(itself))
		if err := c.check(context.Background(), lying{new(fake.Store), noting(&seen)}); err != nil {
			seen.Store(uint32(wholeStore)) // who knows what it would have asked for
		}
		all[c.name] = share(seen.Load())
	}
	return all
})

// noting is no lie: it notes what is asked for.
func noting(seen *atomic.Uint32) lie {
	return lie{
		accounts:    noted(seen, lie{accounts: ports.Repositories.Accounts}, ports.Repositories.Accounts),
		sessions:    noted(seen, lie{sessions: ports.Repositories.Sessions}, ports.Repositories.Sessions),
		accessKeys:  noted(seen, lie{accessKeys: ports.Repositories.AccessKeys}, ports.Repositories.AccessKeys),
		collections: noted(seen, lie{collections: ports.Repositories.Collections}, ports.Repositories.Collections),
		records:     noted(seen, lie{records: ports.Repositories.Records}, ports.Repositories.Records),
		events:      noted(seen, lie{events: ports.Repositories.Events}, ports.Repositories.Events),
		receipts:    noted(seen, lie{receipts: ports.Repositories.Receipts}, ports.Repositories.Receipts),
		imports:     noted(seen, lie{imports: ports.Repositories.Imports}, ports.Repositories.Imports),
		keys:        noted(seen, lie{keys: ports.Repositories.Keys}, ports.Repositories.Keys),
		numbers:     noted(seen, lie{numbers: ports.Repositories.Numbers}, ports.Repositories.Numbers),
		bulletin:    noted(seen, lie{bulletin: ports.Repositories.Bulletin}, ports.Repositories.Bulletin),
	}
}

func noted[P any](seen *atomic.Uint32, what lie, honest func(ports.Repositories) P) func(ports.Repositories) P {
	bit := uint32(what.share())
	return func(r ports.Repositories) P {
		seen.Or(bit)
		return honest(r)
	}
}

// What a lie can replace is noted, or clauses would be passed over that it concerns.
func TestEveryRepositoryIsNoted(t *testing.T) {
	fields := reflect.TypeFor[lie]()
	if got, want := noting(new(atomic.Uint32)).share(), share(1)<<fields.NumField()-1; got != want {
		t.Errorf("of the %d repositories of a lie %b are noted", fields.NumField(), got)
	}
	for i := range fields.NumField() {
		one := share(1) << i
		if !slices.ContainsFunc(store, func(c clause[ports.Store]) bool { return askedFor()[c.name]&one != 0 }) {
			t.Errorf("no clause asks for the %s", fields.Field(i).Name)
		}
	}
}
