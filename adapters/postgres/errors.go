package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/keyport-go/keyport/domain"
)

// SQLSTATE codes and classes (PostgreSQL manual, appendix A).
const (
	connectionException  = "08" // class
	protocolViolation    = "08P01"
	characterNotInSet    = "22021"
	untranslatable       = "22P05"
	readOnlyTransaction  = "25006"
	failedTransaction    = "25P02"
	idleInTransaction    = "25P03"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	insufficientResource = "53" // class
	diskFull             = "53100"
	tooManyConnections   = "53300"
	lockNotAvailable     = "55P03"
	operatorIntervention = "57" // class: query_canceled is the statement timeout's
	systemError          = "58" // class
)

// errFull is domain.ErrUnavailable of a disk that has no room: only writes fail.
var errFull = func() *domain.Error {
	full := *domain.ErrUnavailable
	full.Detail = "The disk of the store is full: nothing can be written at the moment, and reading goes on."
	return &full
}()

// classify gives a driver's error its meaning in the domain, or passes it on;
// lost says whether the connection is. A collision stays what it is, for again
// to see through whatever a caller wraps around it. No other function looks at a
// SQLSTATE, but those that follow; and none at a constraint, for what is
// taken is no error here: such writes say ON CONFLICT DO NOTHING, and count. So
// they break no transaction, and the server's log does not tell the values.
func classify(ctx context.Context, err error, lost bool) error {
	switch {
	case err == nil || collided(err):
		return err
	case ctx.Err() != nil:
		return ended(ctx, err)
	case lost || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pgx.ErrTxCommitRollback):
		return domain.ErrUnavailable.Because(err)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case characterNotInSet, untranslatable:
			return domain.ErrMalformed.Because(err)
		case diskFull:
			return errFull.Because(err)
		case readOnlyTransaction, failedTransaction, idleInTransaction, lockNotAvailable:
			return domain.ErrUnavailable.Because(err)
		}
		switch e.Code[:min(2, len(e.Code))] {
		case connectionException, insufficientResource, operatorIntervention, systemError:
			return domain.ErrUnavailable.Because(err)
		}
	}
	return fmt.Errorf("postgres: %w", err)
}

// collided reports whether the server broke off a statement or a transaction for
// the sake of another, so that running it again may well succeed.
func collided(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == serializationFailure || e.Code == deadlockDetected)
}

// readOnly reports whether the server takes no writes.
func readOnly(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == readOnlyTransaction
}

// full reports whether the server has no connection left to give.
func full(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == tooManyConnections
}

// ended is the error of what was given up because ctx ended.
func ended(ctx context.Context, err error) error {
	if errors.Is(err, ctx.Err()) {
		return fmt.Errorf("postgres: %w", err)
	}
	return fmt.Errorf("postgres: %w: %w", ctx.Err(), err)
}
