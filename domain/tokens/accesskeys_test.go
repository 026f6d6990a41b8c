package tokens_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/tokens"
)

// in returns ada as one of her sessions makes her ask.
func (w *world) in(t testing.TB, g domain.Grant) domain.Asker {
	t.Helper()
	who, err := w.Check(t.Context(), g.Access.Reveal(), "")
	ok(t, err)
	return who
}

// key makes an access key for ada, for a day.
func (w *world) key(t testing.TB, scopes ...domain.Scope) (domain.AccessKey, string) {
	t.Helper()
	k, secret, err := w.CreateAccessKey(t.Context(), w.in(t, w.open(t)), tokens.NewAccessKey{
		Name: "nightly", Scopes: scopes, Expires: new(w.clock.Now().Add(24 * time.Hour)),
	})
	ok(t, err)
	return k, secret.Reveal()
}

func TestAnAccessKeyActsForItsAccountWithinItsScopes(t *testing.T) {
	w := newWorld(t)
	k, secret := w.key(t, domain.ReadRecords, domain.Inspect)
	who, err := w.Check(t.Context(), secret, "198.51.100.7")
	ok(t, err)
	want := domain.Asker{
		Account: w.ada.ID, Roles: []domain.Role{"admin", "editor"}, Key: k.ID, Scopes: []domain.Scope{domain.ReadRecords, domain.Inspect},
	}
	if diff := cmp.Diff(want, who); diff != "" {
		t.Error(diff)
	}
	stored, _, err := w.store.AccessKeys().ByID(t.Context(), k.ID, w.clock.Now())
	ok(t, err)
	if diff := cmp.Diff(k, stored); diff != "" {
		t.Error(diff)
	}
}

func TestEachAccessKeyHasASecretOfItsOwn(t *testing.T) {
	w := newWorld(t)
	_, one := w.key(t, domain.ReadRecords)
	_, two := w.key(t, domain.ReadRecords)
	if one == two || !strings.HasPrefix(one, "kpk_") {
		t.Errorf("%q and %q", one, two)
	}
}

