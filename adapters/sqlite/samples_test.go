package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/domain"
)

var noon = time.Date(2030, 1, 2, 12, 0, 0, 123456000, time.UTC)

// opened returns a store that ends with the test.
func opened(tb testing.TB, c sqlite.Config) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func person(n int, name string) domain.Account {
	login, err := domain.ParseUsername(name)
	if err != nil {
		panic(err)
	}
	return domain.Account{
		ID: domain.AccountID(id(1, n)), Logins: []domain.Login{login}, Roles: []domain.Role{"editor"},
		Status: domain.Active, Created: noon, Changed: noon,
	}
}

func visit(n int, a domain.Account) domain.Session {
	return domain.Session{
		ID: domain.SessionID(id(2, n)), Account: a.ID, Created: noon, Used: noon, Ends: noon.Add(time.Hour),
		Device: "Firefox on Linux", Renewal: domain.Rotating, Seen: noon, Address: "192.0.2.1",
	}
}

// pass returns an access key that does not expire and was never used.
func pass(n int, a domain.Account) domain.AccessKey {
	return domain.AccessKey{
		ID: domain.AccessKeyID(id(4, n)), Account: a.ID, Name: fmt.Sprintf("Key %d", n),
		Scopes: []domain.Scope{domain.ReadAccount, domain.ReadRecords}, Digest: domain.AccessKeyDigest{0: byte(n), 31: 0xff},
		Created: noon,
	}
}

// sealed returns the nth key that signs.
func sealed(n int) domain.Key {
	return domain.Key{
		ID: fmt.Sprintf("key-%d", n), Use: "sign", Number: n, Algorithm: domain.ES256, Sealed: []byte{0, byte(n), 0xff},
		Created: noon, Signs: noon.Add(time.Hour),
	}
}

func fleet(name domain.CollectionName) domain.Collection {
	return domain.Collection{Name: name, Unique: []domain.Unique{{Field: "name"}}, Revision: 1, Created: noon, Changed: noon}
}

func ship(n int) domain.Record {
	data := fmt.Sprintf(`{"built":%d,"class":"Galaxy","crew":1014,"name":"Ship %d"}`, 2363+n, n)
	return domain.Record{
		ID: domain.RecordID(id(3, n)), Data: domain.RestoreDocument(data), Revision: 1, Created: noon, Changed: noon,
	}
}

// everything asks for the first n records of a collection.
func everything(n int) domain.Query { return domain.Query{Where: domain.Everything{}, Limit: n} }

func id(kind, n int) string { return fmt.Sprintf("0190%04x-0000-7000-8000-%012x", kind, n) }
