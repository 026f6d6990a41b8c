package porttest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var keys = []clause[ports.Store]{
	{
		"a key is read as it was stored",
		"Keys keeps private keys, sealed.",
		func(ctx context.Context, s ports.Store) error {
			k, waiting := key("refresh", 1), withNumber(key("refresh", 2), 2)
			k.Sealed, k.Algorithm = make([]byte, domain.MaxSealed), domain.HS256
			for i := range k.Sealed {
				k.Sealed[i] = byte(i)
			}
			waiting.Signs = waiting.Created.Add(12*time.Minute + time.Microsecond)
			return errors.Join(
				reads(k)(s.Keys().Settle(ctx, k)),
				reads(k)(s.Keys().Settle(ctx, key("refresh", 3))),
				reads(waiting)(s.Keys().Settle(ctx, waiting)),
				reads([]domain.Key{k, waiting})(s.Keys().List(ctx)),
			)
		},
	},
	{
		"the first key of a use and number stays",
		"Settle stores k unless a key of the same use and number is there already, and returns the one that is there now.",
		func(ctx context.Context, s ports.Store) error {
			sign, cursor, second := key("sign", 1), key("cursor", 2), withNumber(key("sign", 3), 2)
			return errors.Join(
				reads(sign)(s.Keys().Settle(ctx, sign)),
				reads(cursor)(s.Keys().Settle(ctx, cursor)),
				reads(second)(s.Keys().Settle(ctx, second)),
				reads(sign)(s.Keys().Settle(ctx, key("sign", 4))),
				reads(cursor)(s.Keys().Settle(ctx, key("cursor", 5))),
				reads(second)(s.Keys().Settle(ctx, withNumber(key("sign", 6), 2))),
				reads(second)(s.Keys().Settle(ctx, second)),
				reads([]domain.Key{cursor, sign, second})(s.Keys().List(ctx)),
			)
		},
	},
	{
		"all agree on a key",
		"Of any number of calls for one use and number all return the same key.",
		func(ctx context.Context, s ports.Store) error {
			// Half of them settle the first key of the use, the others the second.
			var got [contenders]domain.Key
			errs := race(func(i int) (err error) {
				got[i], err = s.Keys().Settle(ctx, withNumber(key("sign", i), 1+i%2))
				return err
			})
			if err := errors.Join(errs...); err != nil {
				return err
			}
			for i, k := range got {
				if err := same(k, got[i%2]); err != nil {
					return err
				}
			}
			return errors.Join(
				reads(got[0])(s.Keys().Settle(ctx, key("sign", contenders))),
				reads(got[:2])(s.Keys().List(ctx)),
			)
		},
	},
	{
		"keys are listed by use and number",
		"List returns all keys, ordered by use (bytewise) and number.",
		func(ctx context.Context, s ports.Store) error {
			all := []domain.Key{
				key("Sign", 9), key("cursor", 8), withNumber(key("sign", 7), 2), withNumber(key("sign", 6), 3), withNumber(key("sign", 5), 10), withNumber(key("sign-on", 4), 1),
			}
			err := reads([]domain.Key(nil))(s.Keys().List(ctx))
			for _, i := range []int{4, 1, 5, 0, 3, 2} {
				err = errors.Join(err, reads(all[i])(s.Keys().Settle(ctx, all[i])))
			}
			return errors.Join(err, reads(all)(s.Keys().List(ctx)))
		},
	},
	{
		"a key is sealed anew",
		"Reseal replaces the seal of the key that has k's id, and nothing else of it, or fails with domain.ErrKeyNotFound.",
		func(ctx context.Context, s ports.Store) error {
			one, two := key("sign", 1), withNumber(key("sign", 2), 2)
			anew := withNumber(key("refresh", 9), 9)
			anew.ID, anew.Algorithm, anew.Signs = one.ID, domain.RS256, noon.AddDate(1, 0, 0)
			now := one
			now.Sealed = anew.Sealed
			return errors.Join(
				reads(one)(s.Keys().Settle(ctx, one)),
				reads(two)(s.Keys().Settle(ctx, two)),
				is(s.Keys().Reseal(ctx, key("sign", 3)), domain.ErrKeyNotFound), // which is of the same use and number as another
				reads([]domain.Key{one, two})(s.Keys().List(ctx)),
				s.Keys().Reseal(ctx, anew),
				reads([]domain.Key{now, two})(s.Keys().List(ctx)),
				reads(now)(s.Keys().Settle(ctx, one)),
			)
		},
	},
	{
		"a key is forgotten",
		"Drop forgets a key, or fails with domain.ErrKeyNotFound.",
		func(ctx context.Context, s ports.Store) error {
			one, two := key("sign", 1), withNumber(key("sign", 2), 2)
			return errors.Join(
				reads(one)(s.Keys().Settle(ctx, one)),
				reads(two)(s.Keys().Settle(ctx, two)),
				s.Keys().Drop(ctx, one.ID),
				is(s.Keys().Drop(ctx, one.ID), domain.ErrKeyNotFound),
				is(s.Keys().Drop(ctx, "sign"), domain.ErrKeyNotFound),
				is(s.Keys().Reseal(ctx, one), domain.ErrKeyNotFound),
				reads([]domain.Key{two})(s.Keys().List(ctx)),
			)
		},
	},
}

// key returns the nth key, which is the first of a use.
func key(use string, n int) domain.Key {
	return domain.Key{
		ID: fmt.Sprintf("kid-%d", n), Use: use, Number: 1, Algorithm: domain.ES256, Sealed: []byte{0, byte(n), 0xff},
		Created: noon.Add(time.Duration(n) * time.Microsecond), Signs: noon.Add(time.Duration(n+1) * time.Microsecond),
	}
}

// withNumber returns k with another number within its use.
func withNumber(k domain.Key, number int) domain.Key {
	k.Number = number
	return k
}