func TestAnAccessKeyIsRefused(t *testing.T) {
	suspended := domain.Suspended
	for _, c := range []struct {
		name string
		do   func(w *world, t testing.TB, k domain.AccessKey, secret string) string
	}{
		{"of another secret", func(w *world, t testing.TB, k domain.AccessKey, _ string) string {
			forged, _ := domain.NewAccessKeyText(k.ID, [32]byte{99})
			return forged.Reveal()
		}},
		{"that is cut off", func(_ *world, _ testing.TB, _ domain.AccessKey, secret string) string { return secret[:len(secret)-1] }},
		{"that nobody made", func(w *world, _ testing.TB, _ domain.AccessKey, _ string) string {
			forged, _ := domain.NewAccessKeyText(domain.AccessKeyID(w.newID()), [32]byte{1})
			return forged.Reveal()
		}},
		{"at the instant it expires", func(w *world, _ testing.TB, k domain.AccessKey, secret string) string {
			w.clock.Advance(k.Expires.Sub(w.clock.Now()))
			return secret
		}},
		{"that its account ended", func(w *world, t testing.TB, k domain.AccessKey, secret string) string {
			ok(t, w.EndAccessKey(t.Context(), domain.Asker{Account: w.ada.ID}, k.ID))
			return secret
		}},
		{"when its account ended all", func(w *world, t testing.TB, _ domain.AccessKey, secret string) string {
			ok(t, w.EndAccessKeys(t.Context(), domain.Asker{Account: w.ada.ID}))
			return secret
		}},
		{"that was revoked by its bearer", func(w *world, t testing.TB, _ domain.AccessKey, secret string) string {
			ok(t, w.Revoke(t.Context(), secret))
			ok(t, w.Revoke(t.Context(), secret))
			return secret
		}},
		{"while its account is suspended", func(w *world, t testing.TB, _ domain.AccessKey, secret string) string {
			w.change(t, domain.AccountChange{Status: &suspended})
			return secret
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			k, secret := w.key(t, domain.ReadRecords)
			_, err := w.Check(t.Context(), secret, "")
			ok(t, err)
			text := c.do(w, t, k, secret)
			who, err := w.Check(t.Context(), text, "")
			is(t, err, domain.ErrInvalidToken)
			if !who.Stranger() {
				t.Errorf("%+v came with the error", who)
			}
			i, err := w.Introspect(t.Context(), gateway, text)
			ok(t, err)
			if diff := cmp.Diff(tokens.Introspection{}, i); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRevokingTheWrongSecretEndsNoKey(t *testing.T) {
	w := newWorld(t)
	k, secret := w.key(t, domain.ReadRecords)
	forged, _ := domain.NewAccessKeyText(k.ID, [32]byte{99})
	ok(t, w.Revoke(t.Context(), forged.Reveal()))
	_, err := w.Check(t.Context(), secret, "")
	ok(t, err)
}

func TestAnAccessKeyIsWorthWhatItSays(t *testing.T) {
	w := newWorld(t)
	k, secret := w.key(t, domain.WriteRecords)
	got, err := w.Introspect(t.Context(), gateway, secret)
	ok(t, err)
	want := tokens.Introspection{Kind: tokens.AccessKey, Scopes: []domain.Scope{domain.WriteRecords}, Claims: domain.Claims{
		Subject: w.ada.ID, Roles: []domain.Role{"admin", "editor"}, Issued: k.Created.Truncate(time.Second), Expires: k.Expires.Truncate(time.Second),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhoMayHaveAccessKeys(t *testing.T) {
	w := newWorld(t)
	k, _ := w.key(t, domain.Scopes()...)
	for _, c := range []struct {
		who  domain.Asker
		want *domain.Error
	}{
		{domain.Asker{}, domain.ErrUnauthenticated},
		{domain.Asker{Account: w.ada.ID, Key: k.ID, Scopes: domain.Scopes()}, domain.ErrNotByKey},
	} {
		_, _, err := w.CreateAccessKey(t.Context(), c.who, tokens.NewAccessKey{Name: "x", Scopes: domain.Scopes()})
		is(t, err, c.want)
		_, err = w.AccessKeys(t.Context(), c.who, domain.PageRequest{})
		is(t, err, c.want)
		is(t, w.EndAccessKey(t.Context(), c.who, k.ID), c.want)
		is(t, w.EndAccessKeys(t.Context(), c.who), c.want)
		_, err = w.List(t.Context(), c.who, domain.PageRequest{})
		is(t, err, c.want)
		is(t, w.End(t.Context(), c.who, "x"), c.want)
		is(t, w.EndAll(t.Context(), c.who, ""), c.want)
	}
	is(t, w.EndAccessKey(t.Context(), domain.Asker{Account: w.account(t).ID}, k.ID), domain.ErrAccessKeyNotFound)
}

// A replica that has not heard of an ending yet still takes the access token; a key
// that outlives it cannot be had for it.
func TestAnEndedSessionMakesNoAccessKey(t *testing.T) {
	w := newWorld(t)
	g := w.open(t)
	who := w.in(t, g)
	ok(t, w.End(t.Context(), who, g.Session))
	_, secret, err := w.CreateAccessKey(t.Context(), who, tokens.NewAccessKey{Name: "x", Scopes: domain.Scopes()})
	is(t, err, domain.ErrInvalidToken)
	if !secret.IsZero() {
		t.Error("a secret came with the error")
	}
}

func TestWhenAnAccessKeyMayExpire(t *testing.T) {
	w := newWorld(t)
	who := w.in(t, w.open(t))
	for _, c := range []struct {
		expires *time.Time
		good    bool
	}{
		{nil, true},
		{new(time.Time{}), false},
		{new(w.clock.Now()), false},
		{new(w.clock.Now().Add(-time.Hour)), false},
		{new(w.clock.Now().Add(time.Nanosecond)), false},
		{new(w.clock.Now().Add(time.Microsecond)), true},
	} {
		_, _, err := w.CreateAccessKey(t.Context(), who, tokens.NewAccessKey{Name: "x", Scopes: domain.Scopes(), Expires: c.expires})
		if c.good {
			ok(t, err)
		} else {
			is(t, err, domain.ErrInvalidExpiry)
		}
	}
}

func TestAccessKeysAreListedByPagesOfTheirAccountAlone(t *testing.T) {
	w := newWorld(t)
	who := w.in(t, w.open(t))
	var want []domain.AccessKeyID
	for range 5 {
		k, _ := w.key(t, domain.ReadAccount)
		want = append(want, k.ID)
	}
	var got []domain.AccessKeyID
	p := domain.PageRequest{Limit: 2}
	for {
		page, err := w.AccessKeys(t.Context(), who, p)
		ok(t, err)
		for _, k := range page.Items {
			got = append(got, k.ID)
		}
		if p.Cursor = page.Next; p.Cursor == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	others, err := w.AccessKeys(t.Context(), domain.Asker{Account: w.account(t).ID}, domain.PageRequest{})
	if ok(t, err); len(others.Items) > 0 {
		t.Errorf("somebody else sees %d", len(others.Items))
	}
	_, err = w.AccessKeys(t.Context(), who, domain.PageRequest{Cursor: "forged"})
	is(t, err, domain.ErrInvalidCursor)
}
