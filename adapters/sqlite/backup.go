package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"

	"github.com/keyport-go/keyport/domain"
)

// The failures of a backup and of putting one back.
var (
	ErrExists    = errors.New("it is there already")
	ErrNoBackup  = errors.New("it is no backup of Keyport")
	ErrDamaged   = errors.New("the backup is damaged")
	ErrTooNew    = errors.New("the backup is of a later release of Keyport")
	errNoKeyport = errors.New("there is no database of Keyport")
)

// A Backup is what there is to know of one.
type Backup struct {
	Made time.Time    // when the state was as it is in it
	Keys []domain.Key // their ids, uses, algorithms and seals
}

// stride is how many pages are copied at a time.
const stride = 256

// Back writes the file at path, as it is at one moment, to a new file at to: one that is
// whole by itself and that only its owner can read. Whoever serves writes on meanwhile.
// The new file gets its name when all of it is on the disk and was found whole: a backup
// that was broken off leaves at most a file that begins with a dot. told, if not nil,
// hears how many bytes of how many are copied. It fails with ErrExists.
func Back(ctx context.Context, path, to string, told func(done, total int64)) (b Backup, err error) {
	path, err = locate(path)
	if err != nil {
		return b, err
	}
	if _, err := os.Stat(path); err != nil {
		return b, fmt.Errorf("sqlite: %w: %w", errNoKeyport, err)
	}
	if to, err = filepath.Abs(to); err != nil {
		return b, err
	}
	if err := vacant(to); err != nil {
		return b, err
	}
	f, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".*") // mode 0600
	if err != nil {
		return b, err
	}
	raw := f.Name()
	defer func() { err = errors.Join(err, os.Remove(raw)) }()
	if err := f.Close(); err != nil {
		return b, err
	}
	if b.Made, err = snapshot(ctx, path, raw, told); err != nil {
		return b, err
	}
	if b.Keys, err = finish(ctx, raw, b.Made); err != nil {
		return b, err
	}
	return b, publish(raw, to)
}

// snapshot copies the pages of the file as they are at one moment. The read transaction
// holds that moment: else SQLite would begin again after each write of others.
func snapshot(ctx context.Context, path, to string, told func(done, total int64)) (made time.Time, err error) {
	c, err := connector(path, reading(DefaultBusy)...)
	if err != nil {
		return made, err
	}
	l := &line{connector: c}
	defer func() { err = errors.Join(err, l.drop()) }()
	if err := l.control("BEGIN"); err != nil {
		return made, classify(err)
	}
	if step, err := steps(l); err != nil || step == 0 {
		return made, errors.Join(err, fmt.Errorf("sqlite: %s: %w", path, errNoKeyport))
	}
	made = time.Now().UTC().Truncate(time.Microsecond)
	size, err := l.one("PRAGMA page_size")
	if err != nil {
		return made, err
	}
	source, able := l.conn.(interface {
		NewBackup(to string) (*sqlite.Backup, error)
	})
	if !able {
		return made, fmt.Errorf("sqlite: the driver's %T makes no backups", l.conn)
	}
	copying, err := source.NewBackup(uri(to, nil))
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, copying.Finish()) }()
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return made, err
		}
		if more, err = copying.Step(stride); err != nil {
			return made, fmt.Errorf("sqlite: copying: %w", err)
		}
		if told != nil {
			total := int64(copying.PageCount())
			told((total-int64(copying.Remaining()))*size.number(0), total*size.number(0))
		}
	}
	return made, nil
}

