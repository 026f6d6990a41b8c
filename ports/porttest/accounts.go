package porttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var accounts = []clause[ports.Store]{
	{
		"an account is read as it was stored",
		"Accounts keeps the accounts, their logins and their credentials.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "Ada", "Ada@example.com")
			bob := account(2, "Bob")
			bob.Name, bob.Roles, bob.Status, bob.Authority = "Bób ’\"\\%_", nil, domain.Suspended, 1<<62
			none := account(3)
			none.Name = ""
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				s.Accounts().Add(ctx, none, hash(3)),
				reads(ada)(s.Accounts().ByID(ctx, ada.ID)),
				reads(bob)(s.Accounts().ByID(ctx, bob.ID)),
				reads(none)(s.Accounts().ByID(ctx, none.ID)),
			)
		},
	},
	{
		"an account is added with its hash",
		"Add stores a new account with its logins and the hash of its password.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			foreign := domain.NewPasswordHash("$2y$10$ Ünïcode and spaces ")
			return errors.Join(
				s.Accounts().Add(ctx, ada, foreign),
				reads(domain.Credential{Account: ada.ID, Hash: foreign, Revision: 1})(s.Accounts().Credential(ctx, ada.ID)),
			)
		},
	},
	{
		"an account begins at revision 1",
		"Account and credential begin at revision 1, whatever a says.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			asked := ada
			asked.Revision = 9
			return errors.Join(
				s.Accounts().Add(ctx, asked, hash(1)),
				reads(ada)(s.Accounts().ByID(ctx, ada.ID)),
				reads(credential(ada, 1, 1))(s.Accounts().Credential(ctx, ada.ID)),
			)
		},
	},
	{
		"a login has one owner",
		"Of any number of calls for one login exactly one succeeds; the others fail with domain.ErrLoginTaken and store nothing.",
		func(ctx context.Context, s ports.Store) error {
			return oneWinner(race(func(i int) error {
				return s.Accounts().Add(ctx, account(i, fmt.Sprintf("user %d", i), "ada@example.com"), hash(i))
			}), domain.ErrLoginTaken)
		},
	},
	{
		"an account whose login is taken is not stored",
		"the others fail with domain.ErrLoginTaken and store nothing.",
		func(ctx context.Context, s ports.Store) error {
			// The first login of the second account is free, its second is not.
			return errors.Join(
				s.Accounts().Add(ctx, account(1, "Straße", "ada@example.com"), hash(1)),
				is(s.Accounts().Add(ctx, account(2, "bob", "ADA@example.com"), hash(2)), domain.ErrLoginTaken),
				is(s.Accounts().Add(ctx, account(2, "STRASSE"), hash(2)), domain.ErrLoginTaken),
				fails[domain.Account](domain.ErrAccountNotFound)(s.Accounts().ByID(ctx, accountID(2))),
				fails[domain.Credential](domain.ErrAccountNotFound)(s.Accounts().Credential(ctx, accountID(2))),
				s.Accounts().Add(ctx, account(2, "bob", "bob@example.com"), hash(2)),
			)
		},
	},
	{
		"logins come in their order",
		"ByID returns the account with its logins in the order user name, e-mail address, or domain.ErrAccountNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "zoe", "ada@example.com")
			asked := ada
			asked.Logins = []domain.Login{ada.Logins[1], ada.Logins[0]}
			byLogin, _, err := first(s.Accounts().Add(ctx, asked, hash(1)), func() (domain.Account, domain.Credential, error) {
				return s.Accounts().ByLogin(ctx, login("zoe"))
			})
			return errors.Join(
				err,
				same(byLogin, ada),
				reads(ada)(s.Accounts().ByID(ctx, ada.ID)),
				reads([]domain.Account{ada})(s.Accounts().List(ctx, "", 1)),
				fails[domain.Account](domain.ErrAccountNotFound)(s.Accounts().ByID(ctx, accountID(2))),
			)
		},
	},
	{
		"a login is found by kind and normal form",
		"ByLogin returns the account that has a login of the same kind and normal form, and its credential, or domain.ErrAccountNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "Ǆura Straße", "Ada.L@Example.com")
			bob := account(2)
			bob.Logins = []domain.Login{domain.RestoreLogin(domain.Username, "ada.l@example.com", "ada.l@example.com")}
			if err := errors.Join(s.Accounts().Add(ctx, ada, hash(1)), s.Accounts().Add(ctx, bob, hash(2))); err != nil {
				return err
			}
			for l, want := range map[domain.Login]domain.Account{
				login("Ǆura Straße"):       ada,
				login("ǆURA STRASSE"):      ada,
				login("ada.l@example.COM"): ada,
				bob.Logins[0]:              bob,
			} {
				a, c, err := s.Accounts().ByLogin(ctx, l)
				if err := errors.Join(err, same(a, want), same(c.Account, want.ID), same(c.Revision, 1)); err != nil {
					return fmt.Errorf("%s %q: %w", l.Kind(), l.Value(), err)
				}
			}
			_, c, err := s.Accounts().ByLogin(ctx, ada.Logins[0])
			_, _, absent := s.Accounts().ByLogin(ctx, login("ada.l"))
			return errors.Join(err, same(c, credential(ada, 1, 1)), is(absent, domain.ErrAccountNotFound))
		},
	},
	{
		"an account has a credential",
		"Credential returns the account's credential, or domain.ErrAccountNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				reads(credential(ada, 1, 1))(s.Accounts().Credential(ctx, ada.ID)),
				reads(credential(bob, 2, 1))(s.Accounts().Credential(ctx, bob.ID)),
				fails[domain.Credential](domain.ErrAccountNotFound)(s.Accounts().Credential(ctx, accountID(3))),
			)
		},
	},
	{
		"accounts are listed by id",
		"List returns at most limit accounts ordered by id, beginning after the given one; \"\" is before the first.",
		func(ctx context.Context, s ports.Store) error {
			all := make([]domain.Account, 5)
			for _, i := range []int{3, 0, 4, 1, 2} {
				all[i] = account(2*i, fmt.Sprintf("name %d", 9-i), fmt.Sprintf("a%d@example.com", i))
				if err := s.Accounts().Add(ctx, all[i], hash(i)); err != nil {
					return err
				}
			}
			return errors.Join(
				reads(all[:3])(s.Accounts().List(ctx, "", 3)),
				reads(all[3:])(s.Accounts().List(ctx, all[2].ID, 3)),
				reads(all[2:4])(s.Accounts().List(ctx, accountID(3), 2)), // an id that is not there
				reads(all)(s.Accounts().List(ctx, "", 5)),
				reads([]domain.Account(nil))(s.Accounts().List(ctx, all[4].ID, 3)),
				reads([]domain.Account(nil))(s.Accounts().List(ctx, "", 0)),
			)
		},
	},
	{
		"accounts are read together",
		"ByIDs returns those of the accounts that there are, as ByID does, in any order. ids are different.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob, carol, none := account(1, "zoe", "ada@example.com"), account(2, "bob"), account(3, "carol"), account(4)
			bob.Status, bob.Roles = domain.Suspended, nil
			// More ids than a statement of some databases may have parameters.
			var many []domain.AccountID
			for n := range 1000 {
				many = append(many, accountID(n))
			}
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				s.Accounts().Add(ctx, carol, hash(3)),
				s.Accounts().Add(ctx, none, hash(4)),
				together(ada, carol)(s.Accounts().ByIDs(ctx, []domain.AccountID{carol.ID, ada.ID})),
				together(none, bob)(s.Accounts().ByIDs(ctx, []domain.AccountID{accountID(9), none.ID, bob.ID, accountID(8)})),
				together(carol)(s.Accounts().ByIDs(ctx, []domain.AccountID{carol.ID})),
				together()(s.Accounts().ByIDs(ctx, []domain.AccountID{accountID(9)})),
				together(ada, bob, carol, none)(s.Accounts().ByIDs(ctx, many)),
			)
		},
	},
	{
		"logins are replaced",
		"SetLogins replaces the account's logins, if the stored revision is rev; 0 stands for any.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada", "ada@example.com"), account(2, "bob")
			now := withChanged(ada, noon)
			set := func(rev domain.Revision, logins ...string) error {
				now = revised(now, now.Revision+1)
				now.Logins = account(0, logins...).Logins
				given := slices.Clone(now.Logins)
				slices.Reverse(given)
				if err := errors.Join(
					s.Accounts().SetLogins(ctx, ada.ID, rev, given, noon),
					reads([]domain.Account{now, bob})(s.Accounts().List(ctx, "", 9)),
				); err != nil {
					return fmt.Errorf("of %q: %w", logins, err)
				}
				for _, l := range now.Logins {
					a, c, err := s.Accounts().ByLogin(ctx, l)
					if err := errors.Join(err, same(a, now), same(c, credential(ada, 1, 1))); err != nil {
						return fmt.Errorf("by %q: %w", l.Value(), err)
					}
				}
				return nil
			}
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				set(1, "Straße", "ada@example.com"), // of which one is the same
				set(0, "STRASSE", "ADA@example.com"),
				set(3, "lovelace@example.com"),
				set(4, "ada"),
				set(0),
				set(6, "zoe", "zoe@example.com"),
			)
		},
	},
	{
		"a login that is given up is free",
		"SetLogins replaces the account's logins",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada", "ada@example.com"), account(2, "bob")
			err := errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				s.Accounts().SetLogins(ctx, ada.ID, 1, []domain.Login{login("lovelace")}, noon),
			)
			_, _, absent := s.Accounts().ByLogin(ctx, login("ada"))
			return errors.Join(
				err, is(absent, domain.ErrAccountNotFound),
				s.Accounts().SetLogins(ctx, bob.ID, 1, []domain.Login{login("ADA")}, noon),
				s.Accounts().Add(ctx, account(3, "bob", "ada@example.com"), hash(3)),
				is(s.Accounts().Add(ctx, account(4, "Lovelace"), hash(4)), domain.ErrLoginTaken),
				s.Accounts().Remove(ctx, ada.ID, 2),
				s.Accounts().Add(ctx, account(4, "Lovelace"), hash(4)),
			)
		},
	},
	{
		"another login is a change of its account",
		"It makes that revision the next one, and sets the account's time of change.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			later := noon.Add(time.Hour)
			now := withChanged(revised(ada, 2), later)
			now.Logins = []domain.Login{login("lovelace")}
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				s.Accounts().SetLogins(ctx, ada.ID, 1, now.Logins, later),
				reads(now)(s.Accounts().ByID(ctx, ada.ID)),
				reads(credential(ada, 1, 1))(s.Accounts().Credential(ctx, ada.ID)),
				is(s.Accounts().Update(ctx, ada), domain.ErrStale),
				reads(bob)(s.Accounts().ByID(ctx, bob.ID)),
			)
		},
	},
	{
		"logins that cannot be replaced stay",
		"It fails with domain.ErrLoginTaken if one of them is another account's, with domain.ErrStale or with domain.ErrAccountNotFound, and writes nothing then.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada", "ada@example.com"), account(2, "bob", "bob@example.com")
			free, later := []domain.Login{login("lovelace")}, noon.Add(time.Hour)
			err := errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				is(s.Accounts().SetLogins(ctx, ada.ID, 1, []domain.Login{login("BOB")}, later), domain.ErrLoginTaken),
				is(s.Accounts().SetLogins(ctx, ada.ID, 0, []domain.Login{free[0], login("bob@example.com")}, later), domain.ErrLoginTaken),
				is(s.Accounts().SetLogins(ctx, ada.ID, 2, free, later), domain.ErrStale),
				is(s.Accounts().SetLogins(ctx, accountID(3), 1, free, later), domain.ErrAccountNotFound),
				is(s.Accounts().SetLogins(ctx, accountID(3), 0, free, later), domain.ErrAccountNotFound),
				is(s.Accounts().SetLogins(ctx, accountID(3), 0, nil, later), domain.ErrAccountNotFound),
				reads([]domain.Account{ada, bob})(s.Accounts().List(ctx, "", 9)),
			)
			_, _, absent := s.Accounts().ByLogin(ctx, free[0])
			return errors.Join(err, is(absent, domain.ErrAccountNotFound), s.Accounts().Add(ctx, account(3, "lovelace"), hash(3)))
		},
	},
	{
		"a login is set for one account",
		"It fails with domain.ErrLoginTaken if one of them is another account's",
		func(ctx context.Context, s ports.Store) error {
			// A quarter of them come with the login, and the others take it.
			for i := range contenders {
				if i%4 > 0 {
					if err := s.Accounts().Add(ctx, account(i, fmt.Sprintf("user %d", i)), hash(i)); err != nil {
						return err
					}
				}
			}
			errs := race(func(i int) error {
				a := account(i, fmt.Sprintf("user %d", i), "ada@example.com")
				if i%4 == 0 {
					return s.Accounts().Add(ctx, a, hash(i))
				}
				return s.Accounts().SetLogins(ctx, a.ID, domain.Revision(i%2), a.Logins, noon)
			})
			a, _, err := s.Accounts().ByLogin(ctx, login("ada@example.com"))
			return errors.Join(oneWinner(errs, domain.ErrLoginTaken), err, same(a.ID, accountID(slices.Index(errs, nil))))
		},
	},
	{
		"the logins of a revision are set once",
		"SetLogins replaces the account's logins, if the stored revision is rev",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			if err := s.Accounts().Add(ctx, ada, hash(1)); err != nil {
				return err
			}
			errs := race(func(i int) error {
				return s.Accounts().SetLogins(ctx, ada.ID, 1, []domain.Login{login(fmt.Sprintf("user %d", i))}, noon)
			})
			now := withChanged(revised(ada, 2), noon)
			now.Logins = []domain.Login{login(fmt.Sprintf("user %d", slices.Index(errs, nil)))}
			return errors.Join(oneWinner(errs, domain.ErrStale), reads(now)(s.Accounts().ByID(ctx, ada.ID)))
		},
	},
	{
		"an account is changed",
		"Update writes name, roles, status, authority and time of change if the stored revision is a.Revision, and makes it the next one.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			now := ada
			now.Name, now.Roles, now.Status, now.Authority, now.Changed = "Ada L.", []domain.Role{"author"}, domain.Suspended, 8, noon.Add(time.Hour)
			then := now
			then.Name, then.Roles, then.Status, then.Revision = "", nil, domain.Active, 2
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				s.Accounts().Update(ctx, now),
				reads(revised(now, 2))(s.Accounts().ByID(ctx, ada.ID)),
				s.Accounts().Update(ctx, then),
				reads(revised(then, 3))(s.Accounts().ByID(ctx, ada.ID)),
				reads(bob)(s.Accounts().ByID(ctx, bob.ID)),
			)
		},
	},
	{
		"what a change of an account leaves",
		"Logins, credential and time of creation stay.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			now := ada
			now.Logins, now.Created, now.Changed = account(2, "bob").Logins, noon.Add(time.Hour), noon.Add(time.Hour)
			ada.Changed = now.Changed
			_, _, absent := first(errors.Join(s.Accounts().Add(ctx, ada, hash(1)), s.Accounts().Update(ctx, now)), func() (domain.Account, domain.Credential, error) {
				return s.Accounts().ByLogin(ctx, login("bob"))
			})
			return errors.Join(
				is(absent, domain.ErrAccountNotFound),
				reads(revised(ada, 2))(s.Accounts().ByID(ctx, ada.ID)),
				reads(credential(ada, 1, 1))(s.Accounts().Credential(ctx, ada.ID)),
			)
		},
	},
	{
		"a stale change of an account",
		"Otherwise it fails with domain.ErrStale, or with domain.ErrAccountNotFound, and writes nothing.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			now := ada
			now.Name = "somebody else"
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				is(s.Accounts().Update(ctx, revised(now, 0)), domain.ErrStale),
				is(s.Accounts().Update(ctx, revised(now, 2)), domain.ErrStale),
				is(s.Accounts().Update(ctx, account(2)), domain.ErrAccountNotFound),
				reads([]domain.Account{ada})(s.Accounts().List(ctx, "", 2)),
			)
		},
	},
	{
		"a revision of an account is changed once",
		"Update writes name, roles, status, authority and time of change if the stored revision is a.Revision",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			if err := s.Accounts().Add(ctx, ada, hash(1)); err != nil {
				return err
			}
			return errors.Join(oneWinner(race(func(i int) error {
				now := ada
				now.Name = fmt.Sprintf("Ada %d", i)
				return s.Accounts().Update(ctx, now)
			}), domain.ErrStale))
		},
	},
	{
		"a password is changed",
		"SetCredential replaces the password's hash if the stored revision of the credential is c.Revision. It makes that revision and the account's the next ones, and sets the account's time of change.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada"), account(2, "bob")
			now := ada
			now.Changed = noon.Add(time.Hour)
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				s.Accounts().Update(ctx, ada), // now the two revisions differ
				s.Accounts().SetCredential(ctx, credential(ada, 11, 1), now.Changed),
				reads(credential(ada, 11, 2))(s.Accounts().Credential(ctx, ada.ID)),
				reads(revised(now, 3))(s.Accounts().ByID(ctx, ada.ID)),
				reads(credential(bob, 2, 1))(s.Accounts().Credential(ctx, bob.ID)),
				reads(bob)(s.Accounts().ByID(ctx, bob.ID)),
			)
		},
	},
	{
		"a stale change of a password",
		"Otherwise it fails with domain.ErrCredentialChanged, or with domain.ErrAccountNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			later := noon.Add(time.Hour)
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				is(s.Accounts().SetCredential(ctx, credential(ada, 11, 0), later), domain.ErrCredentialChanged),
				is(s.Accounts().SetCredential(ctx, credential(ada, 11, 2), later), domain.ErrCredentialChanged),
				is(s.Accounts().SetCredential(ctx, credential(account(2), 11, 1), later), domain.ErrAccountNotFound),
				reads(credential(ada, 1, 1))(s.Accounts().Credential(ctx, ada.ID)),
				reads(ada)(s.Accounts().ByID(ctx, ada.ID)),
			)
		},
	},
	{
		"a revision of a credential is changed once",
		"SetCredential replaces the password's hash if the stored revision of the credential is c.Revision.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			if err := s.Accounts().Add(ctx, ada, hash(1)); err != nil {
				return err
			}
			return errors.Join(oneWinner(race(func(i int) error {
				return s.Accounts().SetCredential(ctx, credential(ada, i, 1), noon)
			}), domain.ErrCredentialChanged), reads(revised(withChanged(ada, noon), 2))(s.Accounts().ByID(ctx, ada.ID)))
		},
	},
	{
		"a password is hashed anew",
		"Rehash replaces the hash of a password by another hash of the same password, if the stored revision of the credential is c.Revision. No revision rises.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Rehash(ctx, credential(ada, 11, 1)),
				reads(credential(ada, 11, 1))(s.Accounts().Credential(ctx, ada.ID)),
				reads(ada)(s.Accounts().ByID(ctx, ada.ID)),
			)
		},
	},
	{
		"a password that was changed is not hashed anew",
		"Otherwise nothing happens, and that is no error.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().SetCredential(ctx, credential(ada, 2, 1), ada.Changed),
				s.Accounts().Rehash(ctx, credential(ada, 11, 1)),
				s.Accounts().Rehash(ctx, credential(ada, 11, 3)),
				s.Accounts().Rehash(ctx, credential(account(2), 11, 1)),
				reads(credential(ada, 2, 2))(s.Accounts().Credential(ctx, ada.ID)),
				fails[domain.Credential](domain.ErrAccountNotFound)(s.Accounts().Credential(ctx, accountID(2))),
			)
		},
	},
	{
		"an account is removed with what is its own",
		"Remove deletes the account with its logins, credential, sessions and access keys, if the stored revision is rev; 0 stands for any.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob := account(1, "ada", "ada@example.com"), account(2, "bob")
			err := errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				opened(s.Sessions().Open(ctx, session(1, ada), 1)),
				opened(s.Sessions().Open(ctx, session(2, bob), 1)),
				s.AccessKeys().Add(ctx, accessKey(1, ada), sessionID(1)),
				s.AccessKeys().Add(ctx, accessKey(2, bob), sessionID(2)),
				s.Accounts().Update(ctx, ada),
				s.Accounts().Remove(ctx, ada.ID, 2),
				fails[domain.Account](domain.ErrAccountNotFound)(s.Accounts().ByID(ctx, ada.ID)),
				fails[domain.Credential](domain.ErrAccountNotFound)(s.Accounts().Credential(ctx, ada.ID)),
				fails[domain.Authority](domain.ErrSessionNotFound)(s.Sessions().Authority(ctx, sessionID(1), noon)),
				reads([]domain.Session(nil))(s.Sessions().List(ctx, ada.ID, noon, "", 9)),
				reads(domain.Refreshed{})(s.Sessions().Refresh(ctx, domain.RefreshToken{Session: sessionID(1)}, noon, policy)),
				bearsNothing(s.AccessKeys().ByID(ctx, accessKeyID(1), noon)),
				reads([]domain.AccessKey(nil))(s.AccessKeys().List(ctx, ada.ID, noon, "", 9)),
				reads(authority(bob))(s.Sessions().Authority(ctx, sessionID(2), noon)),
				bears(accessKey(2, bob), bob)(s.AccessKeys().ByID(ctx, accessKeyID(2), noon)),
				reads([]domain.Account{bob})(s.Accounts().List(ctx, "", 9)),
				s.Accounts().Remove(ctx, bob.ID, 0),
				reads([]domain.Account(nil))(s.Accounts().List(ctx, "", 9)),
			)
			_, _, absent := s.Accounts().ByLogin(ctx, login("ada@example.com"))
			return errors.Join(err, is(absent, domain.ErrAccountNotFound))
		},
	},
	{
		"a stale removal of an account",
		"It fails with domain.ErrStale or domain.ErrAccountNotFound.",
		func(ctx context.Context, s ports.Store) error {
			ada := account(1, "ada")
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				is(s.Accounts().Remove(ctx, ada.ID, 2), domain.ErrStale),
				is(s.Accounts().Remove(ctx, accountID(2), 1), domain.ErrAccountNotFound),
				is(s.Accounts().Remove(ctx, accountID(2), 0), domain.ErrAccountNotFound),
				reads(ada)(s.Accounts().ByID(ctx, ada.ID)),
				reads(credential(ada, 1, 1))(s.Accounts().Credential(ctx, ada.ID)),
			)
		},
	},
	{
		"what outlives an account",
		"The logins are free again; the account's records stay, and belong to nobody.",
		func(ctx context.Context, s ports.Store) error {
			ada, bob, ships := account(1, "ada", "ada@example.com"), account(2, "bob"), collection("ships")
			his, hers := record(1, bob.ID), record(2, ada.ID)
			left := hers
			left.Owner = ""
			return errors.Join(
				s.Accounts().Add(ctx, ada, hash(1)),
				s.Accounts().Add(ctx, bob, hash(2)),
				s.Collections().Add(ctx, ships),
				s.Records().Add(ctx, ships.Ref(), his, entries()),
				s.Records().Add(ctx, ships.Ref(), hers, entries(uniqueKey("number", 1))),
				s.Accounts().Remove(ctx, ada.ID, 0),
				reads([]domain.Record{his, left})(s.Records().List(ctx, ships.Ref(), byID(domain.Everything{}, "", 9))),
				reads([]domain.Record(nil))(s.Records().List(ctx, ships.Ref(), byID(domain.OwnedBy{Account: ada.ID}, "", 9))),
				is(s.Records().Add(ctx, ships.Ref(), record(3, ""), entries(uniqueKey("number", 1))), domain.ErrNotUnique),
				s.Accounts().Add(ctx, account(3, "ada", "ada@example.com"), hash(3)),
			)
		},
	},
}

// revised returns a at another revision.
func revised(a domain.Account, rev domain.Revision) domain.Account {
	a.Revision = rev
	a.Roles = slices.Clone(a.Roles)
	return a
}

func withChanged(a domain.Account, at time.Time) domain.Account {
	a.Changed = at
	return a
}

// together takes what ByIDs returned and fails unless it is want, in any order.
func together(want ...domain.Account) func([]domain.Account, error) error {
	byID := func(a, b domain.Account) int { return cmp.Compare(a.ID, b.ID) }
	return func(got []domain.Account, err error) error {
		if err != nil {
			return err
		}
		return same(slices.SortedFunc(slices.Values(got), byID), slices.SortedFunc(slices.Values(want), byID))
	}
}

// first runs f if what came before it did not fail.
func first[A, B any](err error, f func() (A, B, error)) (a A, b B, _ error) {
	if err != nil {
		return a, b, err
	}
	return f()
}

// opened drops what Open returned but for the error.
func opened(_ domain.Authority, err error) error { return err }
