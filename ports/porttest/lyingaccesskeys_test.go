package porttest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingAccessKeys = []liar{
	{
		name:   "keeps four scopes of an access key",
		open:   onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return scopeTrimmer{r.AccessKeys()} }),
		caught: []string{"an access key is read as it was added"},
	},
	{
		name: "ends what has ended with success, and access keys too",
		open: onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return quietKeyEnder{r.AccessKeys()} }),
		caught: []string{
			"an access key is ended by its account",
			"an ended access key is gone",
		},
	},
	{
		name: "adds no access key in the last hour of a session",
		open: onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return cautious{r.AccessKeys(), r.Sessions()} }),
		caught: []string{
			"an access key is added by who is signed in",
			"times come back in UTC",
		},
	},
	{
		name: "adds an access key at the end of a session",
		open: onAccessKeys(func(r ports.Repositories) ports.AccessKeys {
			return forcer{r.AccessKeys(), r, func(ctx context.Context, k domain.AccessKey, id domain.SessionID) bool {
				s, err := r.Sessions().ByID(ctx, id, k.Created.Add(-time.Microsecond))
				return err == nil && s.Account == k.Account
			}}
		}),
		caught: []string{"an access key is added by nobody else"},
	},
	{
		name: "adds an access key for who was signed in",
		open: onAccessKeys(func(r ports.Repositories) ports.AccessKeys {
			return forcer{r.AccessKeys(), r, func(ctx context.Context, k domain.AccessKey, _ domain.SessionID) bool {
				a, err := r.Accounts().ByID(ctx, k.Account)
				return err == nil && a.Status == domain.Active
			}}
		}),
		caught: []string{
			"an access key is added by nobody else",
			"an access key that is refused is not stored",
			"an account has so many access keys and no more",
			"who is being signed out makes no access key",
		},
	},
	{
		name: "adds an access key for the suspended",
		open: onAccessKeys(func(r ports.Repositories) ports.AccessKeys {
			return forcer{r.AccessKeys(), r, func(ctx context.Context, k domain.AccessKey, _ domain.SessionID) bool {
				a, err := r.Accounts().ByID(ctx, k.Account)
				return err == nil && a.Status == domain.Suspended
			}}
		}),
		caught: []string{
			"an access key is added by nobody else",
			"who is being suspended or removed makes no access key",
		},
	},
	{
		name:   "counts the access keys that have expired",
		open:   onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return pedant{r.AccessKeys()} }),
		caught: []string{"an account has so many access keys and no more"},
	},
	{
		name: "has room for one more access key",
		open: func() ports.Store {
			memory := new(atomic.Bool)
			return lying{new(fake.Store), lie{accessKeys: func(r ports.Repositories) ports.AccessKeys { return roomy{r.AccessKeys(), memory} }}}
		},
		caught: []string{
			"an access key that is refused is not stored",
			"an account has so many access keys and no more",
			"however many access keys are added at once, there are no more than there may be",
		},
	},
	{
		name: "stores an access key that it refuses",
		open: onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return lateRefuser{r.AccessKeys(), r} }),
		caught: []string{
			"an access key is added by nobody else",
			"an access key that is refused is not stored",
			"who is being signed out makes no access key",
			"who is being suspended or removed makes no access key",
		},
	},
	{
		name: "remembers what access keys may do",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{accessKeys: func(r ports.Repositories) ports.AccessKeys { return keyRememberer{r.AccessKeys(), memory} }}}
		},
		caught: []string{"an access key tells what its account may do at the moment"},
	},
	{
		name:   "finds an access key as it expires",
		open:   onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return lateKeyFinder{r.AccessKeys()} }),
		caught: []string{"an access key that cannot be used"},
	},
	{
		name:   "finds access keys of the suspended",
		open:   onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return lenientFinder{r.AccessKeys(), r} }),
		caught: []string{"an access key that cannot be used"},
	},
	{
		name:   "lists access keys by name",
		open:   onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return keysByName{r.AccessKeys()} }),
		caught: []string{"access keys are listed by id"},
	},
	{
		name:   "lists an access key as it expires",
		open:   onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return lateKeyLister{r.AccessKeys()} }),
		caught: []string{"access keys that have expired are not listed"},
	},
	{
		name:   "ends anybody's access key",
		open:   onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return keyIntruder{r.AccessKeys()} }),
		caught: []string{"an access key is ended by its account"},
	},
	{
		name: "does not count the access keys that it ends",
		open: onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return speechless{r.AccessKeys()} }),
		caught: []string{
			"all access keys of an account are ended",
			"an ended access key is gone",
			"many use a store at once",
		},
	},
	{
		name: "keeps no address of an access key",
		open: onAccessKeys(func(r ports.Repositories) ports.AccessKeys {
			return keySightings{r.AccessKeys(), func(list []domain.Sighting[domain.AccessKeyID]) []domain.Sighting[domain.AccessKeyID] {
				for i := range list {
					list[i].Address = ""
				}
				return list
			}}
		}),
		caught: []string{
			"it is noted when an access key was used",
			"what is no news of an access key is passed over",
		},
	},
	{
		name: "sees the first access key alone",
		open: onAccessKeys(func(r ports.Repositories) ports.AccessKeys {
			return keySightings{r.AccessKeys(), func(list []domain.Sighting[domain.AccessKeyID]) []domain.Sighting[domain.AccessKeyID] {
				return list[:min(1, len(list))]
			}}
		}),
		caught: []string{
			"it is noted when an access key was used",
			"what is no news of an access key is passed over",
		},
	},
	{
		name:   "sees access keys a moment early",
		open:   onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return hastySeer{r.AccessKeys(), r} }),
		caught: []string{"what is no news of an access key is passed over"},
	},
	{
		name:   "prunes access keys as they expire",
		open:   onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return earlyKeyPruner{r.AccessKeys()} }),
		caught: []string{"access keys that have expired are forgotten"},
	},
	{
		name:   "prunes access keys without a limit",
		open:   onAccessKeys(func(r ports.Repositories) ports.AccessKeys { return greedyKeyPruner{r.AccessKeys()} }),
		caught: []string{"access keys that have expired are forgotten"},
	},
	{
		name: "hands one slice of scopes to all",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{accessKeys: func(r ports.Repositories) ports.AccessKeys { return scopeSharer{r.AccessKeys(), memory} }}}
		},
		caught: []string{"what an access key can do is copied"},
	},
}

