package porttest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingAccounts = []liar{
	{
		name:   "loses characters of names",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return nameTrimmer{r.Accounts()} }),
		caught: []string{"an account is read as it was stored"},
	},
	{
		name:   "trims hashes",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return hashTrimmer{r.Accounts()} }),
		caught: []string{"an account is added with its hash"},
	},
	{
		name:   "takes the revision of a new account from outside",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return believer{r.Accounts()} }),
		caught: []string{"an account begins at revision 1"},
	},
	{
		name: "keeps quiet when a login is taken",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return quietAdder{r.Accounts()} }),
		caught: []string{
			"a failure of a method is handed on unchanged",
			"a failure that f passes over spoils nothing",
			"a login has one owner",
			"a login is set for one account",
			"a login that is given up is free",
			"an account whose login is taken is not stored",
		},
	},
	{
		name: "stores half of an account",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return halfAdder{r.Accounts()} }),
		caught: []string{
			"a failure that f passes over spoils nothing",
			"a login that is given up is free",
			"an account whose login is taken is not stored",
		},
	},
	{
		name:   "sorts logins by value",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return loginSorter{r.Accounts()} }),
		caught: []string{"logins come in their order"},
	},
	{
		name:   "compares logins as they are spelled",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return speller{r.Accounts()} }),
		caught: []string{"a login is found by kind and normal form"},
	},
	{
		name:   "compares logins whatever their kind",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return kindless{r.Accounts()} }),
		caught: []string{"a login is found by kind and normal form"},
	},
	{
		name: "gives everybody a credential",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return generous{r.Accounts()} }),
		caught: []string{
			"an account whose login is taken is not stored",
			"an account has a credential",
			"a password that was changed is not hashed anew",
			"an account is removed with what is its own",
		},
	},
	{
		name:   "begins a list of accounts at the given one",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return inclusive{r.Accounts()} }),
		caught: []string{"accounts are listed by id"},
	},
	{
		name: "lists accounts by name",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return byName{r.Accounts()} }),
		caught: []string{
			"accounts are listed by id",
			"logins are replaced",
		},
	},
	{
		name:   "reads the first of several accounts",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return firstReader{r.Accounts()} }),
		caught: []string{"accounts are read together"},
	},
	{
		name:   "reads several accounts or none",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return allReader{r.Accounts()} }),
		caught: []string{"accounts are read together"},
	},
	{
		name: "reads several accounts without their logins",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return loginless{r.Accounts()} }),
		caught: []string{
			"accounts are read together",
			"logins that are set are copied",
			"times come back in UTC",
		},
	},
	{
		name: "adds logins to those that there are",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return hoarder{r.Accounts()} }),
		caught: []string{
			"a login that is given up is free",
			"logins are replaced",
		},
	},
	{
		name: "takes an account's own login for another's",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return selfless{r.Accounts()} }),
		caught: []string{
			"a failure that f passes over spoils nothing",
			"logins are replaced",
			"times come back in UTC",
		},
	},
	{
		name: "sets logins whatever the revision",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return blindLoginSetter{r.Accounts()} }),
		caught: []string{
			"a failure that f passes over spoils nothing",
			"logins that cannot be replaced stay",
			"the logins of a revision are set once",
		},
	},
	{
		name:   "sets no logins whatever the revision",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return strictSetter{r.Accounts()} }),
		caught: []string{"logins are replaced"},
		maybe:  []string{"a login is set for one account"},
	},
	{
		name: "leaves the time of another login",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return loginTimer{r.Accounts()} }),
		caught: []string{
			"another login is a change of its account",
			"logins are replaced",
			"logins that are set are copied",
			"the logins of a revision are set once",
		},
	},
	{
		name: "takes logins from others",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return robber{r.Accounts()} }),
		caught: []string{
			"a failure that f passes over spoils nothing",
			"a login is set for one account",
			"logins that cannot be replaced stay",
			"the failure that is named first is told",
		},
	},
	{
		name: "sets the logins that are free",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return halfSetter{r.Accounts()} }),
		caught: []string{
			"a failure that f passes over spoils nothing",
			"logins that cannot be replaced stay",
		},
	},
	{
		name:   "sets nobody's logins with success",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return quietSetter{r.Accounts()} }),
		caught: []string{"logins that cannot be replaced stay"},
	},
	{
		name:   "looks at the revision before the logins",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return revisionFirst{r.Accounts()} }),
		caught: []string{"the failure that is named first is told"},
	},
	{
		name: "keeps the logins that it was handed",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{accounts: func(r ports.Repositories) ports.Accounts { return loginSharer{r.Accounts(), memory} }}}
		},
		caught: []string{"logins that are set are copied"},
	},
	{
		name:   "cannot take roles away",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return roleKeeper{r.Accounts()} }),
		caught: []string{"an account is changed"},
	},
	{
		name: "writes no authority",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return authorityKeeper{r.Accounts()} }),
		caught: []string{
			"a condition is judged when the write happens",
			"a session tells what its account may do at the moment",
			"an access key tells what its account may do at the moment",
			"an account is changed",
		},
	},
	{
		name: "updates whatever the revision",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return blindUpdater{r.Accounts()} }),
		caught: []string{
			"a failure that f passes over spoils nothing",
			"a revision of an account is changed once",
			"a stale change of an account",
			"another login is a change of its account",
		},
	},
	{
		name:   "updates nobody with success",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return quietUpdater{r.Accounts()} }),
		caught: []string{"a stale change of an account"},
	},
	{
		name: "writes the time of creation anew",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{accounts: func(r ports.Repositories) ports.Accounts { return recreator{r.Accounts(), memory} }}}
		},
		caught: []string{"what a change of an account leaves"},
	},
	{
		name: "leaves the time of a password's change",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return timeless{r.Accounts()} }),
		caught: []string{
			"a password is changed",
			"a revision of a credential is changed once",
		},
	},
	{
		name: "changes a password whatever the revision",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return blindSetter{r.Accounts()} }),
		caught: []string{
			"a stale change of a password",
			"a revision of a credential is changed once",
		},
	},
	{
		name: "raises an account's revision by itself",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return overeager{r.Accounts()} }),
		caught: []string{
			"a password is changed",
			"a revision of a credential is changed once",
			"a method happens wholly or not at all",
			"times come back in UTC",
		},
	},
	{
		name:   "rehashes as if it were a change",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return raisingRehasher{r.Accounts()} }),
		caught: []string{"a password is hashed anew"},
	},
	{
		name:   "fails to rehash what has changed",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return strictRehasher{r.Accounts()} }),
		caught: []string{"a password that was changed is not hashed anew"},
	},
	{
		name: "does not remove who has sessions",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return restrictive{r.Accounts(), r} }),
		caught: []string{
			"an account is removed with what is its own",
			"the parts of a store are one",
			"who is being suspended or removed makes no access key",
		},
	},
	{
		name:   "does not remove who has access keys",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return clinging{r.Accounts(), r} }),
		caught: []string{"an account is removed with what is its own"},
		maybe:  []string{"who is being suspended or removed makes no access key"},
	},
	{
		name:   "removes whatever the revision",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return blindRemover{r.Accounts()} }),
		caught: []string{"a stale removal of an account"},
	},
	{
		name: "knows no revision that stands for any",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return literalRemover{r.Accounts()} }),
		caught: []string{
			"a failure of a method is handed on unchanged",
			"a number outlives what it was given to",
			"an account is removed with what is its own",
			"the parts of a store are one",
			"what outlives an account",
			"who is being suspended or removed makes no access key",
		},
	},
	{
		name: "removes records with their owner",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return cascader{r.Accounts(), r} }),
		caught: []string{
			"a number outlives what it was given to",
			"what outlives an account",
		},
	},
	{
		name: "fails with errors of its own",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return foreigner{r.Accounts()} }),
		caught: []string{
			"an account whose login is taken is not stored",
			"logins come in their order",
			"an account is removed with what is its own",
			"failures are of the domain",
		},
	},
	{
		name: "hands one slice to all",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{accounts: func(r ports.Repositories) ports.Accounts { return sharer{r.Accounts(), memory} }}}
		},
		caught: []string{"slices are copied"},
	},
	{
		name: "keeps the roles that an update brought",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{accounts: func(r ports.Repositories) ports.Accounts { return roleSharer{r.Accounts(), memory} }}}
		},
		caught: []string{"roles that an update brings are copied"},
	},
	{
		name:   "counts time from 1970",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return epochal{r.Accounts()} }),
		caught: []string{"times come back in UTC"},
	},
	{
		name:   "lists on after the context has ended",
		open:   onAccounts(func(r ports.Repositories) ports.Accounts { return tirelessLister{r.Accounts()} }),
		caught: []string{"nothing begins after its context has ended"},
	},
	{
		name: "adds on after the context has ended",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return tirelessAdder{r.Accounts()} }),
		caught: []string{
			"nothing begins after its context has ended",
			"a transaction stops when its context ends",
		},
	},
	{
		name: "waits on after the context has ended",
		open: onAccounts(func(r ports.Repositories) ports.Accounts { return tirelessSetter{r.Accounts()} }),
		caught: []string{
			"nothing begins after its context has ended",
			"who waits for another stops when its context ends",
		},
	},
}

