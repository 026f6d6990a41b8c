// Package receipts sees to it that a request which is sent again has one effect: it
// keeps the answer with the effect, in one transaction. What the effect is, others
// say. It implements the Idempotency-Key header (draft-ietf-httpapi-idempotency-key).
package receipts

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Config is what a Service is made of. All of it is required.
type Config struct {
	Store ports.Store
	Vault ports.Vault
	Now   func() time.Time // UTC, microseconds
}

// A Service keeps receipts.
type Service struct{ c Config }

// New returns a Service over c.
func New(c Config) *Service { return &Service{c} }

// A Store is where an effect is to happen, for it to be part of the transaction. It
// is handed on to the service that has the effect.
type Store = ports.Store

// A Request is what is to have one effect.
type Request struct {
	Key    domain.IdempotencyKey
	Caller domain.Asker // a key is the caller's own; all strangers are one
	Route  string       // what is done, such as a method and a path
	Body   []byte       // all that it is done with
}

// Once runs effect and keeps its answer, or returns the answer that was kept, with
// replayed set. right is asked in that case whether the caller may still have it.
// effect has its effect on the store that it is given, and may be run again after a
// collision; if it fails nothing is kept, so that a repeated request is judged anew.
// An answer is kept for domain.ReceiptRetention, sealed.
//
// Once fails with ErrIdempotencyKeyReused where the key came with another body, with
// ErrStillRunning, with ErrAnswerLost where the key that sealed the answer was
// retired, and as effect and right do.
func (s *Service) Once(ctx context.Context, r Request, right func(context.Context) error, effect func(Store) ([]byte, error)) (answer []byte, replayed bool, err error) {
	now := s.c.Now()
	id := domain.ReceiptID(s.c.Vault.Digest("receipt", frame(string(r.Caller.Account), r.Route, string(r.Key))))
	body := s.c.Vault.Digest("receipt body", append(id[:], r.Body...))
	scope := "receipt " + string(id[:])
	err = s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
		answer, replayed = nil, false
		kept, found, err := tx.Receipts().Claim(ctx, id)
		if err != nil {
			return err
		}
		if found && now.Sub(kept.At) < domain.ReceiptRetention {
			if kept.Body != body {
				return domain.ErrIdempotencyKeyReused
			}
			replayed = true
			if answer, err = s.c.Vault.Reveal(scope, kept.Answer); err != nil {
				return domain.ErrAnswerLost.Because(err)
			}
			return nil
		}
		if answer, err = effect(ports.Within(tx)); err != nil {
			return err
		}
		return tx.Receipts().Keep(ctx, domain.Receipt{ID: id, Body: body, Answer: s.c.Vault.Conceal(scope, answer), At: now})
	})
	if err == nil && replayed {
		err = right(ctx)
	}
	if err != nil {
		return nil, false, err
	}
	return answer, replayed, nil
}

// Prune drops a bounded number of receipts that have had their time.
func (s *Service) Prune(ctx context.Context) error {
	const most = 10_000
	_, err := s.c.Store.Receipts().Forget(ctx, s.c.Now().Add(-domain.ReceiptRetention), most)
	return err
}

// frame joins parts so that no other parts give the same bytes: none of them holds a
// NUL.
func frame(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = append(append(b, p...), 0)
	}
	return b
}
