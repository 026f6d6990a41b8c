package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/keyport-go/keyport/ports"
)

// An Archive is a ports.Archive on one file. It reads beside whoever serves. What it
// reserves it has alone: SQLite's exclusive locking keeps every other process out.
type Archive struct {
	path     string
	reserved *line // nil: not reserved by this Archive
}

var _ ports.Archive = (*Archive)(nil)

// NewArchive returns an Archive on the file at path, which need not be there yet. The
// caller closes it.
func NewArchive(path string) *Archive { return &Archive{path: path} }

// Close implements ports.Archive.
func (a *Archive) Close() error {
	if a.reserved == nil {
		return nil
	}
	l := a.reserved
	a.reserved = nil
	return l.drop()
}

// Read implements ports.Archive: one read transaction sees one state.
func (a *Archive) Read(ctx context.Context, f func(ports.Tables) error) (err error) {
	l := a.reserved
	if l == nil {
		if l, err = a.reader(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.drop()) }()
	}
	if err := l.control("BEGIN"); err != nil {
		return classify(err)
	}
	defer func() { err = errors.Join(err, l.control("ROLLBACK")) }()
	if err := ofThisRelease(l); err != nil {
		return err
	}
	return f(tables{l})
}

// reader returns a line that only reads. SQLite would make the file if there is none.
func (a *Archive) reader() (*line, error) {
	path, err := locate(a.path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("sqlite: %s: %w", path, ports.ErrNoArchive)
	}
	c, err := connector(path, reading(DefaultBusy)...)
	return &line{connector: c}, err
}

// ofThisRelease fails unless the schema is of this release.
func ofThisRelease(l *line) error {
	step, err := steps(l)
	if err != nil {
		return err
	}
	last, err := lastStep()
	if err == nil && step != last {
		err = fmt.Errorf("sqlite: the schema is at step %d, and this release's at %d: %w", step, last, ports.ErrNoArchive)
	}
	return err
}

// steps returns the number of the last migration that was made; 0: none was.
func steps(l *line) (int64, error) {
	there, err := l.one(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'`)
	if err != nil || there == nil {
		return 0, err
	}
	found, err := l.one(`SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`)
	if err != nil {
		return 0, err
	}
	return found.number(0), nil
}

// reserving bounds the wait for somebody else's lock. Whoever serves keeps it.
const reserving = time.Second

// Reserve implements ports.Archive. Ids of changes and events go on from the time in
// microseconds, so that none that any other file gave before comes behind them: whoever
// comes with an older mark is told everything anew, and misses nothing.
func (a *Archive) Reserve(ctx context.Context, source string) (err error) {
	path, err := locate(a.path)
	if err != nil {
		return err
	}
	// What a copy has begun to fill is as the copy has made it.
	if _, err := os.Stat(path); err != nil || look(path, reserving, finished) == nil {
		if err := Migrate(ctx, path); err != nil {
			return err
		}
	}
	// The locking mode comes before the file is touched for the first time.
	c, err := connector(path, slices.Insert(writing(reserving), 1, "locking_mode(EXCLUSIVE)")...)
	if err != nil {
		return err
	}
	l := &line{connector: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.drop())
		}
	}()
	if err := l.control("BEGIN EXCLUSIVE"); err != nil {
		if locked(err) {
			return fmt.Errorf("sqlite: %s: %w: %w", path, ports.ErrReserved, err)
		}
		return classify(err)
	}
	holder, err := reservedFor(l)
	if err := errors.Join(err, ofThisRelease(l)); err != nil {
		return err
	}
	switch {
	case holder == source:
	case holder != "":
		return fmt.Errorf("sqlite: %s is being filled from %s: %w", path, holder, ports.ErrReserved)
	default:
		if err := empty(l); err != nil {
			return err
		}
		if err := reserve(l, source); err != nil {
			return err
		}
	}
	if err := l.control("COMMIT"); err != nil {
		return classify(err)
	}
	a.reserved = l
	return nil
}

