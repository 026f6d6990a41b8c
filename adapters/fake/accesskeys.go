package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type accessKeys struct{ desk desk }

func (r accessKeys) Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error {
	return r.desk.do(ctx, "accessKeys.add", func(t *tables) error {
		if _, twice := t.accessKeys[k.ID]; twice {
			return fmt.Errorf("access key %s is there already", k.ID)
		}
		if au, ok := t.acting(session, k.Created); !ok || au.Account != k.Account {
			return domain.ErrSessionNotFound
		}
		live := 0
		for _, other := range t.accessKeys {
			if other.Account == k.Account && other.Live(k.Created) {
				live++
			}
		}
		if live >= domain.MaxAccessKeys {
			return domain.ErrTooManyAccessKeys
		}
		k = ownAccessKey(k)
		k.Created, k.Expires, k.Seen = stamp(k.Created), stamp(k.Expires), stamp(k.Seen)
		t.accessKeys[k.ID] = k
		return nil
	})
}

func (r accessKeys) ByID(ctx context.Context, id domain.AccessKeyID, now time.Time) (k domain.AccessKey, au domain.Authority, err error) {
	err = r.desk.do(ctx, "accessKeys.byID", func(t *tables) error {
		found, ok := t.accessKeys[id]
		may, active := t.authority(found.Account)
		if !ok || !active || !found.Live(now) {
			return domain.ErrAccessKeyNotFound
		}
		k, au = ownAccessKey(found), may
		return nil
	})
	return k, au, err
}

func (r accessKeys) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.AccessKeyID, limit int) (list []domain.AccessKey, err error) {
	err = r.desk.do(ctx, "accessKeys.list", func(t *tables) error {
		for _, k := range t.accessKeys {
			if k.Account == account && k.Live(now) {
				list = append(list, ownAccessKey(k))
			}
		}
		list = page(list, func(k domain.AccessKey) domain.AccessKeyID { return k.ID }, after, limit)
		return nil
	})
	return list, err
}

func (r accessKeys) End(ctx context.Context, account domain.AccountID, id domain.AccessKeyID) error {
	return r.desk.do(ctx, "accessKeys.end", func(t *tables) error {
		if k, ok := t.accessKeys[id]; !ok || k.Account != account {
			return domain.ErrAccessKeyNotFound
		}
		delete(t.accessKeys, id)
		return nil
	})
}

func (r accessKeys) EndAll(ctx context.Context, account domain.AccountID) (n int, err error) {
	err = r.desk.do(ctx, "accessKeys.endAll", func(t *tables) error {
		n = t.endAccessKeys(account)
		return nil
	})
	return n, err
}

func (r accessKeys) Saw(ctx context.Context, sightings []domain.Sighting[domain.AccessKeyID]) error {
	return r.desk.do(ctx, "accessKeys.saw", func(t *tables) error {
		for _, seen := range sightings {
			if k, ok := t.accessKeys[seen.ID]; ok && sightable(k.Seen, seen.At) {
				k.Seen, k.Address = stamp(seen.At), seen.Address
				t.accessKeys[k.ID] = k
			}
		}
		return nil
	})
}

func (r accessKeys) Prune(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = r.desk.do(ctx, "accessKeys.prune", func(t *tables) error {
		var due []domain.AccessKey
		for _, k := range t.accessKeys {
			if !k.Expires.IsZero() && k.Expires.Before(before) {
				due = append(due, k)
			}
		}
		due = page(due, func(k domain.AccessKey) domain.AccessKeyID { return k.ID }, "", limit)
		for _, k := range due {
			delete(t.accessKeys, k.ID)
		}
		n = len(due)
		return nil
	})
	return n, err
}

// endAccessKeys ends all access keys of an account, and says how many.
func (t *tables) endAccessKeys(account domain.AccountID) int {
	before := len(t.accessKeys)
	maps.DeleteFunc(t.accessKeys, func(_ domain.AccessKeyID, k domain.AccessKey) bool { return k.Account == account })
	return before - len(t.accessKeys)
}

// ownAccessKey returns a copy of k that shares no slice with it.
func ownAccessKey(k domain.AccessKey) domain.AccessKey {
	k.Scopes = slices.Clone(k.Scopes)
	return k
}