type nameTrimmer struct{ ports.Accounts }

func (l nameTrimmer) Add(ctx context.Context, a domain.Account, h domain.PasswordHash) error {
	a.Name = strings.TrimRight(a.Name, `\%_`)
	return l.Accounts.Add(ctx, a, h)
}

type hashTrimmer struct{ ports.Accounts }

func (l hashTrimmer) Add(ctx context.Context, a domain.Account, h domain.PasswordHash) error {
	return l.Accounts.Add(ctx, a, domain.NewPasswordHash(strings.TrimSpace(h.Reveal())))
}

type believer struct{ ports.Accounts }

func (l believer) Add(ctx context.Context, a domain.Account, h domain.PasswordHash) error {
	err := l.Accounts.Add(ctx, a, h)
	for n := range a.Revision - 1 {
		err = errors.Join(err, l.Update(ctx, revised(a, n+1)))
	}
	return err
}

type quietAdder struct{ ports.Accounts }

func (l quietAdder) Add(ctx context.Context, a domain.Account, h domain.PasswordHash) error {
	return quiet(l.Accounts.Add(ctx, a, h), domain.ErrLoginTaken)
}

// quiet swallows a failure.
func quiet(err error, code *domain.Error) error {
	if is(err, code) == nil {
		return nil
	}
	return err
}

