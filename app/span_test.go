package app_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/resources"
	"github.com/keyport-go/keyport/ports"
)

// TestTracingCostsNothingWhereItIsOff: a check of a token and the reading of a record
// allocate the same without a Span and with one that does nothing, and to begin and end
// without one allocates nothing.
func TestTracingCostsNothingWhereItIsOff(t *testing.T) {
	idle := func(ctx context.Context, _ string) (context.Context, func(error)) { return ctx, func(error) {} }
	checks, reads := make(map[string]float64), make(map[string]float64)
	for name, span := range map[string]ports.Span{"none": nil, "one that does nothing": idle} {
		s, token, who, id := spanned(t, span)
		checks[name] = testing.AllocsPerRun(200, func() {
			if _, err := s.Tokens.Check(t.Context(), token, "192.0.2.1"); err != nil {
				t.Fatal(err)
			}
		})
		reads[name] = testing.AllocsPerRun(200, func() {
			if _, err := s.Resources.Get(t.Context(), who, "ships", id); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Logf("a check of a token allocates %v times, the reading of a record %v", checks["none"], reads["none"])
	if checks["none"] != checks["one that does nothing"] || reads["none"] != reads["one that does nothing"] {
		t.Errorf("checks: %v, reads: %v", checks, reads)
	}
	cause := errors.New("cause")
	for name, span := range map[string]ports.Span{"none": nil, "one that does nothing": idle} {
		if n := testing.AllocsPerRun(200, func() { _, _ = traced(t.Context(), span, cause) }); n != 0 {
			t.Errorf("%s: a verb allocates %v times", name, n)
		}
	}
}

// traced begins and ends as those of the services do.
func traced(ctx context.Context, span ports.Span, cause error) (n int, err error) {
	ctx, end := span.Begin(ctx, "app.verb")
	defer func() { end(err) }()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return 1, cause
}

// spanned returns services that trace with span, an access token, whose it is, and the
// id of a record of theirs.
func spanned(t *testing.T, span ports.Span) (s wire.Services, token string, who domain.Asker, id domain.RecordID) {
	t.Helper()
	store, begun := new(fake.Store), time.Now()
	keys := openKeysOf(t, domain.ES256, store, jose.NewMaster(), app.Now)
	c := defaults()
	c.RevocationMax = time.Minute
	s = app.Services(c, app.Parts{
		Store: store, Issuer: keys.Tokens(), Refresher: keys.Refresh(), Cursors: keys.Cursors(), Vault: keys.Vault(), Hasher: fake.Hasher{}, Blocklist: fake.Blocklist{},
		Now: app.Now, NewID: app.NewID, Random: app.Random, Reload: keys.Reload, Uptime: func() time.Duration { return time.Since(begun) }, Span: span,
	})
	login, err := domain.ParseUsername("ada")
	if err != nil {
		t.Fatal(err)
	}
	account, err := s.Accounts.Register(t.Context(), accounts.Registration{Logins: []domain.Login{login}, Password: adasPassword})
	if err != nil {
		t.Fatal(err)
	}
	grant, err := s.Tokens.Open(t.Context(), account.ID, 1, domain.Client{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Tokens.Hear(t.Context()); err != nil {
		t.Fatal(err)
	}
	who = domain.Asker{Account: account.ID}
	ships := domain.Collection{Name: "ships", Schema: document(t, `{}`), Rules: domain.Rules{List: "true", Read: "true", Create: "true", Update: "true", Delete: "true"}}
	if _, err := s.Resources.Declare(t.Context(), domain.Asker{}, ships, resources.Declaring{Operator: true}); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resources.Create(t.Context(), who, "ships", document(t, `{"name":"Firefly"}`))
	if err != nil {
		t.Fatal(err)
	}
	return s, grant.Access.Reveal(), who, r.ID
}
