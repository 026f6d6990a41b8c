package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// An Archive is a ports.Archive in a PostgreSQL database. It reads beside whoever serves,
// in one transaction at REPEATABLE READ. What it reserves no Keyport opens, for Migrate
// refuses that; and a lock keeps other copies out.
type Archive struct {
	url      string
	reserved *reservation // nil: not reserved by this Archive
}

var _ ports.Archive = (*Archive)(nil)

// A reservation is two connections: one that writes, and one that does nothing but hold
// a lock, in a transaction since behind a PgBouncer nobody has a session.
type reservation struct {
	writer, holder *pgx.Conn
	lock           pgx.Tx // of holder
	shelves        map[string]shelf
}

// NewArchive returns an Archive on the database at url, which nobody connects to yet. The
// url may lead through a PgBouncer in transaction mode. The caller closes the Archive.
func NewArchive(url string) *Archive { return &Archive{url: url} }

// Close implements ports.Archive.
func (a *Archive) Close() error {
	if a.reserved == nil {
		return nil
	}
	r := a.reserved
	a.reserved = nil
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return r.close(ctx)
}

// connect makes a connection whose statements may take as long as they take.
func (a *Archive) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgxpool.ParseConfig(a.url)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	dress(config.ConnConfig, map[string]string{"application_name": "keyport copy"})
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // PgBouncer passes it
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return nil, domain.ErrUnavailable.Because(err)
	}
	return conn, nil
}

// unhurried are the settings of a transaction whose end nobody can foresee.
var unhurried = []string{
	`SET LOCAL statement_timeout = 0`,
	`SET LOCAL idle_in_transaction_session_timeout = 0`,
}

// begin begins a transaction on a connection.
func begin(ctx context.Context, c *pgx.Conn, o pgx.TxOptions) (pgx.Tx, error) {
	tx, err := c.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, text := range unhurried {
		if _, err := tx.Exec(ctx, text); err != nil {
			return nil, errors.Join(err, tx.Rollback(ctx))
		}
	}
	return tx, nil
}

// Read implements ports.Archive.
func (a *Archive) Read(ctx context.Context, f func(ports.Tables) error) (err error) {
	var conn *pgx.Conn
	if a.reserved != nil {
		conn = a.reserved.writer
	} else {
		if conn, err = a.connect(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	}
	tx, err := begin(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return failed(ctx, err)
	}
	defer func() { err = errors.Join(err, tx.Rollback(context.WithoutCancel(ctx))) }()
	if err := ofThisRelease(ctx, tx); err != nil {
		return err
	}
	shelves, err := shelvesOf(ctx, tx)
	if err != nil {
		return failed(ctx, err)
	}
	return f(tables{tx, shelves})
}

// failed gives an error of the server its meaning.
func failed(ctx context.Context, err error) error { return classify(ctx, err, false) }

// ofThisRelease fails unless the schema is of this release.
func ofThisRelease(ctx context.Context, tx pgx.Tx) error {
	var there bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&there); err != nil {
		return failed(ctx, err)
	}
	if !there {
		return fmt.Errorf("postgres: %w", ports.ErrNoArchive)
	}
	var step int64
	if err := tx.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&step); err != nil {
		return failed(ctx, err)
	}
	last, err := lastStep()
	if err == nil && step != last {
		err = fmt.Errorf("postgres: the schema is at step %d, and this release's at %d: %w", step, last, ports.ErrNoArchive)
	}
	return err
}

const (
	copyLock  = 0x6b70636f7079 // "kpcopy": tells the lock of a reservation from others in the database
	reserving = time.Second    // for which it is waited for
)

// Reserve implements ports.Archive.
func (a *Archive) Reserve(ctx context.Context, source string) (err error) {
	r := new(reservation)
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close(ctx))
		}
	}()
	if r.holder, err = a.connect(ctx); err != nil {
		return err
	}
	if err := r.hold(ctx); err != nil {
		return err
	}
	if r.writer, err = a.connect(ctx); err != nil {
		return err
	}
	// What a copy has begun to fill is as the copy has made it.
	holder, err := reservedFor(ctx, r.writer)
	if err != nil {
		return failed(ctx, err)
	}
	if holder == "" {
		if err := Migrate(ctx, a.url); err != nil {
			return err
		}
	}
	tx, err := begin(ctx, r.writer, pgx.TxOptions{})
	if err != nil {
		return failed(ctx, err)
	}
	defer func() { err = errors.Join(err, over(tx.Rollback(context.WithoutCancel(ctx)))) }()
	if err := ofThisRelease(ctx, tx); err != nil {
		return err
	}
	if r.shelves, err = shelvesOf(ctx, tx); err != nil {
		return failed(ctx, err)
	}
	switch holder {
	case source:
	case "":
		if err := empty(ctx, tx); err != nil {
			return err
		}
		if err := reserve(ctx, tx, source); err != nil {
			return failed(ctx, err)
		}
	default:
		return fmt.Errorf("postgres: the database is being filled from %s: %w", holder, ports.ErrReserved)
	}
	if err := tx.Commit(ctx); err != nil {
		return failed(ctx, err)
	}
	a.reserved = r
	return nil
}

