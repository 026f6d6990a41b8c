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

// Settings returns the settings of the server that a store asks for.
func Settings(c Config) (map[string]string, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	p, err := c.pool()
	if err != nil {
		return nil, err
	}
	return p.ConnConfig.RuntimeParams, nil
}

// Planning are the settings of the server for its plans.
var Planning = planning

// Absence is how the hosts of a URL that names several are dialled.
func Absence(dial pgconn.DialFunc) pgconn.DialFunc { return newAbsence().dialer(dial) }

// Pooled reports whether two connections are led to one session of the server in turn.
func Pooled(ctx context.Context, s *Store) (bool, error) { return s.pool.pooled(ctx) }
