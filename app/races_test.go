package app_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/ports"
)

// stores are all the kinds of store that there are.
var stores = map[string]func(*testing.T) ports.Store{"fake": openFake, "SQLite": openSQLite, "PostgreSQL": openPostgres}

// A sign-in that verified the old password, and then was overtaken, opens no
// session, whatever overtook it.
func TestASignInDoesNotSurviveWhatOvertakesIt(t *testing.T) {
	for store, open := range stores {
		for _, overtaking := range []struct {
			name string
			do   func(t *testing.T, s *scene) error
		}{
			{"a password change", func(t *testing.T, s *scene) error {
				return s.Accounts.ChangePassword(t.Context(), s.ada, domain.NewPassword("fifteen characters"), domain.NewPassword("another fifteen"))
			}},
			{"a suspension", func(t *testing.T, s *scene) error {
				return s.set(t, domain.Suspended)
			}},
			{"a suspension that was lifted, with a password change between", func(t *testing.T, s *scene) error {
				login, _ := domain.ParseLogin("ada")
				return errors.Join(s.set(t, domain.Suspended), s.Accounts.SetPassword(t.Context(), login, domain.NewPassword("another fifteen")), s.set(t, domain.Active))
			}},
			{"a deletion", func(t *testing.T, s *scene) error {
				return s.Accounts.Close(t.Context(), s.ada, 0)
			}},
		} {
			t.Run(store+"/"+overtaking.name, func(t *testing.T) {
				s := newScene(t, open(t))
				login, err := domain.ParseLogin("ada")
				if err != nil {
					t.Fatal(err)
				}
				proof, err := s.Accounts.Authenticate(t.Context(), login, domain.NewPassword("fifteen characters"))
				if err != nil {
					t.Fatal(err)
				}
				if err := overtaking.do(t, s); err != nil {
					t.Fatal(err)
				}
				if _, err := s.Tokens.Open(t.Context(), proof.Account, proof.Credential, domain.Client{}); !errors.Is(err, domain.ErrInvalidCredentials) {
					t.Errorf("the session was opened: %v", err)
				}
			})
		}
	}
}

// Many sign-ins with the old password run beside the change of it. When all is
// done, no session is left that the old password opened.
func TestNoSessionOfAnOldPasswordIsLeft(t *testing.T) {
	for store, open := range stores {
		t.Run(store, func(t *testing.T) {
			s := newScene(t, open(t))
			login, err := domain.ParseLogin("ada")
			if err != nil {
				t.Fatal(err)
			}
			const attempts = 32
			granted := make(chan domain.Grant, attempts)
			done := make(chan error, attempts)
			for range attempts {
				go func() {
					proof, err := s.Accounts.Authenticate(t.Context(), login, domain.NewPassword("fifteen characters"))
					if err == nil {
						var g domain.Grant
						if g, err = s.Tokens.Open(t.Context(), proof.Account, proof.Credential, domain.Client{}); err == nil {
							granted <- g
						}
					}
					done <- err
				}()
			}
			if err := s.Accounts.ChangePassword(t.Context(), s.ada, domain.NewPassword("fifteen characters"), domain.NewPassword("another fifteen")); err != nil {
				t.Fatal(err)
			}
			for range attempts {
				if err := <-done; err != nil && !errors.Is(err, domain.ErrInvalidCredentials) {
					t.Error(err)
				}
			}
			close(granted)
			for g := range granted {
				if _, err := s.Tokens.Check(t.Context(), g.Access.Reveal(), ""); !errors.Is(err, domain.ErrInvalidToken) {
					t.Errorf("a session of the old password lives on: %v", err)
				}
			}
			if _, err := s.Tokens.Check(t.Context(), s.access, ""); err != nil {
				t.Errorf("the session that changed the password ended: %v", err)
			}
		})
	}
}

// A scene is the services on some store, with ada signed in and root beside.
type scene struct {
	wire.Services
	ada, root domain.Asker
	access    string
}

func (s *scene) set(t *testing.T, status domain.Status) error {
	_, err := s.Accounts.Change(t.Context(), s.root, s.ada.Account, 0, domain.AccountChange{Status: &status})
	return err
}

func newScene(t *testing.T, store ports.Store) *scene {
	t.Helper()
	clock := fake.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	s := &scene{Services: app.Services(defaults(), app.Parts{
		Store: store, Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{}, Vault: fake.Vault{},
		Hasher: fake.Hasher{}, Blocklist: fake.Blocklist{}, Now: clock.Now, NewID: fake.UUIDs(),
	})}
	s.ada, s.access = s.enter(t, "ada")
	s.root, _ = s.enter(t, "root", domain.Administrator)
	return s
}

// enter opens an account and a session for it.
func (s *scene) enter(t *testing.T, name string, roles ...domain.Role) (domain.Asker, string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	login, err := domain.ParseLogin(name)
	if err != nil {
		t.Fatal(err)
	}
	password := domain.NewPassword("fifteen characters")
	if _, err := s.Accounts.Register(ctx, accounts.Registration{Logins: []domain.Login{login}, Roles: roles, Password: password}); err != nil {
		t.Fatal(err)
	}
	proof, err := s.Accounts.Authenticate(ctx, login, password)
	if err != nil {
		t.Fatal(err)
	}
	grant, err := s.Tokens.Open(ctx, proof.Account, proof.Credential, domain.Client{})
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.Tokens.Check(ctx, grant.Access.Reveal(), "")
	if err != nil {
		t.Fatal(err)
	}
	return who, grant.Access.Reveal()
}
