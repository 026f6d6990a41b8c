package app_test

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
	"github.com/keyport-go/keyport/ports"
)

// TestAuthority tries each cell of the table in docs/authority.md.
func TestAuthority(t *testing.T) {
	table := readAuthority(t)
	for store, open := range stores {
		for _, row := range table {
			t.Run(store+"/"+row.event, func(t *testing.T) { row.try(t, open(t)) })
		}
	}
}

// A credential is a column: something by which ada is let in.
type credential struct {
	kind tokens.Kind

	// everywhere is whether every replica is asked. Of the others it is the one that
	// has heard: to use them changes them.
	everywhere bool

	// use says whether the credential is good at a replica: nil, or a failure of the
	// kind domain.Unauthenticated.
	use func(t *testing.T, w *fleet, r replica) error
}

var credentials = map[string]credential{
	"its access token":          {tokens.AccessToken, true, func(t *testing.T, w *fleet, r replica) error { return r.check(t, w.first.Access) }},
	"its refresh token":         {tokens.RefreshToken, false, func(t *testing.T, w *fleet, r replica) error { return r.refresh(t, w.first.Refresh) }},
	"its cookie":                {tokens.RefreshToken, false, func(t *testing.T, w *fleet, r replica) error { return r.refreshByCookie(t, w.first.Refresh) }},
	"its open feed":             {tokens.AccessToken, false, func(_ *testing.T, w *fleet, r replica) error { return w.feed.answered(r) }},
	"the other's access token":  {tokens.AccessToken, true, func(t *testing.T, w *fleet, r replica) error { return r.check(t, w.second.Access) }},
	"the other's refresh token": {tokens.RefreshToken, false, func(t *testing.T, w *fleet, r replica) error { return r.refresh(t, w.second.Refresh) }},
	"a lasting refresh token":   {tokens.LastingToken, false, func(t *testing.T, w *fleet, r replica) error { return r.reuse(t, w.lasting.Refresh) }},
	"an access token by it":     {tokens.AccessToken, true, func(t *testing.T, w *fleet, r replica) error { return r.check(t, w.lasting.Access) }},
	"an access key":             {tokens.AccessKey, true, func(t *testing.T, w *fleet, r replica) error { return r.check(t, w.secret) }},
}

// Whatever lets somebody in has a column.
func TestNoKindOfTokenIsLeftOut(t *testing.T) {
	header := authorityHeader(t)
	for _, kind := range tokens.Kinds() {
		if !slices.ContainsFunc(header, func(name string) bool { return credentials[name].kind == kind }) {
			t.Errorf("no column of docs/authority.md is for tokens of kind %d", kind)
		}
	}
	if len(header) != len(credentials) {
		t.Errorf("docs/authority.md has %d columns; code stands for %d", len(header), len(credentials))
	}
}

// A row is what an event means for each credential.
type row struct {
	event string
	valid map[string]bool
}

func authorityLines(t *testing.T) (lines [][]string) {
	t.Helper()
	text, err := os.ReadFile("../docs/authority.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| ---") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		lines = append(lines, cells)
	}
	if len(lines) < 2 {
		t.Fatal("docs/authority.md has no table")
	}
	return lines
}

func authorityHeader(t *testing.T) []string { return authorityLines(t)[0][1:] }

// readAuthority reads the table. An event or a column that no code stands for fails.
func readAuthority(t *testing.T) (rows []row) {
	t.Helper()
	header := authorityHeader(t)
	for _, cells := range authorityLines(t)[1:] {
		r := row{cells[0], make(map[string]bool)}
		if events[r.event] == nil || len(cells) != len(header)+1 {
			t.Fatalf("no code stands for %q with %d credentials", r.event, len(cells)-1)
		}
		for i, name := range header {
			if _, known := credentials[name]; !known {
				t.Fatalf("no code stands for %q", name)
			}
			switch cells[i+1] {
			case "valid":
				r.valid[name] = true
			case "refused":
			default:
				t.Fatalf("%q is neither valid nor refused", cells[i+1])
			}
		}
		rows = append(rows, r)
	}
	if len(rows) != len(events) {
		t.Fatalf("the table has %d events of %d", len(rows), len(events))
	}
	return rows
}