type halfAdder struct{ ports.Accounts }

func (l halfAdder) Add(ctx context.Context, a domain.Account, h domain.PasswordHash) error {
	err := l.Accounts.Add(ctx, a, h)
	if errors.Is(err, domain.ErrLoginTaken) {
		a.Logins = nil
		return errors.Join(l.Accounts.Add(ctx, a, h), err)
	}
	return err
}

type loginSorter struct{ ports.Accounts }

func (l loginSorter) ByID(ctx context.Context, id domain.AccountID) (domain.Account, error) {
	a, err := l.Accounts.ByID(ctx, id)
	slices.SortFunc(a.Logins, func(x, y domain.Login) int { return cmp.Compare(x.Value(), y.Value()) })
	return a, err
}

type speller struct{ ports.Accounts }

func (l speller) ByLogin(ctx context.Context, login domain.Login) (domain.Account, domain.Credential, error) {
	a, c, err := l.Accounts.ByLogin(ctx, login)
	if err == nil && a.Login(login.Kind()) != login {
		return domain.Account{}, domain.Credential{}, domain.ErrAccountNotFound
	}
	return a, c, err
}

type kindless struct{ ports.Accounts }

func (l kindless) ByLogin(ctx context.Context, login domain.Login) (a domain.Account, c domain.Credential, err error) {
	for _, kind := range []domain.LoginKind{domain.Username, domain.Email} {
		if a, c, err = l.Accounts.ByLogin(ctx, domain.RestoreLogin(kind, login.Value(), login.Normal())); err == nil {
			break
		}
	}
	return a, c, err
}

type generous struct{ ports.Accounts }

func (l generous) Credential(ctx context.Context, id domain.AccountID) (domain.Credential, error) {
	c, err := l.Accounts.Credential(ctx, id)
	return c, quiet(err, domain.ErrAccountNotFound)
}

type inclusive struct{ ports.Accounts }

