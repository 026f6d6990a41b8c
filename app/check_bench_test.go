package app_test

import (
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

// BenchmarkCheck measures the whole check of an access token: parse, signature,
// bulletin, and the note that it was used; with the memory of tokens and without.
func BenchmarkCheck(b *testing.B) {
	for _, a := range domain.SigningAlgorithms() {
		b.Run("remembered/"+string(a), func(b *testing.B) { benchmarkCheck(b, a, app.Now) })
		// To a keyring whose clock is a year ahead every token is an old one, and not
		// worth remembering.
		b.Run("forgotten/"+string(a), func(b *testing.B) {
			benchmarkCheck(b, a, func() time.Time { return app.Now().AddDate(1, 0, 0) })
		})
	}
}

func benchmarkCheck(b *testing.B, a domain.Algorithm, now func() time.Time) {
	store, start := new(fake.Store), time.Now()
	keys := openKeysOf(b, a, store, jose.NewMaster(), now)
	c := defaults()
	c.RevocationMax = time.Hour
	s := app.Services(c, app.Parts{
		Store: store, Issuer: keys.Tokens(), Refresher: keys.Refresh(), Cursors: keys.Cursors(), Vault: keys.Vault(), Hasher: fake.Hasher{}, Blocklist: fake.Blocklist{},
		Now: app.Now, NewID: app.NewID, Random: app.Random, Reload: keys.Reload, Uptime: func() time.Duration { return time.Since(start) },
	})
	login, err := domain.ParseUsername("ada")
	if err != nil {
		b.Fatal(err)
	}
	account, err := s.Accounts.Register(b.Context(), accounts.Registration{Logins: []domain.Login{login}, Password: adasPassword})
	if err != nil {
		b.Fatal(err)
	}
	grant, err := s.Tokens.Open(b.Context(), account.ID, 1, domain.Client{})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Tokens.Hear(b.Context()); err != nil {
		b.Fatal(err)
	}
	token, before := grant.Access.Reveal(), keys.Stats().Signatures
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Tokens.Check(b.Context(), token, "192.0.2.1"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(keys.Stats().Signatures-before)/float64(b.N), "signatures/op")
}