// finish makes a copy of pages a file that needs no other beside it, notes in it when it
// was made and a digest of all its rows, and looks whether it is whole.
func finish(ctx context.Context, path string, made time.Time) (keys []domain.Key, err error) {
	c, err := connector(path, busy(DefaultBusy), "journal_mode(DELETE)", "synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	l := &line{connector: c}
	defer func() { err = errors.Join(err, l.drop()) }()
	digest, err := digestRows(ctx, l)
	if err != nil {
		return nil, err
	}
	for _, text := range []string{`DROP TABLE IF EXISTS keyport_backup`, `CREATE TABLE keyport_backup (made INTEGER NOT NULL, digest BLOB NOT NULL) STRICT`} {
		if _, err := l.exec(text); err != nil {
			return nil, err
		}
	}
	if _, err := l.exec(`INSERT INTO keyport_backup (made, digest) VALUES (?, ?)`, micros(made), digest); err != nil {
		return nil, err
	}
	if err := whole(ctx, l); err != nil {
		return nil, err
	}
	return sealedKeys(ctx, l)
}

// whole fails with ErrDamaged unless SQLite finds nothing wrong.
func whole(ctx context.Context, l *line) error {
	var faults []string
	for _, check := range []string{"PRAGMA integrity_check(5)", "PRAGMA foreign_key_check"} {
		err := l.rows(ctx, func(v row) error {
			if fault := v.text(0); fault != "ok" {
				faults = append(faults, fault)
			}
			return nil
		}, check)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("%w: %s", ErrDamaged, strings.Join(faults, "; "))
	}
	return nil
}

// digestRows returns a digest of all tables and their rows, in the order in which they
// lie in the file. Pages have no checksums: a bit that has turned in a text is found by
// nothing else.
func digestRows(ctx context.Context, l *line) ([]byte, error) {
	var tables []string
	h := sha256.New()
	err := l.rows(ctx, func(v row) error {
		tables = append(tables, v.text(0))
		write(h, v)
		return nil
	}, `SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name <> 'keyport_backup' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		err := l.found(ctx, func(v row) error {
			write(h, v)
			return nil
		}, `SELECT * FROM "`+strings.ReplaceAll(table, `"`, `""`)+`" NOT INDEXED`)
		if err != nil {
			return nil, err
		}
	}
	return h.Sum(nil), nil
}

// write writes a row so that no other is written alike.
func write(h hash.Hash, v row) {
	frame := func(kind byte, text []byte) {
		head := binary.BigEndian.AppendUint64([]byte{kind}, uint64(len(text)))
		h.Write(append(head, text...)) // never fails
	}
	frame('r', nil)
	for _, value := range v {
		switch value := value.(type) {
		case nil:
			frame('0', nil)
		case int64:
			frame('i', binary.BigEndian.AppendUint64(nil, uint64(value)))
		case float64:
			frame('f', binary.BigEndian.AppendUint64(nil, math.Float64bits(value)))
		case string:
			frame('t', []byte(value))
		case []byte:
			frame('b', value)
		case time.Time: // goose's column of that type
			frame('m', []byte(value.UTC().Format(time.RFC3339Nano)))
		default:
			frame('x', fmt.Appendf(nil, "%v", value))
		}
	}
}

// sealedKeys reads the stored keys, of whatever schema.
func sealedKeys(ctx context.Context, l *line) (keys []domain.Key, err error) {
	err = l.rows(ctx, func(v row) error {
		keys = append(keys, domain.Key{
			ID: v.text(0), Use: v.text(1), Algorithm: domain.Algorithm(v.text(2)), Sealed: append([]byte{}, v.bytes(3)...),
		})
		return nil
	}, `SELECT id, use, algorithm, sealed FROM keys ORDER BY id`)
	return keys, err
}

// Inspect returns what there is to know of the backup at path. It writes nothing. It
// fails with ErrNoBackup, ErrTooNew or ErrDamaged.
func Inspect(ctx context.Context, path string) (b Backup, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return b, err
	}
	if err := isDatabase(path); err != nil {
		return b, err
	}
	// Nobody writes there, so SQLite need not look for anything beside it.
	c, err := sqlite.NewConnector(uri(path, reading(DefaultBusy)) + "&mode=ro&immutable=1")
	if err != nil {
		return b, err
	}
	l := &line{connector: c}
	defer func() { err = errors.Join(err, l.drop()) }()
	return inspect(ctx, l)
}

