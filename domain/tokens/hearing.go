package tokens

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// News is how this replica stands with the bulletin, for metrics.
type News struct {
	Age     time.Duration // since it last heard; 0 if it never did
	Lag     time.Duration // from the latest cause to its effect here
	Changes int           // that it has in mind
}

// News returns the figures of this moment.
func (s *Service) News() News {
	b := s.board.State()
	n := News{Lag: b.Lag, Changes: b.Changes}
	if b.Heard {
		n.Age = s.c.Uptime() - b.AsOf
	}
	return n
}

// Learn applies changes that were made on this replica at once, before the
// bulletin tells them to all.
func (s *Service) Learn(changes ...domain.Change) {
	s.tally.learned(changes)
	s.board.Learn(changes, s.c.Now())
}

// Hear asks the bulletin for news. Whoever runs a replica calls it several times
// within Config.RevocationMax; where it fails, Check asks the store, and where
// that cannot answer either, refuses.
func (s *Service) Hear(ctx context.Context) error {
	s.hearing.Lock()
	defer s.hearing.Unlock()
	asOf := s.c.Uptime()
	changes, mark, err := s.c.Store.Bulletin().News(ctx, s.mark)
	if err == nil && s.c.Reload != nil && s.board.Rekeys(changes) {
		err = s.c.Reload(ctx)
	}
	if err != nil {
		s.mark = "" // it may be another server that answers next: read it all
		return err
	}
	s.board.Learn(changes, s.c.Now())
	s.board.Confirm(asOf)
	s.mark = mark
	return nil
}

// recent reports whether what this replica has heard can be relied upon.
func (s *Service) recent() bool {
	return s.c.RevocationMax > 0 && s.board.Recent(s.c.Uptime(), s.c.RevocationMax)
}

// readKeys reads the keys where a key may have been retired unheard.
func (s *Service) readKeys(ctx context.Context, recent bool) error {
	if recent || s.c.Reload == nil {
		return nil
	}
	return s.c.Reload(ctx)
}
