package accounts_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

const movers domain.Series = "movers"

// newHome is a world into which hashes come that do not begin with "bad".
func newHome() *world {
	w := newWorld()
	w.Service = accounts.New(accounts.Config{
		Store: w.store, Hasher: w.hasher, Cursors: fake.Cursors{}, Now: w.clock.Now, NewID: w.newID,
		Policy: domain.PasswordPolicy{Common: fake.Common.Contains},
		Readable: func(h domain.PasswordHash) error {
			if strings.HasPrefix(h.Reveal(), "bad") {
				return errors.New("it is bad")
			}
			return nil
		},
	})
	return w
}

// moving returns a transfer of these logins, which have spaces between them. After a
// slash comes the hash.
func moving(t testing.TB, text string) accounts.Transfer {
	t.Helper()
	logins, hash, given := strings.Cut(text, "/")
	if !given {
		hash = "good"
	}
	m := accounts.Transfer{Hash: domain.NewPasswordHash(hash)}
	for _, l := range strings.Fields(logins) {
		m.Logins = append(m.Logins, login(t, l))
	}
	return m
}

func allMoving(t testing.TB, texts []string) (all []accounts.Transfer) {
	t.Helper()
	for _, text := range texts {
		all = append(all, moving(t, text))
	}
	return all
}

// fates says in a word each what became of transfers.
func fates(t testing.TB, arrived []accounts.Arrival, err error) string {
	t.Helper()
	ok(t, err)
	var words []string
	for _, a := range arrived {
		e, _ := errors.AsType[*domain.Error](a.Refusal)
		switch {
		case a.Made:
			words = append(words, "made")
		case a.Refusal == nil:
			words = append(words, "there")
		case errors.Is(a.Refusal, accounts.ErrUnreadableHash):
			words = append(words, "unreadable")
		case e != nil && len(e.Fields) == 1:
			words = append(words, e.Code+e.Fields[0].Path)
		default:
			words = append(words, a.Refusal.Error())
		}
	}
	return strings.Join(words, " ")
}

func TestWhatBecomesOfTransfersIsForeseen(t *testing.T) {
	for _, c := range []struct {
		name      string
		transfers []string
		want      string
	}{
		{"new ones are opened", []string{"ada ada@example.com", "bob", "eve@example.com"}, "made made made"},
		{"the same again is there already", []string{"ada ada@example.com", "ada ada@example.com"}, "made there"},
		{"one login of two is enough to know an account by", []string{"ada ada@example.com", "ada", "ADA@example.com"}, "made there there"},
		{"a user name that differs in case alone is the same", []string{"ada", "ADA"}, "made there"},
		{"an account without the other login may be somebody else's", []string{"ada", "ada ada@example.com"}, "made login-taken/username"},
		{"so may one without the user name", []string{"ada@example.com", "ada ada@example.com"}, "made login-taken/email"},
		{"two logins of two accounts are nobody's", []string{"ada", "ada@example.com", "ada ada@example.com"}, "made made login-taken/username"},
		{"what is refused takes no login", []string{"ada", "ada ada@example.com", "ada@example.com"}, "made login-taken/username made"},
		{"a login of who was there before is known", []string{"old", "old old@example.com", "new old@example.com"}, "there there login-taken/email"},
		{"a hash that nobody can read is refused, and takes no login", []string{"ada/bad", "ada"}, "unreadable made"},
		{"without a login there is no account", []string{""}, "invalid-login/username"},
		{"nothing comes of nothing", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for size := range 3 { // at once, one by one, two by two
				w := newHome()
				w.register(t, nil, "old", "old@example.com")
				before := exported(t, w)
				forecast := w.Forecast()
				batches := [][]string{c.transfers}
				if size > 0 {
					batches = slices.Collect(slices.Chunk(c.transfers, size))
				}
				var foreseen, became []string
				for _, batch := range batches {
					arrived, err := forecast.Import(t.Context(), allMoving(t, batch))
					foreseen = append(foreseen, fates(t, arrived, err))
				}
				if after := exported(t, w); after != before {
					t.Errorf("the forecast wrote:\n%s\nwhere there was\n%s", after, before)
				}
				for _, batch := range batches {
					arrived, err := w.Import(t.Context(), "", allMoving(t, batch))
					became = append(became, fates(t, arrived, err))
				}
				if got := strings.Join(foreseen, " "); got != c.want {
					t.Errorf("by %d: foreseen %q, want %q", size, got, c.want)
				}
				if got := strings.Join(became, " "); got != c.want {
					t.Errorf("by %d: became %q, want %q", size, got, c.want)
				}
			}
		})
	}
}