func (l inclusive) List(ctx context.Context, after domain.AccountID, limit int) ([]domain.Account, error) {
	list, err := l.Accounts.List(ctx, after, limit)
	if a, absent := l.ByID(ctx, after); absent == nil && err == nil {
		list = append([]domain.Account{a}, list...)
	}
	return list, err
}

type byName struct{ ports.Accounts }

func (l byName) List(ctx context.Context, after domain.AccountID, limit int) ([]domain.Account, error) {
	list, err := l.Accounts.List(ctx, after, limit)
	slices.SortFunc(list, func(a, b domain.Account) int {
		return cmp.Compare(a.Login(domain.Username).Value(), b.Login(domain.Username).Value())
	})
	return list, err
}

type roleKeeper struct{ ports.Accounts }

func (l roleKeeper) Update(ctx context.Context, a domain.Account) error {
	if old, err := l.ByID(ctx, a.ID); err == nil && len(a.Roles) == 0 {
		a.Roles = old.Roles
	}
	return l.Accounts.Update(ctx, a)
}

type authorityKeeper struct{ ports.Accounts }

func (l authorityKeeper) Update(ctx context.Context, a domain.Account) error {
	if old, err := l.ByID(ctx, a.ID); err == nil {
		a.Authority = old.Authority
	}
	return l.Accounts.Update(ctx, a)
}

type blindUpdater struct{ ports.Accounts }

func (l blindUpdater) Update(ctx context.Context, a domain.Account) error {
	if old, err := l.ByID(ctx, a.ID); err == nil {
		a.Revision = old.Revision
	}
	return quiet(l.Accounts.Update(ctx, a), domain.ErrStale)
}

type quietUpdater struct{ ports.Accounts }

func (l quietUpdater) Update(ctx context.Context, a domain.Account) error {
	return quiet(l.Accounts.Update(ctx, a), domain.ErrAccountNotFound)
}

type recreator struct {
	ports.Accounts
	memory *sync.Map
}

func (l recreator) Update(ctx context.Context, a domain.Account) error {
	l.memory.Store(a.ID, a.Created)
	return l.Accounts.Update(ctx, a)
}

func (l recreator) ByID(ctx context.Context, id domain.AccountID) (domain.Account, error) {
	a, err := l.Accounts.ByID(ctx, id)
	if at, ok := l.memory.Load(id); ok && err == nil {
		a.Created = at.(time.Time).UTC()
	}
	return a, err
}

type timeless struct{ ports.Accounts }

func (l timeless) SetCredential(ctx context.Context, c domain.Credential, at time.Time) error {
	if a, err := l.ByID(ctx, c.Account); err == nil {
		at = a.Changed
	}
	return l.Accounts.SetCredential(ctx, c, at)
}

type blindSetter struct{ ports.Accounts }

func (l blindSetter) SetCredential(ctx context.Context, c domain.Credential, at time.Time) error {
	if old, err := l.Credential(ctx, c.Account); err == nil {
		c.Revision = old.Revision
	}
	return quiet(l.Accounts.SetCredential(ctx, c, at), domain.ErrCredentialChanged)
}

type overeager struct{ ports.Accounts }

func (l overeager) SetCredential(ctx context.Context, c domain.Credential, at time.Time) error {
	err := l.Accounts.SetCredential(ctx, c, at)
	if err == nil {
		a, _ := l.ByID(ctx, c.Account)
		return l.Update(ctx, a)
	}
	return err
}

type raisingRehasher struct{ ports.Accounts }

func (l raisingRehasher) Rehash(ctx context.Context, c domain.Credential) error {
	err := l.SetCredential(ctx, c, noon)
	return quiet(quiet(err, domain.ErrCredentialChanged), domain.ErrAccountNotFound)
}

type strictRehasher struct{ ports.Accounts }

func (l strictRehasher) Rehash(ctx context.Context, c domain.Credential) error {
	if old, err := l.Credential(ctx, c.Account); err != nil || old.Revision != c.Revision {
		return cmp.Or(err, error(domain.ErrCredentialChanged))
	}
	return l.Accounts.Rehash(ctx, c)
}

type restrictive struct {
	ports.Accounts
	r ports.Repositories
}

func (l restrictive) Remove(ctx context.Context, id domain.AccountID, rev domain.Revision) error {
	if list, err := l.r.Sessions().List(ctx, id, noon, "", 1); err != nil || len(list) > 0 {
		return cmp.Or(err, errors.New("the account has sessions"))
	}
	return l.Accounts.Remove(ctx, id, rev)
}

