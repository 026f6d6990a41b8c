package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/tokens"
	"github.com/keyport-go/keyport/ports"
)

var adasPassword = domain.NewPassword("fifteen characters")

// A fleet is three replicas on one store: here is where things happen, there is
// one that hears of them, and deaf one that has heard nothing for too long.
type fleet struct {
	here, there, deaf replica
	store             ports.Store
	clock, uptime     *fake.Clock
	login             domain.Login
	ada, root         domain.Asker
	first, second     domain.Grant
	lasting           domain.Grant // of a third session, as older APIs open it
	key               domain.AccessKey
	secret            domain.Secret // of key
	polled            chan struct{} // tells when somebody was told the news there
	feed              *waiting      // for revocations, at there, by the first access token
}

// A replica is Keyport with keys of its own making, and real ones.
type replica struct {
	name string
	wire.Services
	http.Handler
	keys *jose.Keyring
}

// onDemand is a handler that is made for its first request. To make one writes the manual,
// which takes longer than most of what is asked of a replica.
func onDemand(make func() http.Handler) http.Handler {
	h := sync.OnceValue(make)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h().ServeHTTP(w, r) })
}

func newFleet(t *testing.T, store ports.Store) *fleet {
	t.Helper()
	epoch := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	w := &fleet{store: store, clock: fake.NewClock(epoch), uptime: fake.NewClock(epoch)}
	id, random, master := fake.UUIDs(), fake.Randoms(), jose.NewMaster()
	w.polled = make(chan struct{}, 1)
	start := func(name string, store ports.Store) replica {
		c := defaults()
		c.RevocationMax = 5 * time.Second
		keys := openKeys(t, store, master, w.clock.Now)
		p := app.Parts{
			Store: store, Issuer: keys.Tokens(), Refresher: keys.Refresh(), Cursors: keys.Cursors(), Vault: keys.Vault(), Hasher: fake.Hasher{}, Blocklist: fake.Blocklist{},
			Now: w.clock.Now, NewID: id, Random: random, Reload: keys.Reload, Log: slog.New(slog.DiscardHandler),
			Uptime: func() time.Duration { return w.uptime.Now().Sub(epoch) },
		}
		s := app.Services(c, p)
		if err := s.Tokens.Hear(t.Context()); err != nil {
			t.Fatal(err)
		}
		return replica{name, s, onDemand(func() http.Handler { return app.Handler(c, p, s) }), keys}
	}
	w.here = start("the replica that did it", store)
	w.there = start("a replica that has heard", polledStore{store, w.polled})
	w.deaf = start("a replica that has heard nothing for too long", store)
	w.ada, w.first = w.enter(t, "ada", domain.Introspector)
	w.ada, w.second = w.enter(t, "ada")
	w.ada.Session = w.first.Session
	w.root, _ = w.enter(t, "root", domain.Administrator)
	w.login, _ = domain.ParseLogin("ada")
	var err error
	w.key, w.secret, err = w.here.Tokens.CreateAccessKey(t.Context(), w.ada, tokens.NewAccessKey{
		Name: "nightly", Scopes: []domain.Scope{domain.ReadAccount}, Expires: new(w.clock.Now().Add(5 * time.Minute)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.lasting, err = w.here.Tokens.OpenOn(t.Context(), w.ada.Account, 1, domain.Client{}, tokens.Terms{Renewal: domain.Reusable})
	if err != nil {
		t.Fatal(err)
	}
	w.feed = w.there.wait(t, w.first.Access, w.polled)
	return w
}

// enter signs in, and opens the account first if there is none.
func (w *fleet) enter(t *testing.T, name string, roles ...domain.Role) (domain.Asker, domain.Grant) {
	t.Helper()
	login, err := domain.ParseLogin(name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.here.Accounts.Register(t.Context(), accounts.Registration{Logins: []domain.Login{login}, Roles: roles, Password: adasPassword})
	if err != nil && !errors.Is(err, domain.ErrLoginTaken) {
		t.Fatal(err)
	}
	proof, err := w.here.Accounts.Authenticate(t.Context(), login, adasPassword)
	if err != nil {
		t.Fatal(err)
	}
	grant, err := w.here.Tokens.Open(t.Context(), proof.Account, proof.Credential, domain.Client{})
	if err != nil {
		t.Fatal(err)
	}
	who, err := w.here.Tokens.Check(t.Context(), grant.Access.Reveal(), "")
	if err != nil {
		t.Fatal(err)
	}
	return who, grant
}

func (w *fleet) change(t *testing.T, c domain.AccountChange) error {
	_, err := w.here.Accounts.Change(t.Context(), w.root, w.ada.Account, 0, c)
	return err
}

func (w *fleet) become(t *testing.T, status domain.Status) error {
	return w.change(t, domain.AccountChange{Status: &status})
}

// retire retires the key of a use that signs now.
func (w *fleet) retire(t *testing.T, use string) error {
	keys, err := jose.List(t.Context(), w.store.Keys(), w.clock.Now())
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Use == use && k.State == jose.Signs {
			return w.here.keys.Retire(t.Context(), k.ID)
		}
	}
	return fmt.Errorf("no key signs for %s", use)
}

func (r replica) check(t *testing.T, token domain.Secret) error {
	_, err := r.Tokens.Check(t.Context(), token.Reveal(), "")
	return err
}

func (r replica) refresh(t *testing.T, token domain.Secret) error {
	_, err := r.Tokens.Refresh(t.Context(), token.Reveal())
	return err
}

func (r replica) reuse(t *testing.T, token domain.Secret) error {
	_, err := r.Tokens.Reuse(t.Context(), token.Reveal(), 10*time.Minute)
	return err
}

func (r replica) refreshByCookie(t *testing.T, token domain.Secret) error {
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/token", strings.NewReader("grant_type=refresh_token"))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", defaults().PublicURL)
	request.AddCookie(&http.Cookie{Name: "__Host-keyport", Value: token.Reveal()})
	answer := httptest.NewRecorder()
	r.ServeHTTP(answer, request)
	switch {
	case answer.Code == http.StatusOK:
		return nil
	case answer.Code == http.StatusBadRequest && strings.Contains(answer.Body.String(), "invalid_grant"):
		return domain.Unauthenticated
	}
	return fmt.Errorf("the answer is %d %s", answer.Code, answer.Body)
}

// A waiting request for revocations is answered when there are some.
type waiting struct {
	answer chan *httptest.ResponseRecorder
}

// wait sends the request, and returns once it waits: it has found nothing new, which
// polled tells.
func (r replica) wait(t *testing.T, token domain.Secret, polled <-chan struct{}) *waiting {
	t.Helper()
	return r.waitFrom(t, "", token, polled)
}

// waitFrom is wait for what comes after a cursor.
func (r replica) waitFrom(t *testing.T, cursor string, token domain.Secret, polled <-chan struct{}) *waiting {
	t.Helper()
	for len(polled) > 0 {
		<-polled
	}
	w := &waiting{make(chan *httptest.ResponseRecorder, 1)}
	go func() {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/revocations?wait=25&cursor="+cursor, nil)
		request.Header.Set("Authorization", "Bearer "+token.Reveal())
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, request)
		w.answer <- answer
	}()
	select {
	case <-polled:
	case answer := <-w.answer:
		t.Fatalf("who waits for revocations is told %d %s", answer.Code, answer.Body)
	}
	return w
}

// answered ends the wait, if it goes on.
func (w *waiting) answered(r replica) error {
	r.Tokens.Hush()
	switch answer := <-w.answer; answer.Code {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized:
		return domain.Unauthenticated
	default:
		return fmt.Errorf("the answer is %d %s", answer.Code, answer.Body)
	}
}

// A polledStore tells when somebody was told the news.
type polledStore struct {
	ports.Store
	polled chan<- struct{}
}

func (s polledStore) Bulletin() ports.Bulletin { return polledBulletin{s.Store.Bulletin(), s.polled} }

type polledBulletin struct {
	ports.Bulletin
	polled chan<- struct{}
}

func (b polledBulletin) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	defer func() {
		select {
		case b.polled <- struct{}{}:
		default:
		}
	}()
	return b.Bulletin.News(ctx, mark)
}
