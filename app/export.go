package app

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/domain/accounts"
)

// ExportAccounts writes all accounts with their hashes to a file, as ImportAccounts
// reads them; "-" is out. Whoever has that can try passwords on it: the file is for its
// owner alone. It must be a new one, and is there in whole or not at all.
func ExportAccounts(ctx context.Context, c Config, file string, out, log io.Writer) error {
	if file == "-" {
		if terminal(out) {
			log = io.Discard // the terminal has enough to show
		}
		return export(ctx, c, out, log)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = export(ctx, c, f, log)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

func export(ctx context.Context, c Config, out, log io.Writer) error {
	return moving(ctx, c, log, func(s *accounts.Service) error {
		b, p, n := bufio.NewWriter(out), newProgress(log, 0), 0
		err := s.Export(ctx, func(t accounts.Transfer) error {
			n++
			p.to(n, 0)
			if err := json.MarshalWrite(b, lineOf(t)); err != nil {
				return err
			}
			return b.WriteByte('\n')
		})
		p.end()
		return errors.Join(err, b.Flush())
	})
}
