package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func TestAStoreThatIsOpenedAgainHasEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name ?#%20.db")
	first, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	ada, ships := person(1, "ada"), fleet("ships")
	_, opening := first.Sessions().Open(t.Context(), visit(1, ada), 1)
	if !errors.Is(opening, domain.ErrCredentialChanged) {
		t.Errorf("a session for nobody: %v", opening)
	}
	err = errors.Join(
		first.Accounts().Add(t.Context(), ada, domain.NewPasswordHash("hash")),
		first.Collections().Add(t.Context(), ships),
		first.Records().Add(t.Context(), ships.Ref(), ship(1), ships.Entries(ship(1), noon)),
	)
	if _, opening = first.Sessions().Open(t.Context(), visit(1, ada), 1); err != nil || opening != nil {
		t.Fatal(err, opening)
	}
	later, lasting, lent := noon.Add(domain.SightingInterval), pass(1, ada), pass(2, ada)
	lent.Expires = noon.Add(time.Hour)
	_, settling := first.Keys().Settle(t.Context(), sealed(1))
	if err := errors.Join(
		first.AccessKeys().Add(t.Context(), lasting, visit(1, ada).ID),
		first.AccessKeys().Add(t.Context(), lent, visit(1, ada).ID),
		first.Sessions().Saw(t.Context(), []domain.Sighting[domain.SessionID]{{ID: visit(1, ada).ID, At: later, Address: "2001:db8::1"}}),
		first.AccessKeys().Saw(t.Context(), []domain.Sighting[domain.AccessKeyID]{{ID: lent.ID, At: later, Address: "2001:db8::2"}}),
		settling,
		first.Close(),
	); err != nil {
		t.Fatal(err)
	}
	again := opened(t, sqlite.Config{Path: path})
	_, _, byLogin := again.Accounts().ByLogin(t.Context(), ada.Logins[0])
	seen, byID := again.Sessions().ByID(t.Context(), visit(1, ada).ID, noon)
	passes, listing := again.AccessKeys().List(t.Context(), ada.ID, noon, "", 9)
	keys, reading := again.Keys().List(t.Context())
	found, get := again.Records().Get(t.Context(), ships.Ref(), ship(1).ID)
	if err := errors.Join(byLogin, byID, listing, reading, get); err != nil {
		t.Error(err)
	}
	visited := visit(1, ada)
	visited.Seen, visited.Address = later, "2001:db8::1"
	lent.Seen, lent.Address = later, "2001:db8::2"
	for _, c := range []struct{ found, want any }{
		{seen, visited},
		{passes, []domain.AccessKey{lasting, lent}},
		{keys, []domain.Key{sealed(1)}},
		{found, ship(1)},
	} {
		if !reflect.DeepEqual(c.found, c.want) {
			t.Errorf("read %+v, want %+v", c.found, c.want)
		}
	}
	if err := again.Records().Add(t.Context(), ships.Ref(), ship(2), ships.Entries(ship(1), noon)); !errors.Is(err, domain.ErrNotUnique) {
		t.Errorf("a value that was taken before: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*-journal")); err != nil || left != nil {
		t.Error(left, err)
	}
}

func TestTheFileIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyport.db")
	s := opened(t, sqlite.Config{Path: path})
	if err := s.Collections().Add(t.Context(), fleet("ships")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", filepath.Base(name), info.Mode())
		}
	}
}

func TestAPlaceThatCannotBeUsedIsSaid(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(folder, "torn.db")
	tear(t, torn)
	for _, c := range []struct{ name, path, want string }{
		{"no path", "", "no path"},
		{"a folder that is not there", filepath.Join(folder, "none", "keyport.db"), "no such file or directory"},
		{"a file where a folder should be", filepath.Join(text, "keyport.db"), "is not a folder"},
		{"a folder where the file should be", folder, "is not a file"},
		{"a file that is something else", text, "file is not a database"},
		{"a database that is damaged", torn, "database disk image is malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := sqlite.Open(t.Context(), sqlite.Config{Path: c.path})
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
				t.Errorf("the error is %v, want %q and the path", err, c.want)
			}
		})
	}
}

// tear makes a database and overwrites all of it but the head.
func tear(t *testing.T, path string) {
	t.Helper()
	if err := sqlite.Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 100; i < len(b); i++ {
		b[i] = 0xff
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAClosedStoreIsUnavailable(t *testing.T) {
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "keyport.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Ping(t.Context()), s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	ada := person(1, "ada")
	_, read := s.Accounts().ByID(t.Context(), ada.ID)
	for name, err := range map[string]error{
		"a read":        read,
		"a write":       s.Accounts().Add(t.Context(), ada, domain.PasswordHash{}),
		"a transaction": s.Atomically(t.Context(), func(ports.Repositories) error { return nil }),
		"a ping":        s.Ping(t.Context()),
	} {
		if !errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATransactionThatHasEndedIsOfNoUse(t *testing.T) {
	s := opened(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "keyport.db")})
	var kept ports.Repositories
	if err := s.Atomically(t.Context(), func(tx ports.Repositories) error {
		kept = tx
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := kept.Accounts().Add(t.Context(), person(1, "ada"), domain.PasswordHash{}); err == nil {
		t.Error("a transaction that has ended wrote")
	}
	if _, err := kept.Accounts().List(t.Context(), "", 1); err == nil {
		t.Error("a transaction that has ended read")
	}
}

func TestTwoProcessesMayWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyport.db")
	stores := []*sqlite.Store{opened(t, sqlite.Config{Path: path}), opened(t, sqlite.Config{Path: path})}
	ships := fleet("ships")
	if err := stores[0].Collections().Add(t.Context(), ships); err != nil {
		t.Fatal(err)
	}
	const each = 50
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for n := range each {
				if err := s.Records().Add(t.Context(), ships.Ref(), ship(i*each+n), domain.Entries{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		if got := count(t, s, ships.Ref()); got != 2*each {
			t.Errorf("%d records, want %d", got, 2*each)
		}
	}
}
