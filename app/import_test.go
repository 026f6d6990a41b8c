package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/dialects/skeleton"
	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

// newImporting returns a run that imports into store, and what it prints.
func newImporting(store *fake.Store, i Import) (*importing, *bytes.Buffer) {
	out, clock := new(bytes.Buffer), fake.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	cheap := password.New(password.Config{Cost: password.Cost{Memory: 64, Time: 1, Lanes: 1}})
	s := accounts.New(accounts.Config{Store: store, Hasher: cheap, Now: clock.Now, NewID: NewID, Readable: password.Check})
	return &importing{Import: i, accounts: s, forecast: s.Forecast(), out: out, progress: newProgress(out, 0), hashes: 2}, out
}

// people are n lines, each of its own account.
func people(n int) string {
	var file strings.Builder
	for i := range n {
		fmt.Fprintf(&file, `{"username":"p%04d","hash":%q}`+"\n", i, aHash)
	}
	return file.String()
}

func TestAnImportThatTheStoreStopsGoesOn(t *testing.T) {
	var calls atomic.Int64
	store := &fake.Store{Fault: func(op string) (bool, error) {
		if op == "atomically" && calls.Add(1) == 3 {
			return false, domain.ErrUnavailable
		}
		return false, nil
	}}
	file := people(3*parcelSize + 7)
	run, out := newImporting(store, Import{Dialect: "skeleton"})
	err := run.all(t.Context(), strings.NewReader(file))
	if want := "stopped after line 512; run it again to go on: "; err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("got %v, want %s", err, want)
	}
	if got, want := out.String(), "512 lines: 512 imported, 0 there already, 0 refused\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	run, out = newImporting(store, Import{Dialect: "skeleton"})
	if err := run.all(t.Context(), strings.NewReader(file)); err != nil {
		t.Error(err)
	}
	if got, want := out.String(), "775 lines: 263 imported, 512 there already, 0 refused\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	list, err := store.Numbers().List(t.Context(), skeleton.Users, 0, 1000)
	if err != nil || len(list) != 775 {
		t.Fatal(len(list), err)
	}
	for i, n := range list {
		a, err := store.Accounts().ByID(t.Context(), domain.AccountID(n.ID))
		if err != nil || a.Logins[0].Value() != fmt.Sprintf("p%04d", i) {
			t.Fatalf("%d is %v, %v", n.Number, a.Logins, err)
		}
	}
}

func TestAnImportDoesNotWaitForWhoNoLongerTypes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		typed, typing := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		run, out := newImporting(new(fake.Store), Import{})
		ended := make(chan error)
		go func() { ended <- run.all(ctx, typed) }()
		if _, err := io.WriteString(typing, people(1)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		cancel()
		err := <-ended
		if want := "stopped after line 0; run it again to go on: context canceled"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if got, want := out.String(), "0 lines: 0 imported, 0 there already, 0 refused\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		_ = typing.Close() // never fails
	})
}

func TestAnImportTellsEachLineThatItRefuses(t *testing.T) {
	for _, c := range []struct{ name, file, want, err string }{
		{"one", people(1) + "{}\n", "line 2: username: there is none, and no email\n2 lines: 1 imported, 0 there already, 1 refused\n", "1 line was refused"},
		{
			"two", "username,hash\n\nada,plain$$cat\nbob,scrypt:1073741824:8:1$salt$" + strings.Repeat("0", 128) + "\n",
			"line 3: hash: not a hash of a format that is read\nline 4: hash: hash beyond the bounds of what is computed: more than 1048576 steps (N) of scrypt\n2 lines: 0 imported, 0 there already, 2 refused\n", "2 lines were refused",
		},
		{"somebody else's login", "username,email,hash\nada,,H\nada,ada@example.com,H\n", "line 3: username: it is taken by an account that does not have the other login\n2 lines: 1 imported, 0 there already, 1 refused\n", "1 line was refused"},
		{"what comes before quotes that are wrong is imported", "username,hash\nada,H\nbob,\"\n", "1 line: 1 imported, 0 there already, 0 refused\n", "line 3: the quotes are wrong, so nothing is read from here on: extraneous or missing \" in quoted-field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, out := newImporting(new(fake.Store), Import{})
			err := run.all(t.Context(), strings.NewReader(strings.ReplaceAll(c.file, ",H", ","+aHash)))
			if out.String() != c.want {
				t.Errorf("got %s, want %s", out, c.want)
			}
			if err == nil || err.Error() != c.err {
				t.Errorf("got %v, want %s", err, c.err)
			}
		})
	}
}

func TestAPasswordIsHashedWhereItIsNew(t *testing.T) {
	store := new(fake.Store)
	const file = "username,password\nada,cat\nbob,dog\n"
	for _, want := range []string{"2 imported, 0 there already", "0 imported, 2 there already"} {
		run, out := newImporting(store, Import{Passwords: true})
		if err := run.all(t.Context(), strings.NewReader(file)); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("got %s, %v, want %s", out, err, want)
		}
	}
	run, out := newImporting(store, Import{Passwords: true, DryRun: true})
	if err := run.all(t.Context(), strings.NewReader(file+"eve,fox\n")); err != nil || out.String() != "3 lines: 1 to be imported, 2 there already, 0 refused\n" {
		t.Errorf("got %s, %v", out, err)
	}
}
