package tokens

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// maxSightings bounds the sightings of either kind that wait to be written. Beyond
// it they are passed over: nothing depends on them.
const maxSightings = 50_000

// sightings are the uses that were seen since they were last written, the first of
// each. The zero sightings are empty and ready.
type sightings[ID ~string] struct {
	mu   sync.RWMutex
	seen map[ID]domain.Sighting[ID]
}

// note is on the way of every request, and so only looks where it can.
func (s *sightings[ID]) note(id ID, at time.Time, address string) {
	s.mu.RLock()
	_, noted := s.seen[id]
	full := len(s.seen) >= maxSightings
	s.mu.RUnlock()
	if noted || full {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = make(map[ID]domain.Sighting[ID])
	}
	s.seen[id] = domain.Sighting[ID]{ID: id, At: at, Address: clip(address, domain.MaxAddress)}
}

// take returns what was noted, and begins anew.
func (s *sightings[ID]) take() []domain.Sighting[ID] {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]domain.Sighting[ID], 0, len(s.seen))
	for _, sighting := range s.seen {
		all = append(all, sighting)
	}
	s.seen = nil
	return all
}

// WriteSightings writes when sessions and access keys were last used, and from
// where, as far as Check has seen it since the last call. Whoever runs a replica
// calls it each domain.SightingInterval. What it fails to write is lost.
func (s *Service) WriteSightings(ctx context.Context) error {
	return errors.Join(
		write(ctx, s.sessions.take(), s.c.Store.Sessions().Saw),
		write(ctx, s.keys.take(), s.c.Store.AccessKeys().Saw),
	)
}

func write[ID ~string](ctx context.Context, all []domain.Sighting[ID], saw func(context.Context, []domain.Sighting[ID]) error) error {
	for some := range slices.Chunk(all, batch) {
		if err := saw(ctx, some); err != nil {
			return err
		}
	}
	return nil
}