type clinging struct {
	ports.Accounts
	r ports.Repositories
}

func (l clinging) Remove(ctx context.Context, id domain.AccountID, rev domain.Revision) error {
	if list, err := l.r.AccessKeys().List(ctx, id, noon, "", 1); err == nil && len(list) > 0 {
		return domain.ErrStale
	}
	return l.Accounts.Remove(ctx, id, rev)
}

type blindRemover struct{ ports.Accounts }

func (l blindRemover) Remove(ctx context.Context, id domain.AccountID, _ domain.Revision) error {
	return l.Accounts.Remove(ctx, id, 0)
}

type literalRemover struct{ ports.Accounts }

func (l literalRemover) Remove(ctx context.Context, id domain.AccountID, rev domain.Revision) error {
	return l.Accounts.Remove(ctx, id, cmp.Or(rev, -1))
}

type cascader struct {
	ports.Accounts
	r ports.Repositories
}

func (l cascader) Remove(ctx context.Context, id domain.AccountID, rev domain.Revision) error {
	list, err := l.r.Collections().List(ctx)
	for _, c := range list {
		owned, _ := l.r.Records().List(ctx, c.Ref(), byID(domain.OwnedBy{Account: id}, "", 9))
		for _, rec := range owned {
			err = errors.Join(err, l.r.Records().Remove(ctx, c.Ref(), rec.ID, rec.Revision, time.Time{}))
		}
	}
	return errors.Join(err, l.Accounts.Remove(ctx, id, rev))
}

type foreigner struct{ ports.Accounts }

func (l foreigner) ByID(ctx context.Context, id domain.AccountID) (domain.Account, error) {
	a, err := l.Accounts.ByID(ctx, id)
	if errors.Is(err, domain.NotFound) {
		err = domain.NotFound
	}
	return a, err
}

type sharer struct {
	ports.Accounts
	memory *sync.Map
}

func (l sharer) ByID(ctx context.Context, id domain.AccountID) (domain.Account, error) {
	a, err := l.Accounts.ByID(ctx, id)
	if err == nil {
		roles, _ := l.memory.LoadOrStore([2]any{id, a.Revision}, a.Roles)
		a.Roles = roles.([]domain.Role)
	}
	return a, err
}

type roleSharer struct {
	ports.Accounts
	memory *sync.Map
}

func (l roleSharer) Update(ctx context.Context, a domain.Account) error {
	err := l.Accounts.Update(ctx, a)
	if err == nil {
		l.memory.Store(a.ID, a.Roles)
	}
	return err
}

func (l roleSharer) ByID(ctx context.Context, id domain.AccountID) (domain.Account, error) {
	a, err := l.Accounts.ByID(ctx, id)
	if roles, ok := l.memory.Load(id); ok && err == nil {
		a.Roles = roles.([]domain.Role)
	}
	return a, err
}

type epochal struct{ ports.Accounts }

func (l epochal) ByID(ctx context.Context, id domain.AccountID) (domain.Account, error) {
	a, err := l.Accounts.ByID(ctx, id)
	if a.Created.Year() < 1970 {
		a.Created = time.Unix(0, 0).UTC()
	}
	return a, err
}

type tirelessLister struct{ ports.Accounts }

func (l tirelessLister) List(ctx context.Context, after domain.AccountID, limit int) ([]domain.Account, error) {
	return l.Accounts.List(context.WithoutCancel(ctx), after, limit)
}

type tirelessAdder struct{ ports.Accounts }

func (l tirelessAdder) Add(ctx context.Context, a domain.Account, h domain.PasswordHash) error {
	return l.Accounts.Add(context.WithoutCancel(ctx), a, h)
}

type tirelessSetter struct{ ports.Accounts }

func (l tirelessSetter) SetCredential(ctx context.Context, c domain.Credential, at time.Time) error {
	return l.Accounts.SetCredential(context.WithoutCancel(ctx), c, at)
}

type firstReader struct{ ports.Accounts }

func (l firstReader) ByIDs(ctx context.Context, ids []domain.AccountID) ([]domain.Account, error) {
	return l.Accounts.ByIDs(ctx, ids[:1])
}

