package fake

import (
	"bytes"
	"context"

	"github.com/keyport-go/keyport/domain"
)

type keys struct{ desk desk }

func (r keys) Settle(ctx context.Context, k domain.Key) (settled domain.Key, err error) {
	err = r.desk.do(ctx, "keys.settle", func(t *tables) error {
		if _, ok := t.keys[k.Use]; !ok {
			k.Sealed, k.Created = bytes.Clone(k.Sealed), stamp(k.Created)
			t.keys[k.Use] = k
		}
		settled = t.keys[k.Use]
		settled.Sealed = bytes.Clone(settled.Sealed)
		return nil
	})
	return settled, err
}
