package porttest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/ports"
)

// A liar is a store that breaks a promise. The suite is worth its name if it
// catches every liar, by the clauses that the lie breaks and by no others, but those
// in which many race: what they make of a lie may hang on who is faster.
type liar struct {
	name   string
	open   func() ports.Store
	caught []string // by which clauses
	maybe  []string // by which clauses if the race goes so
}

var liars = slices.Concat(lyingAccounts, lyingSessions, lyingAccessKeys, lyingCollections, lyingRecords, lyingWalks, lyingEvents, lyingReceipts, lyingImports, lyingKeys, lyingNumbers, lyingBulletins, lyingStores)

// races are the clauses in which many do the same at once.
var races = []string{
	"a condition is judged when the write happens",
	"a login has one owner",
	"a login is set for one account",
	"a name has one collection",
	"a revision of a collection is replaced once",
	"a revision of a credential is changed once",
	"a revision of a record is replaced once",
	"a revision of an account is changed once",
	"a unique key has one record",
	"a unique key is replaced into once",
	"all agree on a key",
	"an id has one record",
	"an import is taken on once",
	"however many access keys are added at once, there are no more than there may be",
	"many use a store at once",
	"of many who claim an id one has an effect",
	"the logins of a revision are set once",
	"transactions that collide all end",
	"when those that had a claim have failed another has it",
	"who goes from mark to mark while many write hears each once",
}

func TestRacesAreClauses(t *testing.T) {
	for _, name := range races {
		if !slices.ContainsFunc(store, func(c clause[ports.Store]) bool { return c.name == name }) {
			t.Errorf("there is no clause %q", name)
		}
	}
}

func TestLiarsAreCaught(t *testing.T) {
	for _, l := range liars {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			caught := slices.DeleteFunc(catchers(t.Context(), concerned(l.open()), l.open), func(name string) bool {
				return slices.Contains(l.maybe, name) || slices.Contains(races, name) && !slices.Contains(l.caught, name)
			})
			if !slices.Equal(caught, sorted(l.caught)) {
				t.Errorf("was caught by\n\t%q\nwant\n\t%q", caught, sorted(l.caught))
			}
		})
	}
}

func TestHonestStoresAreNotCaught(t *testing.T) {
	if caught := catchers(t.Context(), store, tell(lie{})); caught != nil {
		t.Errorf("was caught by %q", caught)
	}
}

func TestEveryClauseCatchesALiar(t *testing.T) {
	for _, c := range store {
		if !slices.ContainsFunc(liars, func(l liar) bool { return slices.Contains(l.caught, c.name) }) {
			t.Errorf("no liar is caught by %q", c.name)
		}
	}
}

// catchers returns the names of the clauses that a P breaks, sorted. It has less
// patience than a suite: one liar never returns.
func catchers[P any](ctx context.Context, clauses []clause[P], open func() P) []string {
	var names []string
	for _, c := range clauses {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		if c.check(ctx, open()) != nil {
			names = append(names, c.name)
		}
		cancel()
	}
	return sorted(names)
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// A lie replaces share of a store's repositories; nil is the honest one.
type lie struct {
	accounts    func(ports.Repositories) ports.Accounts
	sessions    func(ports.Repositories) ports.Sessions
	accessKeys  func(ports.Repositories) ports.AccessKeys
	collections func(ports.Repositories) ports.Collections
	records     func(ports.Repositories) ports.Records
	events      func(ports.Repositories) ports.Events
	receipts    func(ports.Repositories) ports.Receipts
	imports     func(ports.Repositories) ports.Imports
	keys        func(ports.Repositories) ports.Keys
	numbers     func(ports.Repositories) ports.Numbers
	bulletin    func(ports.Repositories) ports.Bulletin
}

// lying is a store that tells a lie, within transactions too.
type lying struct {
	ports.Store
	lie lie
}

func (l lying) Accounts() ports.Accounts       { return bent{l.Store, l.lie}.Accounts() }
func (l lying) Sessions() ports.Sessions       { return bent{l.Store, l.lie}.Sessions() }
func (l lying) AccessKeys() ports.AccessKeys   { return bent{l.Store, l.lie}.AccessKeys() }
func (l lying) Collections() ports.Collections { return bent{l.Store, l.lie}.Collections() }
func (l lying) Records() ports.Records         { return bent{l.Store, l.lie}.Records() }
func (l lying) Events() ports.Events           { return bent{l.Store, l.lie}.Events() }
func (l lying) Receipts() ports.Receipts       { return bent{l.Store, l.lie}.Receipts() }
func (l lying) Imports() ports.Imports         { return bent{l.Store, l.lie}.Imports() }
func (l lying) Keys() ports.Keys               { return bent{l.Store, l.lie}.Keys() }
func (l lying) Numbers() ports.Numbers         { return bent{l.Store, l.lie}.Numbers() }
func (l lying) Bulletin() ports.Bulletin       { return bent{l.Store, l.lie}.Bulletin() }

func (l lying) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	return l.Store.Atomically(ctx, func(tx ports.Repositories) error { return f(bent{tx, l.lie}) })
}

