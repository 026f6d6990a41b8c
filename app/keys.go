package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/keyport-go/keyport/adapters/jose"
)

// ListKeys prints the keys in the configured store, and what each does now. It
// needs no master key.
func ListKeys(ctx context.Context, c Config, out io.Writer) (err error) {
	o := new(opened)
	defer func() { err = errors.Join(err, o.Close()) }()
	if err := o.begin(c, io.Discard); err != nil {
		return err
	}
	if o.Store, err = o.openStore(ctx, c, nil); err != nil {
		return err
	}
	keys, err := jose.List(ctx, o.Store.Keys(), Now())
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tUSE\tNUMBER\tALGORITHM\tMADE\tSIGNS FROM\tNOW")
	for _, k := range keys {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", k.ID, k.Use, k.Number, k.Algorithm, second(k.Created), second(k.Signs), k.State)
	}
	return table.Flush()
}

// RotateKeys makes a successor for the keys of each named use, or of all if none
// is, and prints when it will sign.
func RotateKeys(ctx context.Context, c Config, uses []string, out, log io.Writer) error {
	return tend(ctx, c, log, func(keys *jose.Keyring) error {
		newest, err := keys.Rotate(ctx, uses...)
		if err != nil {
			return err
		}
		for _, k := range newest {
			fmt.Fprintf(out, "%s %s signs from %s\n", k.Use, k.ID, second(k.Signs))
		}
		return nil
	})
}

// RetireKey drops a key that is not trusted any more. What it signed is refused
// everywhere within KEYPORT_REVOCATION_MAX.
func RetireKey(ctx context.Context, c Config, id string, out, log io.Writer) error {
	return tend(ctx, c, log, func(keys *jose.Keyring) error {
		if err := keys.Retire(ctx, id); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, "%s is retired\n", id)
		return err
	})
}

// ResealKeys seals all keys by the master key that the other master key has sealed.
func ResealKeys(ctx context.Context, c Config, out, log io.Writer) error {
	return tend(ctx, c, log, func(keys *jose.Keyring) error {
		n, err := keys.Reseal(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%d keys were sealed anew\n", n)
		return err
	})
}

// tend runs f on the keys in the configured store.
func tend(ctx context.Context, c Config, log io.Writer, f func(*jose.Keyring) error) error {
	return offline(ctx, c, log, func(o *opened) error { return f(o.keys) })
}

func second(t time.Time) string { return t.UTC().Format(time.RFC3339) }