type scopeTrimmer struct{ ports.AccessKeys }

func (l scopeTrimmer) Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error {
	k.Scopes = k.Scopes[:min(4, len(k.Scopes))]
	return l.AccessKeys.Add(ctx, k, session)
}

type quietKeyEnder struct{ ports.AccessKeys }

func (l quietKeyEnder) End(ctx context.Context, account domain.AccountID, id domain.AccessKeyID) error {
	return quiet(l.AccessKeys.End(ctx, account, id), domain.ErrAccessKeyNotFound)
}

type cautious struct {
	ports.AccessKeys
	sessions ports.Sessions
}

func (l cautious) Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error {
	if _, err := l.sessions.Authority(ctx, session, k.Created.Add(time.Hour)); err != nil {
		return err
	}
	return l.AccessKeys.Add(ctx, k, session)
}

// force adds a key by a session that it opens for that, for an account that it
// makes active for that.
func force(ctx context.Context, r ports.Repositories, k domain.AccessKey) error {
	a, err := r.Accounts().ByID(ctx, k.Account)
	if err != nil {
		return err
	}
	was := a
	a.Status = domain.Active
	with := session(9999, a)
	with.ID, with.Ends = domain.SessionID(k.ID), k.Created.Add(time.Hour)
	c, err := r.Accounts().Credential(ctx, a.ID)
	err = cmp.Or(err, r.Accounts().Update(ctx, a))
	_, refused := r.Sessions().Open(ctx, with, c.Revision)
	err = cmp.Or(err, refused, r.AccessKeys().Add(ctx, k, with.ID), r.Sessions().End(ctx, a.ID, with.ID))
	was.Revision++
	return cmp.Or(r.Accounts().Update(ctx, was), err)
}

// forcer adds a key that is refused by the session if it may.
type forcer struct {
	ports.AccessKeys
	r   ports.Repositories
	may func(context.Context, domain.AccessKey, domain.SessionID) bool
}

func (l forcer) Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error {
	err := l.AccessKeys.Add(ctx, k, session)
	if is(err, domain.ErrSessionNotFound) == nil && l.may(ctx, k, session) {
		return force(ctx, l.r, k)
	}
	return err
}

type pedant struct{ ports.AccessKeys }

func (l pedant) Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error {
	all, err := l.AccessKeys.List(ctx, k.Account, noon, "", 2*domain.MaxAccessKeys)
	if err == nil && len(all) >= domain.MaxAccessKeys {
		k.Created = noon // at which they were live
	}
	return l.AccessKeys.Add(ctx, k, session)
}

type roomy struct {
	ports.AccessKeys
	memory *atomic.Bool
}

func (l roomy) Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error {
	err := l.AccessKeys.Add(ctx, k, session)
	if is(err, domain.ErrTooManyAccessKeys) != nil || l.memory.Swap(true) {
		return err
	}
	list, err := l.List(ctx, k.Account, k.Created, "", 1)
	return cmp.Or(err, l.End(ctx, k.Account, list[0].ID), l.AccessKeys.Add(ctx, k, session))
}

type lateRefuser struct {
	ports.AccessKeys
	r ports.Repositories
}

func (l lateRefuser) Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error {
	err := l.AccessKeys.Add(ctx, k, session)
	if is(err, domain.ErrSessionNotFound) == nil {
		_ = force(ctx, l.r, k)
	}
	return err
}