// bent are repositories that tell a lie.
type bent struct {
	honest ports.Repositories
	lie    lie
}

func (b bent) Accounts() ports.Accounts {
	return told(b.lie.accounts, b.honest, ports.Repositories.Accounts)
}

func (b bent) Sessions() ports.Sessions {
	return told(b.lie.sessions, b.honest, ports.Repositories.Sessions)
}

func (b bent) AccessKeys() ports.AccessKeys {
	return told(b.lie.accessKeys, b.honest, ports.Repositories.AccessKeys)
}

func (b bent) Collections() ports.Collections {
	return told(b.lie.collections, b.honest, ports.Repositories.Collections)
}

func (b bent) Records() ports.Records {
	return told(b.lie.records, b.honest, ports.Repositories.Records)
}

func (b bent) Events() ports.Events {
	return told(b.lie.events, b.honest, ports.Repositories.Events)
}

func (b bent) Receipts() ports.Receipts {
	return told(b.lie.receipts, b.honest, ports.Repositories.Receipts)
}

func (b bent) Imports() ports.Imports {
	return told(b.lie.imports, b.honest, ports.Repositories.Imports)
}

func (b bent) Keys() ports.Keys { return told(b.lie.keys, b.honest, ports.Repositories.Keys) }

func (b bent) Numbers() ports.Numbers {
	return told(b.lie.numbers, b.honest, ports.Repositories.Numbers)
}

func (b bent) Bulletin() ports.Bulletin {
	return told(b.lie.bulletin, b.honest, ports.Repositories.Bulletin)
}

func told[P any](lie func(ports.Repositories) P, honest ports.Repositories, truth func(ports.Repositories) P) P {
	if lie == nil {
		return truth(honest)
	}
	return lie(honest)
}

// tell returns a source of stores that tell a lie without a memory.
func tell(l lie) func() ports.Store {
	return func() ports.Store { return lying{new(fake.Store), l} }
}

func onAccounts(f func(ports.Repositories) ports.Accounts) func() ports.Store {
	return tell(lie{accounts: f})
}

func onSessions(f func(ports.Repositories) ports.Sessions) func() ports.Store {
	return tell(lie{sessions: f})
}

func onAccessKeys(f func(ports.Repositories) ports.AccessKeys) func() ports.Store {
	return tell(lie{accessKeys: f})
}

func onCollections(f func(ports.Repositories) ports.Collections) func() ports.Store {
	return tell(lie{collections: f})
}

func onRecords(f func(ports.Repositories) ports.Records) func() ports.Store {
	return tell(lie{records: f})
}

func onEvents(f func(ports.Repositories) ports.Events) func() ports.Store {
	return tell(lie{events: f})
}

func onReceipts(f func(ports.Repositories) ports.Receipts) func() ports.Store {
	return tell(lie{receipts: f})
}

func onImports(f func(ports.Repositories) ports.Imports) func() ports.Store {
	return tell(lie{imports: f})
}

func onKeys(f func(ports.Repositories) ports.Keys) func() ports.Store { return tell(lie{keys: f}) }

func onNumbers(f func(ports.Repositories) ports.Numbers) func() ports.Store {
	return tell(lie{numbers: f})
}

func onBulletin(f func(ports.Repositories) ports.Bulletin) func() ports.Store {
	return tell(lie{bulletin: f})
}