type allReader struct{ ports.Accounts }

func (l allReader) ByIDs(ctx context.Context, ids []domain.AccountID) ([]domain.Account, error) {
	list, err := l.Accounts.ByIDs(ctx, ids)
	if err == nil && len(list) < len(ids) {
		return nil, domain.ErrAccountNotFound
	}
	return list, err
}

type loginless struct{ ports.Accounts }

func (l loginless) ByIDs(ctx context.Context, ids []domain.AccountID) ([]domain.Account, error) {
	list, err := l.Accounts.ByIDs(ctx, ids)
	for i := range list {
		list[i].Logins = nil
	}
	return list, err
}

// hoarder gives up no login but for another of the kind.
type hoarder struct{ ports.Accounts }

func (l hoarder) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	a, _ := l.ByID(ctx, id)
	for _, old := range a.Logins {
		if !slices.ContainsFunc(logins, func(n domain.Login) bool { return n.Kind() == old.Kind() }) {
			logins = append(slices.Clone(logins), old)
		}
	}
	return l.Accounts.SetLogins(ctx, id, rev, logins, at)
}

type selfless struct{ ports.Accounts }

func (l selfless) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	for _, n := range logins {
		if _, _, err := l.ByLogin(ctx, n); err == nil {
			return domain.ErrLoginTaken
		}
	}
	return l.Accounts.SetLogins(ctx, id, rev, logins, at)
}

type blindLoginSetter struct{ ports.Accounts }

func (l blindLoginSetter) SetLogins(ctx context.Context, id domain.AccountID, _ domain.Revision, logins []domain.Login, at time.Time) error {
	return l.Accounts.SetLogins(ctx, id, 0, logins, at)
}

type strictSetter struct{ ports.Accounts }

func (l strictSetter) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	return l.Accounts.SetLogins(ctx, id, cmp.Or(rev, -1), logins, at)
}

type loginTimer struct{ ports.Accounts }

func (l loginTimer) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	a, _ := l.ByID(ctx, id)
	if !a.Changed.IsZero() {
		at = a.Changed
	}
	return l.Accounts.SetLogins(ctx, id, rev, logins, at)
}

type robber struct{ ports.Accounts }

func (l robber) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	for {
		err := l.Accounts.SetLogins(ctx, id, rev, logins, at)
		if is(err, domain.ErrLoginTaken) != nil {
			return err
		}
		for _, n := range logins {
			if a, _, err := l.ByLogin(ctx, n); err == nil && a.ID != id {
				left := slices.DeleteFunc(a.Logins, n.Same)
				if err := l.Accounts.SetLogins(ctx, a.ID, 0, left, a.Changed); err != nil {
					return err
				}
			}
		}
	}
}

type halfSetter struct{ ports.Accounts }

func (l halfSetter) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	err := l.Accounts.SetLogins(ctx, id, rev, logins, at)
	if is(err, domain.ErrLoginTaken) == nil && len(logins) > 1 {
		_ = l.Accounts.SetLogins(ctx, id, rev, logins[:1], at)
	}
	return err
}

type quietSetter struct{ ports.Accounts }

func (l quietSetter) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	return quiet(l.Accounts.SetLogins(ctx, id, rev, logins, at), domain.ErrAccountNotFound)
}

type revisionFirst struct{ ports.Accounts }

func (l revisionFirst) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	if a, err := l.ByID(ctx, id); err == nil && rev != 0 && rev != a.Revision {
		return domain.ErrStale
	}
	return l.Accounts.SetLogins(ctx, id, rev, logins, at)
}

type loginSharer struct {
	ports.Accounts
	memory *sync.Map
}

func (l loginSharer) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	err := l.Accounts.SetLogins(ctx, id, rev, logins, at)
	if err == nil {
		l.memory.Store(id, logins)
	}
	return err
}

func (l loginSharer) ByIDs(ctx context.Context, ids []domain.AccountID) ([]domain.Account, error) {
	list, err := l.Accounts.ByIDs(ctx, ids)
	for i := range list {
		if logins, ok := l.memory.Load(list[i].ID); ok {
			list[i].Logins = logins.([]domain.Login)
		}
	}
	return list, err
}