// empty fails with ports.ErrOccupied if a table has rows.
func empty(l *line) error {
	for _, t := range ports.Archived() {
		found, err := l.one(`SELECT EXISTS (SELECT 1 FROM ` + shelfOf(t).table + `)`)
		if err != nil {
			return err
		}
		if found.number(0) != 0 {
			return fmt.Errorf("sqlite: there are %s: %w", t.Name, ports.ErrOccupied)
		}
	}
	return nil
}

// reserve notes the source, and from where ids go on.
func reserve(l *line, source string) error {
	for _, text := range []string{`CREATE TABLE unfinished_copy (source TEXT NOT NULL) STRICT`, `DELETE FROM sqlite_sequence`} {
		if _, err := l.exec(text); err != nil {
			return err
		}
	}
	if _, err := l.exec(`INSERT INTO unfinished_copy (source) VALUES (?)`, source); err != nil {
		return err
	}
	_, err := l.exec(`INSERT INTO sqlite_sequence (name, seq) VALUES ('changes', ?1), ('record_events', ?1)`, micros(time.Now()))
	return err
}

// reservedFor returns the source from which the file is being filled; "" is none.
func reservedFor(l *line) (string, error) {
	found, err := l.one(`SELECT 1 FROM sqlite_schema WHERE name = 'unfinished_copy'`)
	if err != nil || found == nil {
		return "", err
	}
	found, err = l.one(`SELECT source FROM unfinished_copy`)
	if err != nil || found == nil {
		return "", err
	}
	return found.text(0), nil
}

// finished fails while the file is being filled by a copy.
func finished(l *line) error {
	source, err := reservedFor(l)
	if err == nil && source != "" {
		err = fmt.Errorf("the copy from %s into it is not finished: run keyport copy again", source)
	}
	return err
}

// locked reports whether somebody else has a lock.
func locked(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == codes.SQLITE_BUSY || e.Code()&0xff == codes.SQLITE_LOCKED)
}

// Add implements ports.Archive.
func (a *Archive) Add(ctx context.Context, t ports.Table, rows []ports.Row) error {
	shelf := shelfOf(t)
	return a.write(func(l *line) error {
		for _, r := range rows {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := shelf.add(l, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// Clear implements ports.Archive. What refers to others goes first.
func (a *Archive) Clear(ctx context.Context, tables []ports.Table) error {
	return a.write(func(l *line) error {
		for _, t := range slices.Backward(tables) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := l.exec(`DELETE FROM ` + shelfOf(t).table); err != nil {
				return err
			}
		}
		return nil
	})
}

// Release implements ports.Archive.
func (a *Archive) Release(context.Context) error {
	err := a.write(func(l *line) error {
		_, err := l.exec(`DROP TABLE unfinished_copy`)
		return err
	})
	if err != nil {
		return err
	}
	return a.Close()
}

var errNotReserved = errors.New("sqlite: the archive is not reserved")

// write runs f in a transaction of its own.
func (a *Archive) write(f func(*line) error) error {
	l := a.reserved
	if l == nil {
		return errNotReserved
	}
	if err := l.control("BEGIN IMMEDIATE"); err != nil {
		return classify(err)
	}
	err := f(l)
	if err == nil {
		if err = l.control("COMMIT"); err == nil {
			return nil
		}
		err = classify(err)
	}
	_ = l.control("ROLLBACK") // SQLite may have undone it already
	l.fault = nil
	return err
}

// tables are the rows that a line sees.
type tables struct{ line *line }

// Rows implements ports.Tables.
func (t tables) Rows(ctx context.Context, of ports.Table, visit func(ports.Row) error) error {
	shelf := shelfOf(of)
	return t.line.rows(ctx, func(v row) error {
		r := make(ports.Row, len(v))
		for i, value := range v {
			if b, ok := value.([]byte); ok {
				value = append([]byte{}, b...)
			}
			if value == nil && !of.Columns[i].Optional && of.Columns[i].Kind == ports.Bytes {
				value = []byte{} // how the driver reads an empty one
			}
			r[i] = value
		}
		return visit(shelf.neutral(r))
	}, shelf.read)
}