// hold takes the lock that keeps other copies out.
func (r *reservation) hold(ctx context.Context) error {
	tx, err := begin(ctx, r.holder, pgx.TxOptions{})
	if err != nil {
		return failed(ctx, err)
	}
	r.lock = tx
	// The server may not have noticed yet that who had it was killed.
	for until := time.Now().Add(reserving); ; pause(ctx, schemaProbe) {
		var free bool
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1::bigint)`, int64(copyLock)).Scan(&free); err != nil {
			return failed(ctx, err)
		}
		if free {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("postgres: another copy into the database is under way: %w", ports.ErrReserved)
		}
	}
}

// close ends both connections. Until the transaction is over the server keeps the lock.
func (r *reservation) close(ctx context.Context) (err error) {
	if r.lock != nil {
		_ = r.lock.Rollback(context.WithoutCancel(ctx)) // else its end ends it
	}
	for _, c := range []*pgx.Conn{r.writer, r.holder} {
		if c != nil {
			err = errors.Join(err, c.Close(context.WithoutCancel(ctx)))
		}
	}
	return err
}

// over passes on what is wrong with a rollback, unless the transaction has ended before.
func over(err error) error {
	if errors.Is(err, pgx.ErrTxClosed) {
		return nil
	}
	return err
}

// empty fails with ports.ErrOccupied if a table has rows.
func empty(ctx context.Context, tx pgx.Tx) error {
	for _, t := range ports.Archived() {
		var some bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+t.Name+`)`).Scan(&some); err != nil {
			return failed(ctx, err)
		}
		if some {
			return fmt.Errorf("postgres: there are %s: %w", t.Name, ports.ErrOccupied)
		}
	}
	return nil
}

func reserve(ctx context.Context, tx pgx.Tx, source string) error {
	if _, err := tx.Exec(ctx, `CREATE TABLE unfinished_copy (source text NOT NULL)`); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO unfinished_copy (source) VALUES ($1::text)`, source)
	return err
}

// reservedFor returns the source from which the database is being filled; "" is none.
func reservedFor(ctx context.Context, c *pgx.Conn) (source string, err error) {
	var reserved bool
	if err := c.QueryRow(ctx, `SELECT to_regclass('unfinished_copy') IS NOT NULL`).Scan(&reserved); err != nil || !reserved {
		return "", err
	}
	return source, c.QueryRow(ctx, `SELECT source FROM unfinished_copy`).Scan(&source)
}

// finished fails while the database is being filled by a copy.
func finished(ctx context.Context, db *sql.DB) error {
	var unfinished bool
	err := db.QueryRowContext(ctx, `SELECT to_regclass('unfinished_copy') IS NOT NULL`).Scan(&unfinished)
	if err == nil && unfinished {
		err = errors.New("a copy into the database is not finished: run keyport copy again")
	}
	return err
}

var errNotReserved = errors.New("postgres: the archive is not reserved")

// write runs f in a transaction of its own.
func (a *Archive) write(ctx context.Context, f func(pgx.Tx) error) (err error) {
	if a.reserved == nil {
		return errNotReserved
	}
	tx, err := begin(ctx, a.reserved.writer, pgx.TxOptions{})
	if err != nil {
		return failed(ctx, err)
	}
	defer func() { err = errors.Join(err, over(tx.Rollback(context.WithoutCancel(ctx)))) }()
	if err := f(tx); err != nil {
		return failed(ctx, err)
	}
	if err := tx.Commit(ctx); err != nil {
		return failed(ctx, err)
	}
	return nil
}

// Add implements ports.Archive.
func (a *Archive) Add(ctx context.Context, t ports.Table, rows []ports.Row) error {
	return a.write(ctx, func(tx pgx.Tx) error {
		arrays, err := valuesOf(t, rows)
		if err != nil {
			return err
		}
		for _, text := range a.reserved.shelves[t.Name].write {
			if _, err := tx.Exec(ctx, text, arrays...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Clear implements ports.Archive.
func (a *Archive) Clear(ctx context.Context, tables []ports.Table) error {
	return a.write(ctx, func(tx pgx.Tx) error {
		for i := len(tables) - 1; i >= 0; i-- {
			if _, err := tx.Exec(ctx, `DELETE FROM `+tables[i].Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// Release implements ports.Archive. The server is told what came, for its plans.
func (a *Archive) Release(ctx context.Context) error {
	err := a.write(ctx, func(tx pgx.Tx) error {
		for _, t := range ports.Archived() {
			if _, err := tx.Exec(ctx, `ANALYZE `+t.Name); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `DROP TABLE unfinished_copy`)
		return err
	})
	if err != nil {
		return err
	}
	return a.Close()
}