type keyRememberer struct {
	ports.AccessKeys
	memory *sync.Map
}

func (l keyRememberer) ByID(ctx context.Context, id domain.AccessKeyID, now time.Time) (domain.AccessKey, domain.Authority, error) {
	k, au, err := l.AccessKeys.ByID(ctx, id, now)
	if err != nil {
		return k, au, err
	}
	first, _ := l.memory.LoadOrStore(id, au)
	au = first.(domain.Authority)
	au.Roles = slices.Clone(au.Roles)
	return k, au, nil
}

type lateKeyFinder struct{ ports.AccessKeys }

func (l lateKeyFinder) ByID(ctx context.Context, id domain.AccessKeyID, now time.Time) (domain.AccessKey, domain.Authority, error) {
	return l.AccessKeys.ByID(ctx, id, now.Add(-time.Microsecond))
}

type lenientFinder struct {
	ports.AccessKeys
	r ports.Repositories
}

func (l lenientFinder) ByID(ctx context.Context, id domain.AccessKeyID, now time.Time) (domain.AccessKey, domain.Authority, error) {
	k, au, err := l.AccessKeys.ByID(ctx, id, now)
	if is(err, domain.ErrAccessKeyNotFound) != nil {
		return k, au, err
	}
	people, _ := l.r.Accounts().List(ctx, "", 99)
	for _, a := range people {
		list, _ := l.List(ctx, a.ID, now, "", 99)
		for _, k := range list {
			if k.ID == id {
				return k, authority(a), nil
			}
		}
	}
	return k, au, err
}

type keysByName struct{ ports.AccessKeys }

func (l keysByName) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.AccessKeyID, limit int) ([]domain.AccessKey, error) {
	list, err := l.AccessKeys.List(ctx, account, now, after, limit)
	slices.SortStableFunc(list, func(a, b domain.AccessKey) int { return cmp.Compare(a.Name, b.Name) })
	return list, err
}

type lateKeyLister struct{ ports.AccessKeys }

func (l lateKeyLister) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.AccessKeyID, limit int) ([]domain.AccessKey, error) {
	return l.AccessKeys.List(ctx, account, now.Add(-time.Microsecond), after, limit)
}

type keyIntruder struct{ ports.AccessKeys }

func (l keyIntruder) End(ctx context.Context, account domain.AccountID, id domain.AccessKeyID) error {
	if k, _, err := l.ByID(ctx, id, noon); err == nil {
		account = k.Account
	}
	return l.AccessKeys.End(ctx, account, id)
}

type speechless struct{ ports.AccessKeys }

func (l speechless) EndAll(ctx context.Context, account domain.AccountID) (int, error) {
	_, err := l.AccessKeys.EndAll(ctx, account)
	return 0, err
}

// keySightings takes sightings for others.
type keySightings struct {
	ports.AccessKeys
	bend func([]domain.Sighting[domain.AccessKeyID]) []domain.Sighting[domain.AccessKeyID]
}

func (l keySightings) Saw(ctx context.Context, list []domain.Sighting[domain.AccessKeyID]) error {
	return l.AccessKeys.Saw(ctx, l.bend(slices.Clone(list)))
}

// hastySeer keeps a sighting that comes too early, as if it came in time.
type hastySeer struct {
	ports.AccessKeys
	r ports.Repositories
}

func (l hastySeer) Saw(ctx context.Context, list []domain.Sighting[domain.AccessKeyID]) error {
	list = slices.Clone(list)
	for i, seen := range list {
		if in := held(ctx, l.r, seen.ID).Seen.Add(domain.SightingInterval); seen.At.Equal(in.Add(-time.Microsecond)) {
			list[i].At = in
		}
	}
	return l.AccessKeys.Saw(ctx, list)
}

type earlyKeyPruner struct{ ports.AccessKeys }

func (l earlyKeyPruner) Prune(ctx context.Context, t time.Time, limit int) (int, error) {
	return l.AccessKeys.Prune(ctx, t.Add(time.Microsecond), limit)
}

type greedyKeyPruner struct{ ports.AccessKeys }

func (l greedyKeyPruner) Prune(ctx context.Context, t time.Time, _ int) (int, error) {
	return l.AccessKeys.Prune(ctx, t, 1000)
}

type scopeSharer struct {
	ports.AccessKeys
	memory *sync.Map
}

func (l scopeSharer) Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error {
	l.memory.Store(k.ID, k.Scopes)
	return l.AccessKeys.Add(ctx, k, session)
}

func (l scopeSharer) ByID(ctx context.Context, id domain.AccessKeyID, now time.Time) (domain.AccessKey, domain.Authority, error) {
	k, au, err := l.AccessKeys.ByID(ctx, id, now)
	if scopes, ok := l.memory.Load(id); ok && err == nil {
		k.Scopes = scopes.([]domain.Scope)
	}
	return k, au, err
}