// events are what may happen in ada's first session, or to her account.
var events = map[string]func(t *testing.T, w *fleet) error{
	"sign out":                 func(t *testing.T, w *fleet) error { return w.here.Tokens.End(t.Context(), w.ada, w.ada.Session) },
	"sign out everywhere":      func(t *testing.T, w *fleet) error { return w.here.Tokens.EndAll(t.Context(), w.ada, "") },
	"sign out everywhere else": func(t *testing.T, w *fleet) error { return w.here.Tokens.EndAll(t.Context(), w.ada, w.ada.Session) },
	"end the other session":    func(t *testing.T, w *fleet) error { return w.here.Tokens.End(t.Context(), w.ada, w.second.Session) },
	"revoke its access token": func(t *testing.T, w *fleet) error {
		return w.here.Tokens.Revoke(t.Context(), w.first.Access.Reveal())
	},
	"revoke its refresh token": func(t *testing.T, w *fleet) error {
		return w.here.Tokens.Revoke(t.Context(), w.first.Refresh.Reveal())
	},
	"reuse its refresh token": func(t *testing.T, w *fleet) error {
		old := w.first.Refresh.Reveal()
		next, err := w.here.Tokens.Refresh(t.Context(), old)
		if err != nil {
			return err
		}
		w.first.Refresh = next.Refresh
		w.clock.Advance(time.Minute)
		if _, err := w.here.Tokens.Refresh(t.Context(), old); !errors.Is(err, domain.ErrTokenReused) {
			t.Errorf("using it again gives %v", err)
		}
		return nil
	},
	"change the password": func(t *testing.T, w *fleet) error {
		return w.here.Accounts.ChangePassword(t.Context(), w.ada, adasPassword, domain.NewPassword("another fifteen"))
	},
	"set the password by command": func(t *testing.T, w *fleet) error {
		return w.here.Accounts.SetPassword(t.Context(), w.login, domain.NewPassword("another fifteen"))
	},
	"change the roles": func(t *testing.T, w *fleet) error {
		return w.change(t, domain.AccountChange{Roles: &[]domain.Role{"editor"}})
	},
	"change the name": func(t *testing.T, w *fleet) error {
		name := "Ada"
		return w.change(t, domain.AccountChange{Name: &name})
	},
	"suspend": func(t *testing.T, w *fleet) error { return w.become(t, domain.Suspended) },
	"suspend and restore": func(t *testing.T, w *fleet) error {
		return errors.Join(w.become(t, domain.Suspended), w.become(t, domain.Active))
	},
	"end the access key": func(t *testing.T, w *fleet) error {
		return w.here.Tokens.EndAccessKey(t.Context(), w.ada, w.key.ID)
	},
	"end all access keys": func(t *testing.T, w *fleet) error { return w.here.Tokens.EndAccessKeys(t.Context(), w.ada) },
	"refuse its access token alone": func(t *testing.T, w *fleet) error {
		return w.here.Tokens.RefuseToken(t.Context(), w.first.Access.Reveal())
	},
	"end the lasting refresh token": func(t *testing.T, w *fleet) error {
		return w.here.Tokens.EndLasting(t.Context(), w.lasting.Refresh.Reveal(), 10*time.Minute)
	},
	"revoke the access key": func(t *testing.T, w *fleet) error {
		return w.here.Tokens.Revoke(t.Context(), w.secret.Reveal())
	},
	"the access key expires": func(_ *testing.T, w *fleet) error {
		w.clock.Advance(w.key.Expires.Sub(w.clock.Now()))
		return nil
	},
	"rotate all keys of Keyport": func(t *testing.T, w *fleet) error {
		_, err := w.here.keys.Rotate(t.Context())
		w.clock.Advance(2 * time.Minute) // they sign now
		return err
	},
	"retire the key that signs access tokens":          func(t *testing.T, w *fleet) error { return w.retire(t, "sign") },
	"retire the key that authenticates refresh tokens": func(t *testing.T, w *fleet) error { return w.retire(t, "refresh") },
	"delete": func(t *testing.T, w *fleet) error { return w.here.Accounts.Close(t.Context(), w.ada, 0) },
}

