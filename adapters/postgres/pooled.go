package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrPooled says that the URL leads to a PgBouncer in transaction mode, or to what is
// like one, and Config.PgBouncer does not say so.
var ErrPooled = errors.New("it leads to a PgBouncer in transaction mode")

// Reach returns once the server has answered, on a connection that stays. It fails as
// Ping does, and with ErrPooled: such connections would fail later, in ways that tell
// nobody why.
func (s *Store) Reach(ctx context.Context) error {
	if s.pool.bouncer {
		return s.Ping(ctx)
	}
	waiting, cancel := context.WithTimeout(ctx, s.pool.patience.acquire+s.pool.patience.statement)
	defer cancel()
	pooled, err := s.pool.pooled(waiting)
	switch {
	case err == nil && pooled, refused(err):
		return ErrPooled
	case err != nil:
		return unreachable(ctx, err)
	}
	return nil
}

// pooled reports whether two connections are led to one session of the server in turn.
// A connection that leads straight to it was told the number of its session.
func (p *pool) pooled(ctx context.Context) (bool, error) {
	one, err := p.connection(ctx)
	if err != nil {
		return false, err
	}
	defer giveBack(one)
	first, err := ledTo(ctx, one)
	if err != nil || first == one.Conn().PgConn().PID() {
		return false, err
	}
	other, err := p.connection(ctx)
	if err != nil {
		return false, err
	}
	defer giveBack(other)
	second, err := ledTo(ctx, other)
	return first == second, err
}

// ledTo returns the number of the server's session that a statement is led to.
func ledTo(ctx context.Context, c *pgxpool.Conn) (pid uint32, err error) {
	err = c.Conn().QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	return pid, err
}

// refused reports whether a PgBouncer would not have the settings that a server takes.
func refused(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == protocolViolation && strings.HasPrefix(e.Message, "unsupported startup parameter")
}
