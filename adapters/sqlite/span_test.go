package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// spoken are the first words of what was traced, for those who ask on behalf of
// somebody; with "!" where it failed.
type spoken struct {
	mu   sync.Mutex
	told []string
}

type somebody struct{}

func (s *spoken) span(ctx context.Context, text string) (context.Context, func(error)) {
	if ctx.Value(somebody{}) == nil {
		return ctx, func(error) {}
	}
	return ctx, func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		word := strings.Fields(text)[0]
		if err != nil {
			word += "!"
		}
		s.told = append(s.told, word)
	}
}

func TestStatementsAreTracedForWhoAsks(t *testing.T) {
	var said spoken
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "keyport.db"), Span: said.span})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	asking := context.WithValue(t.Context(), somebody{}, true)
	post := func(ctx context.Context, then error) error {
		return s.Atomically(ctx, func(tx ports.Repositories) error {
			change := domain.Change{Kind: domain.SessionEnded, Subject: "018f0000-0000-7000-8000-000000000001", At: noon}
			return errors.Join(tx.Bulletin().Post(ctx, change), then)
		})
	}
	undone := errors.New("undone")
	for _, c := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"a write waits, writes and commits", func() error { return post(asking, nil) }, []string{"BEGIN", "INSERT", "COMMIT"}},
		{"one that is undone says so", func() error { return post(asking, undone) }, []string{"BEGIN", "INSERT", "COMMIT!"}},
		{"one that is given up before has not begun", func() error {
			gone, cancel := context.WithCancel(asking)
			cancel()
			return post(gone, context.Canceled)
		}, nil},
		{"a read is one statement", func() error { _, err := s.Accounts().List(asking, "", 1); return err }, []string{"SELECT"}},
		{"what nobody asks for is nobody's", func() error { _, _, err := s.Bulletin().News(t.Context(), ""); return err }, nil},
	} {
		said.told = nil
		if err := c.do(); err != nil && !errors.Is(err, undone) && !errors.Is(err, context.Canceled) {
			t.Fatal(c.name, err)
		}
		if !slices.Equal(said.told, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, said.told, c.want)
		}
	}
}
