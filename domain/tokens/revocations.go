package tokens

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// maxWaiting bounds the calls of Revocations that wait at once. Those beyond it are
// answered without waiting.
const maxWaiting = 1000

// Revocations are what a service that checks access tokens by itself must know.
type Revocations struct {
	Changes []domain.Change // in no particular order; some may have been told before
	Next    string          // a cursor that stands behind them

	// AsOf is how long after the call the store was asked. All that was committed
	// by then has been told, by this answer and those before it.
	AsOf time.Duration
}

// Revocations tells what was revoked since the cursor was made; "" is before all
// that is still of interest. If there is nothing new it waits for something until
// wait gives, and then tells nothing; a nil wait is none. It fails with
// ErrUnauthenticated, ErrOutOfScope, or ErrNotAllowed unless the asker is an
// Introspector or an Administrator, and with ErrInvalidCursor: then the caller
// begins without one. The asker's right is judged before the wait; a caller that
// waited for long judges it again.
func (s *Service) Revocations(ctx context.Context, who domain.Asker, cursor string, wait <-chan time.Time) (Revocations, error) {
	if err := who.MustInspect(); err != nil {
		return Revocations{}, err
	}
	told, mark, err := s.place(cursor)
	if err != nil {
		return Revocations{}, err
	}
	if wait != nil {
		select {
		case s.waiting <- struct{}{}:
			defer func() { <-s.waiting }()
		default:
			wait = nil
		}
	}
	called := s.c.Uptime()
	for {
		news, asOf := s.board.News(), s.c.Uptime()-called
		changes, next, err := s.c.Store.Bulletin().News(ctx, mark)
		if err != nil {
			return Revocations{}, err
		}
		telling := digest(changes)
		if telling == told {
			changes = nil
		}
		answer := Revocations{changes, s.c.Cursors.Seal(feed, telling+"."+string(next)), asOf}
		if len(changes) > 0 || wait == nil {
			return answer, nil
		}
		select {
		case <-ctx.Done():
			return Revocations{}, ctx.Err()
		case <-news:
		case <-wait:
			wait = nil // what came last is told, or that there was nothing
		case <-s.hushed:
			wait = nil
		}
	}
}

// Hush answers the calls of Revocations that wait, and lets none wait from then on:
// for a replica that is about to stop.
func (s *Service) Hush() { s.hush.Do(func() { close(s.hushed) }) }

// feed is the scope of the cursors of Revocations.
const feed = "revocations"

// place opens a cursor: what was told last, and the mark behind it.
func (s *Service) place(cursor string) (told string, mark domain.Mark, err error) {
	if cursor == "" {
		return digest(nil), "", nil
	}
	place, err := s.c.Cursors.Open(feed, cursor)
	if err != nil {
		return "", "", err
	}
	told, rest, ok := strings.Cut(place, ".")
	if !ok {
		return "", "", domain.ErrInvalidCursor
	}
	return told, domain.Mark(rest), nil
}

// digest tells one set of changes from another. While an old transaction is open
// the bulletin tells the same changes again and again; who has been told them
// waits for others.
func digest(changes []domain.Change) string {
	lines := make([]string, len(changes))
	for i, c := range changes {
		lines[i] = fmt.Sprintf("%s %s %d\n", c.Kind, c.Subject, c.Value)
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range lines {
		_, _ = io.WriteString(h, line) // never fails
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
