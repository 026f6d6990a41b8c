package accounts

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"

	"github.com/keyport-go/keyport/domain"
)

// A Forecast says what Import would do, and writes nothing. It remembers what it
// foresaw, so that of two transfers for one login the second finds the first: 16 bytes
// and a number for each login of those that Import would open. One goroutine at a time
// uses it.
type Forecast struct {
	s        *Service
	foreseen map[digest]int // which transfer would have the login, counted from 1
	made     int
}

// A digest stands for a login: no two that anybody finds have the same.
type digest [16]byte

// Forecast returns a Forecast that has foreseen nothing yet.
func (s *Service) Forecast() *Forecast {
	return &Forecast{s: s, foreseen: make(map[digest]int)}
}

// Import says what Service.Import would make of transfers that come after those that
// were asked about before. A zero hash stands for one that is still to be made.
func (f *Forecast) Import(ctx context.Context, all []Transfer) ([]Arrival, error) {
	arrived := make([]Arrival, len(all))
	for i, t := range all {
		if arrived[i].Refusal = f.s.usable(t); arrived[i].Refusal != nil {
			continue
		}
		id, err := holder(t.Logins, f.having(ctx))
		switch {
		case errors.Is(err, domain.ErrLoginTaken):
			arrived[i].Refusal = err
		case err != nil:
			return nil, err
		case id == "":
			arrived[i].Made = true
			f.open(t.Logins)
		}
	}
	return arrived, nil
}

// having looks among what was foreseen, and then in the store.
func (f *Forecast) having(ctx context.Context) func(domain.Login) (domain.AccountID, error) {
	stored := having(ctx, f.s.c.Store.Accounts())
	return func(l domain.Login) (domain.AccountID, error) {
		if n, ok := f.foreseen[digestOf(l)]; ok {
			return domain.AccountID(strconv.Itoa(n)), nil // no account has such an id
		}
		return stored(l)
	}
}

func (f *Forecast) open(logins []domain.Login) {
	f.made++
	for _, l := range logins {
		f.foreseen[digestOf(l)] = f.made
	}
}

func digestOf(l domain.Login) digest {
	sum := sha256.Sum256([]byte(string(l.Kind()) + "\x00" + l.Normal()))
	return digest(sum[:16])
}