func (r row) try(t *testing.T, store ports.Store) {
	w := newFleet(t, store)
	if err := events[r.event](t, w); err != nil {
		t.Fatal(err)
	}
	r.want(t, w, w.here, true)
	if err := w.there.Tokens.Hear(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want(t, w, w.there, true)
	r.want(t, w, w.there, false)
	w.uptime.Advance(5*time.Second + 1)
	r.want(t, w, w.deaf, true)
}

// want uses the credentials of one of the two sorts at a replica.
func (r row) want(t *testing.T, w *fleet, at replica, everywhere bool) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(credentials)) {
		c := credentials[name]
		if c.everywhere != everywhere {
			continue
		}
		err := c.use(t, w, at)
		if valid := r.valid[name]; valid && err != nil || !valid && !errors.Is(err, domain.Unauthenticated) {
			t.Errorf("%s: %s is to be valid: %t; but %v", at.name, name, valid, err)
		}
	}
}

// A replica that relies on what it has heard asks the store nothing; one that has
// heard nothing for too long asks each time, and refuses where it gets no answer.
func TestAReplicaNeverGuesses(t *testing.T) {
	var asked int
	var away error
	store := &fake.Store{Fault: func(op string) (bool, error) {
		if op != "bulletin.news" {
			asked++
		}
		return false, away
	}}
	w := newFleet(t, store)
	check := func() error {
		_, err := w.there.Tokens.Check(t.Context(), w.first.Access.Reveal(), "")
		return err
	}
	asked = 0
	for range 10 {
		if err := check(); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 0 {
		t.Errorf("the store was asked %d times by a replica that has just heard", asked)
	}
	away = domain.ErrUnavailable
	if err := check(); err != nil {
		t.Errorf("a replica that has just heard does without the store: %v", err)
	}
	w.uptime.Advance(5 * time.Second)
	if err := check(); err != nil {
		t.Errorf("at the bound itself it still does: %v", err)
	}
	w.uptime.Advance(1)
	if err := check(); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("past the bound, without the store, it says %v", err)
	}
	if err := w.there.Tokens.Hear(t.Context()); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("hearing without the store says %v", err)
	}
	away = nil
	asked = 0
	if err := check(); err != nil || asked == 0 {
		t.Errorf("past the bound it asks the store: %v, asked %d times", err, asked)
	}
	if err := w.there.Tokens.Hear(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked = 0
	if err := check(); err != nil || asked != 0 {
		t.Errorf("once it has heard again it does without: %v, asked %d times", err, asked)
	}
}

// What is of no interest any more is forgotten, here and in the store; what is
// still of interest is not.
func TestOldChangesAreForgotten(t *testing.T) {
	store := new(fake.Store)
	w := newFleet(t, store)
	if err := w.here.Tokens.EndAll(t.Context(), w.ada, w.ada.Session); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{time.Hour, 2}, {20 * time.Minute, 0}} {
		w.clock.Advance(step.after)
		if _, err := w.here.Tokens.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept, _, err := store.Bulletin().News(t.Context(), "")
		if n := w.here.Tokens.News().Changes; err != nil || n != step.want || len(kept) != step.want {
			t.Errorf("after %v there are %d changes in mind and %d in the store, %v; want %d", step.after, n, len(kept), err, step.want)
		}
	}
}

// Whoever waits for revocations by an access key is judged again when there are some:
// the key is as good as before, and its account may have lost the role.
func TestAWaitingKeyMayLoseItsRight(t *testing.T) {
	w := newFleet(t, new(fake.Store))
	_, secret, err := w.here.Tokens.CreateAccessKey(t.Context(), w.ada, tokens.NewAccessKey{Name: "gateway", Scopes: []domain.Scope{domain.Inspect}})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		happens func() error
		status  int
	}{
		{func() error { return w.here.Tokens.End(t.Context(), w.ada, w.second.Session) }, http.StatusOK},
		{func() error { return w.change(t, domain.AccountChange{Roles: &[]domain.Role{"editor"}}) }, http.StatusForbidden},
	} {
		from, err := w.there.Tokens.Revocations(t.Context(), w.root, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		feed := w.there.waitFrom(t, from.Next, secret, w.polled)
		if err := errors.Join(step.happens(), w.there.Tokens.Hear(t.Context())); err != nil {
			t.Fatal(err)
		}
		if answer := <-feed.answer; answer.Code != step.status {
			t.Errorf("who waits is answered %d %s, want %d", answer.Code, answer.Body, step.status)
		}
	}
}
