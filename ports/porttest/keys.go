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
			k := key("refresh", 1)
			k.Sealed = make([]byte, domain.MaxSealed)
			for i := range k.Sealed {
				k.Sealed[i] = byte(i)
			}
			return errors.Join(
				reads(k)(s.Keys().Settle(ctx, k)),
				reads(k)(s.Keys().Settle(ctx, key("refresh", 2))),
			)
		},
	},
	{
		"the first key of a use stays",
		"Settle stores k unless a key for the same use is there already, and returns the one that is there now.",
		func(ctx context.Context, s ports.Store) error {
			return errors.Join(
				reads(key("sign", 1))(s.Keys().Settle(ctx, key("sign", 1))),
				reads(key("cursor", 2))(s.Keys().Settle(ctx, key("cursor", 2))),
				reads(key("sign", 1))(s.Keys().Settle(ctx, key("sign", 3))),
				reads(key("cursor", 2))(s.Keys().Settle(ctx, key("cursor", 4))),
			)
		},
	},
	{
		"all agree on a key",
		"Of any number of calls for one use all return the same key.",
		func(ctx context.Context, s ports.Store) error {
			var got [contenders]domain.Key
			errs := race(func(i int) (err error) {
				got[i], err = s.Keys().Settle(ctx, key("sign", i))
				return err
			})
			if err := errors.Join(errs...); err != nil {
				return err
			}
			for _, k := range got {
				if err := same(k, got[0]); err != nil {
					return err
				}
			}
			return reads(got[0])(s.Keys().Settle(ctx, key("sign", contenders)))
		},
	},
}

// key returns the nth key, for a use.
func key(use string, n int) domain.Key {
	return domain.Key{
		ID: fmt.Sprintf("kid-%d", n), Use: use, Algorithm: "ES256", Sealed: []byte{0, byte(n), 0xff}, Created: noon.Add(time.Duration(n) * time.Microsecond),
	}
}
