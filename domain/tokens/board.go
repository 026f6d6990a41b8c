package tokens

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// retention is how long a change is of interest: the longest life that an access
// token may have, and ten minutes for clocks that differ. It does not follow the
// setting, which may have been longer when the token was issued.
const retention = time.Hour + 10*time.Minute

// A board is what this replica has heard from the bulletin.
type board struct {
	mu    sync.RWMutex
	ended map[domain.SessionID]time.Time // when it ended
	least map[domain.AccountID]least

	heard bool
	asOf  time.Duration // uptime just before the poll was sent that was answered last
	lag   time.Duration // from the latest cause that was new to us, to its effect here
}

// A least is the authority below which an account's access tokens are not valid.
type least struct {
	authority int64
	at        time.Time
}

func newBoard() *board {
	return &board{ended: make(map[domain.SessionID]time.Time), least: make(map[domain.AccountID]least)}
}

// learn applies changes; twice does no harm.
func (b *board) learn(changes []domain.Change, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range changes {
		switch c.Kind {
		case domain.SessionEnded:
			id := domain.SessionID(c.Subject)
			if _, known := b.ended[id]; !known {
				b.ended[id] = c.At
				b.lag = now.Sub(c.At)
			}
		case domain.AuthorityRaised:
			id := domain.AccountID(c.Subject)
			if c.Value > b.least[id].authority {
				b.least[id] = least{c.Value, c.At}
				b.lag = now.Sub(c.At)
			}
		}
	}
}

// confirm notes that all is known that was committed before asOf.
func (b *board) confirm(asOf time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.heard || asOf > b.asOf {
		b.heard, b.asOf = true, asOf
	}
}

// forget drops what is of no interest any more.
func (b *board) forget(before time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.ended, func(_ domain.SessionID, at time.Time) bool { return at.Before(before) })
	maps.DeleteFunc(b.least, func(_ domain.AccountID, l least) bool { return l.at.Before(before) })
}

// judge reports whether the board is recent enough to be asked, and if so whether
// it has anything against the claims.
func (b *board) judge(c domain.Claims, uptime, most time.Duration) (recent, revoked bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if !b.heard || uptime-b.asOf > most {
		return false, false
	}
	_, ended := b.ended[c.Session]
	return true, ended || c.Authority < b.least[c.Subject].authority
}

// News is how this replica stands with the bulletin, for metrics.
type News struct {
	Age     time.Duration // since it last heard; 0 if it never did
	Lag     time.Duration // from the latest cause to its effect here
	Changes int           // that it has in mind
}

// News returns the figures of this moment.
func (s *Service) News() News {
	b := s.board
	b.mu.RLock()
	defer b.mu.RUnlock()
	n := News{Lag: b.lag, Changes: len(b.ended) + len(b.least)}
	if b.heard {
		n.Age = s.c.Uptime() - b.asOf
	}
	return n
}

// Learn applies changes that were made on this replica at once, before the
// bulletin tells them to all.
func (s *Service) Learn(changes ...domain.Change) { s.board.learn(changes, s.c.Now()) }

// Hear asks the bulletin for news. Whoever runs a replica calls it several times
// within Config.RevocationMax; where it fails, Check asks the store, and where
// that cannot answer either, refuses.
func (s *Service) Hear(ctx context.Context) error {
	s.hearing.Lock()
	defer s.hearing.Unlock()
	asOf := s.c.Uptime()
	changes, mark, err := s.c.Store.Bulletin().News(ctx, s.mark)
	if err != nil {
		s.mark = "" // it may be another server that answers next: read it all
		return err
	}
	s.board.learn(changes, s.c.Now())
	s.board.confirm(asOf)
	s.mark = mark
	return nil
}
