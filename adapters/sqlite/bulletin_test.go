package sqlite_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/domain"
)

func ending(n int) domain.Change {
	return domain.Change{Kind: domain.SessionEnded, Subject: id(2, n), At: noon.Add(time.Duration(n) * time.Second)}
}

// heard returns what is new since a mark.
func heard(t *testing.T, s *sqlite.Store, mark domain.Mark) ([]domain.Change, domain.Mark) {
	t.Helper()
	news, next, err := s.Bulletin().News(t.Context(), mark)
	if err != nil {
		t.Fatal(err)
	}
	return news, next
}

func TestWhatAnotherProcessPostsIsHeard(t *testing.T) {
	path := litetest.Path(t)
	s := opened(t, sqlite.Config{Path: path})
	if err := s.Bulletin().Post(t.Context(), ending(1)); err != nil {
		t.Fatal(err)
	}
	_, mark := heard(t, s, "")
	play(t, "posts", path, 1)
	if news, _ := heard(t, s, mark); !slices.Equal(news, []domain.Change{ending(2)}) {
		t.Errorf("heard %v, want %v", news, ending(2))
	}
}

func posts(ctx context.Context, path string) error {
	s, err := sqlite.Open(ctx, sqlite.Config{Path: path})
	if err != nil {
		return err
	}
	return errors.Join(s.Bulletin().Post(ctx, ending(2)), s.Close())
}

func TestAMarkHoldsWhenAllThatCameBeforeItIsForgotten(t *testing.T) {
	path := litetest.Path(t)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Bulletin().Post(t.Context(), ending(1), ending(2), ending(3)); err != nil {
		t.Fatal(err)
	}
	_, mark := heard(t, s, "")
	if n, err := s.Bulletin().Forget(t.Context(), noon.Add(time.Hour), 9); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := opened(t, sqlite.Config{Path: path})
	if err := again.Bulletin().Post(t.Context(), ending(4)); err != nil {
		t.Fatal(err)
	}
	if news, _ := heard(t, again, mark); !slices.Equal(news, []domain.Change{ending(4)}) {
		t.Errorf("heard %v, want %v", news, ending(4))
	}
}

// Whoever comes with such a mark was told by the PostgreSQL from which all was copied.
func TestAMarkOfAnotherKindOfStoreReadsAll(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	if err := s.Bulletin().Post(t.Context(), ending(1)); err != nil {
		t.Fatal(err)
	}
	news, mark := heard(t, s, "748")
	if !slices.Equal(news, []domain.Change{ending(1)}) {
		t.Errorf("heard %v, want %v", news, ending(1))
	}
	if news, _ := heard(t, s, mark); len(news) != 0 {
		t.Errorf("from its new mark it hears %v, want nothing", news)
	}
}

func TestAMarkThatTheStoreDidNotMakeIsAnAccident(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	for _, mark := range []domain.Mark{"x", "-1", "+1", " 1", "1.5", "9223372036854775808", "s", "s-1", "sx", "s1.5", "s9223372036854775808"} {
		_, _, err := s.Bulletin().News(t.Context(), mark)
		if _, promised := errors.AsType[*domain.Error](err); err == nil || promised {
			t.Errorf("mark %q: the error is %v", mark, err)
		}
	}
}