func inspect(ctx context.Context, l *line) (b Backup, err error) {
	marked, err := l.one(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'keyport_backup'`)
	if err != nil {
		return b, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if marked == nil {
		return b, fmt.Errorf("%w: it is a database, but not one that keyport backup wrote", ErrNoBackup)
	}
	note, err := l.one(`SELECT made, digest FROM keyport_backup`)
	if err != nil || note == nil {
		return b, errors.Join(ErrDamaged, err)
	}
	b.Made = note.time(0)
	want := string(note.bytes(1))
	step, err := steps(l)
	if err != nil {
		return b, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	last, err := lastStep()
	if err != nil {
		return b, err
	}
	if step > last {
		return b, fmt.Errorf("%w: its schema is at step %d, and this release knows %d", ErrTooNew, step, last)
	}
	if err := whole(ctx, l); err != nil {
		return b, err
	}
	digest, err := digestRows(ctx, l)
	if err != nil {
		return b, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if string(digest) != want {
		return b, fmt.Errorf("%w: its rows are not those that were written", ErrDamaged)
	}
	b.Keys, err = sealedKeys(ctx, l)
	return b, err
}

// isDatabase fails with ErrNoBackup unless the file begins as a database does (SQLite,
// "Database File Format", section 1.3).
func isDatabase(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(f, head); err != nil || string(head) != magic {
		return ErrNoBackup
	}
	return nil
}

// Vacant fails with ErrExists if there is a database at path, or what one that is in use
// or was broken off has beside it.
func Vacant(path string) error {
	path, err := locate(path)
	if err != nil {
		return err
	}
	var errs []error
	for _, beside := range []string{"", "-wal", "-shm", "-journal"} {
		errs = append(errs, vacant(path+beside))
	}
	return errors.Join(errs...)
}

func vacant(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return fmt.Errorf("%s: %w", path, ErrExists)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
}

// Restore puts the backup at file to path, where nothing may be. The file gets its name
// when all of it is on the disk and was found whole; what a Restore that was broken off
// has left, the next one takes away. Nobody else can make a database there meanwhile.
// told is as of Back. It fails as Vacant and Inspect do.
func Restore(ctx context.Context, file, path string, told func(done, total int64)) (err error) {
	if err := Vacant(path); err != nil {
		return err
	}
	path, err = locate(path)
	if err != nil {
		return err
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if err := Vacant(path); err != nil {
		return err
	}
	raw := path + ".restoring"
	for _, beside := range []string{"", "-journal"} {
		if err := os.Remove(raw + beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	defer func() {
		if there := os.Remove(raw); !errors.Is(there, fs.ErrNotExist) {
			err = errors.Join(err, there)
		}
	}()
	if err := copyFile(ctx, file, raw, told); err != nil {
		return err
	}
	if err := unmark(ctx, raw); err != nil {
		return err
	}
	return publish(raw, path)
}

// unmark looks whether a copied backup is whole, and makes it a database like others.
func unmark(ctx context.Context, path string) (err error) {
	c, err := connector(path, busy(DefaultBusy), "synchronous(FULL)")
	if err != nil {
		return err
	}
	l := &line{connector: c}
	defer func() { err = errors.Join(err, l.drop()) }()
	if _, err := inspect(ctx, l); err != nil {
		return err
	}
	_, err = l.exec(`DROP TABLE keyport_backup`)
	return err
}

func copyFile(ctx context.Context, from, to string, told func(done, total int64)) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	about, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	const piece = 1 << 20
	for done := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.CopyN(out, in, piece)
		done += n
		if told != nil {
			told(done, about.Size())
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// publish gives a finished file its name, unless something has it, and waits for the
// disk. raw keeps its own name, for the caller to take away.
func publish(raw, to string) error {
	f, err := os.OpenFile(raw, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(raw, to); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", to, ErrExists)
	} else if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
