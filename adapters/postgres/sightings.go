package postgres

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// saw notes in a table, whose ids are of that kind, when its rows were used and
// from where. It is one statement, unless something was sighted more than once:
// what comes later is judged after what comes first was written.
func saw[ID ~string](ctx context.Context, on runner, table string, sightings []domain.Sighting[ID]) error {
	var first, later []domain.Sighting[ID]
	met := make(map[ID]bool, len(sightings))
	for _, s := range sightings {
		if met[s.ID] {
			later = append(later, s)
			continue
		}
		met[s.ID] = true
		first = append(first, s)
	}
	switch {
	case len(first) == 0:
		return nil
	case len(later) == 0:
		return sawOnce(ctx, on, table, first)
	}
	return on.unit(ctx, func(in runner) error {
		if err := sawOnce(ctx, in, table, first); err != nil {
			return err
		}
		return saw(ctx, in, table, later)
	})
}

// sawOnce is saw for sightings no two of which are of the same. The rows are locked
// in the order of their ids, so that two replicas that write at once wait for one
// another in a line and not in a circle; what is stored is judged where it is
// locked, and a row that wants no write is not locked at all.
func sawOnce[ID ~string](ctx context.Context, on runner, table string, sightings []domain.Sighting[ID]) error {
	var ids, addresses []string
	var times, bounds []time.Time
	for _, s := range sightings {
		at := micro(s.At)
		ids, addresses = append(ids, string(s.ID)), append(addresses, s.Address)
		times, bounds = append(times, at), append(bounds, at.Add(-domain.SightingInterval))
	}
	_, err := exec(ctx, on, `
		WITH held AS (
			SELECT t.id, n.at, n.address
			FROM unnest($1::text[]::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[]) AS n (id, at, bound, address)
			JOIN `+table+` t ON t.id = n.id
			WHERE t.seen IS NULL OR t.seen <= n.bound
			ORDER BY t.id
			FOR NO KEY UPDATE OF t
		)
		UPDATE `+table+` t SET seen = held.at, address = held.address FROM held WHERE t.id = held.id`,
		ids, times, bounds, addresses)
	return err
}
