package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// HearingCheck sets how long nothing may be heard until the connection is tried,
// and how long the answer may take. It returns what undoes it.
func HearingCheck(quiet, answer time.Duration) (undo func()) {
	q, a := hearingCheck, checkTimeout
	hearingCheck, checkTimeout = quiet, answer
	return func() { hearingCheck, checkTimeout = q, a }
}

// Absence is how the hosts of a URL that names several are dialled.
func Absence(dial pgconn.DialFunc) pgconn.DialFunc { return newAbsence().dialer(dial) }

// Pooled reports whether two connections are led to one session of the server in turn.
func Pooled(ctx context.Context, s *Store) (bool, error) { return s.pool.pooled(ctx) }