// exported is all that Export tells.
func exported(t testing.TB, w *world) string {
	t.Helper()
	var all strings.Builder
	ok(t, w.Export(t.Context(), func(m accounts.Transfer) error {
		fmt.Fprintln(&all, m.Logins, m.Name, m.Roles, m.Status, m.Hash.Reveal(), m.Created)
		return nil
	}))
	return all.String()
}

func TestNumbersComeInTheOrderOfTheTransfers(t *testing.T) {
	w := newHome()
	old := w.register(t, nil, "old")
	arrived, err := w.Import(t.Context(), movers, allMoving(t, []string{"zoe", "bob/bad", "old", "ada", "zoe", "eve"}))
	if got := fates(t, arrived, err); got != "made unreadable there made there made" {
		t.Fatal(got)
	}
	arrived, err = w.Import(t.Context(), movers, allMoving(t, []string{"kim", "zoe"}))
	if got := fates(t, arrived, err); got != "made there" {
		t.Fatal(got)
	}
	list, err := w.store.Numbers().List(t.Context(), movers, 0, 100)
	ok(t, err)
	var names []string
	for _, n := range list {
		a := w.stored(t, domain.AccountID(n.ID))
		if a.Logins[0].Value() == "old" && a.ID != old.ID {
			t.Error("another account is called old")
		}
		names = append(names, a.Logins[0].Value())
	}
	if got := strings.Join(names, " "); got != "zoe old ada eve kim" {
		t.Errorf("got %s", got)
	}
}

func TestATransferKeepsWhatItHas(t *testing.T) {
	w := newHome()
	m := moving(t, "ada ada@example.com/their hash")
	m.Name, m.Roles, m.Status, m.Created = "Ada", []domain.Role{"admin", "editor"}, domain.Suspended, time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
	arrived, err := w.Import(t.Context(), "", []accounts.Transfer{m, moving(t, "bob")})
	if got := fates(t, arrived, err); got != "made made" {
		t.Fatal(got)
	}
	want := fmt.Sprintln(m.Logins, m.Name, m.Roles, m.Status, m.Hash.Reveal(), m.Created) +
		fmt.Sprintln(login(t, "bob"), "", []domain.Role{}, domain.Active, "good", w.clock.Now())
	want = strings.Replace(want, "bob", "[bob]", 1)
	if got := exported(t, w); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAHashThatIsStillToBeMadeIsForeseenAndNotImported(t *testing.T) {
	w := newHome()
	plain := allMoving(t, []string{"ada/"})
	arrived, err := w.Forecast().Import(t.Context(), plain)
	if got := fates(t, arrived, err); got != "made" {
		t.Error(got)
	}
	arrived, err = w.Import(t.Context(), "", plain)
	if got := fates(t, arrived, err); got != "unreadable" {
		t.Error(got)
	}
	if taken, err := w.Taken(t.Context(), plain[0].Logins); taken || err != nil {
		t.Error(taken, err)
	}
	w.register(t, nil, "ada")
	arrived, err = w.Import(t.Context(), "", plain)
	if got := fates(t, arrived, err); got != "there" {
		t.Error(got)
	}
	for _, logins := range []string{"ada", "ada ada@example.com"} {
		if taken, err := w.Taken(t.Context(), moving(t, logins).Logins); !taken || err != nil {
			t.Error(logins, taken, err)
		}
	}
}

func TestAStoreThatFailsImportsNothingOfThemAndLaterAll(t *testing.T) {
	for _, op := range []string{"accounts.add", "accounts.byLogin", "numbers.of", "atomically"} {
		t.Run(op, func(t *testing.T) {
			w := newHome()
			w.store.Replay = false // or the fault strikes what is thrown away
			all := allMoving(t, []string{"zoe", "zoe", "ada"})
			w.fails(op, false)
			_, err := w.Import(t.Context(), movers, all)
			is(t, err, domain.ErrUnavailable)
			if got := exported(t, w); got != "" {
				t.Error(got)
			}
			arrived, err := w.Import(t.Context(), movers, all)
			if got := fates(t, arrived, err); got != "made there made" {
				t.Error(got)
			}
		})
	}
	t.Run("with its answer lost", func(t *testing.T) {
		w := newHome()
		w.store.Replay = false
		w.fails("atomically", true)
		_, err := w.Import(t.Context(), movers, allMoving(t, []string{"zoe", "ada"}))
		is(t, err, domain.ErrUnavailable)
		arrived, err := w.Import(t.Context(), movers, allMoving(t, []string{"zoe", "ada"}))
		if got := fates(t, arrived, err); got != "there there" {
			t.Error(got)
		}
	})
}
