package sqlite

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

// saw runs a statement for each sighting, all in one write. Its arguments are the
// id, the time, the address, and the latest time of the last sighting for which
// this one is kept.
//
// One statement a sighting, in their order, for two of one id are judged one after
// the other.
func saw[ID ~string](ctx context.Context, on lines, statement string, sightings []domain.Sighting[ID]) error {
	return on.write(ctx, func(l *line) error {
		for _, s := range sightings {
			if err := ctx.Err(); err != nil {
				return err
			}
			_, err := l.exec(statement, s.ID, micros(s.At), s.Address, micros(s.At.Add(-domain.SightingInterval)))
			if err != nil {
				return err
			}
		}
		return nil
	})
}
