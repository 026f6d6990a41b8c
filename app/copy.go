package app

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Copy carries all that one store keeps into another, which must be empty: both are
// database URLs. It reads one moment of the first, whatever serves it meanwhile. Broken
// off at any point it goes on where it was when it is run again. On out it tells the
// digest of each table, which are the same on both sides in the end, or it fails.
func Copy(ctx context.Context, c Config, from, to string, out, log io.Writer) (err error) {
	source, err := siteOf(from)
	if err != nil {
		return fmt.Errorf("FROM: %w", err)
	}
	target, err := siteOf(to)
	if err != nil {
		return fmt.Errorf("TO: %w", err)
	}
	if source.name == target.name {
		return errors.New("FROM and TO are the same database")
	}
	if target.path != "" {
		if err := os.MkdirAll(filepath.Dir(target.path), 0o700); err != nil {
			return err
		}
	}
	a, b := source.archive(), target.archive()
	defer func() { err = errors.Join(err, a.Close(), b.Close()) }()
	return a.Read(ctx, func(rows ports.Tables) error {
		began := Now()
		sums, total, keys, err := survey(ctx, rows)
		if err != nil {
			return fmt.Errorf("FROM: %w", err)
		}
		if err := fitting(c, source, target, keys); err != nil {
			return err
		}
		p := newProgress(log, total)
		p.noun = "rows"
		f := filling{from: rows, to: b, sums: sums, progress: p}
		err = f.run(ctx, source.name)
		p.end()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is a copy of %s as of %s; what was written there since is not in it\n", target.name, source.name, second(began))
		return f.tell(out, source, target, c)
	})
}

// A site is where a store is.
type site struct {
	name string // as others may see it
	path string // of an embedded database; "": it is a PostgreSQL
	url  string
}

func siteOf(text string) (site, error) {
	c := Config{DatabaseURL: Secret{domain.NewSecret(text)}}
	if path, embedded := c.sqlitePath(); embedded {
		path, err := filepath.Abs(path)
		return site{name: "sqlite:" + path, path: path}, err
	}
	if !c.postgres() {
		return site{}, errors.New("want sqlite:PATH or postgres://…")
	}
	name, err := postgres.Place(text)
	return site{name: name, url: text}, err
}

func (s site) archive() ports.Archive {
	if s.path != "" {
		return sqlite.NewArchive(s.path)
	}
	return postgres.NewArchive(s.url)
}

// fitting fails unless the master key that opens the keys of FROM is the one with which
// TO will be served, as far as that can be known.
func fitting(c Config, from, to site, keys []domain.Key) error {
	if len(keys) == 0 {
		return nil
	}
	for _, at := range []site{from, to} {
		master, other, err := knownMasters(c, at.path)
		if err != nil {
			return err
		}
		if master.IsZero() && at == to {
			continue // nobody has made one there; what is told in the end says what to do
		}
		if master.IsZero() {
			return fmt.Errorf("the keys in %s are sealed: set KEYPORT_MASTER_KEY or KEYPORT_MASTER_KEY_FILE to the master key that opens them", from.name)
		}
		if err := jose.Opens(master, other, keys); err != nil {
			return fmt.Errorf("the master key for %s does not fit: %w", at.name, err)
		}
	}
	return nil
}

// A sum is how many rows a table has, and a digest of them in their order.
type sum struct {
	rows   int64
	digest [sha256.Size]byte
}

func (s sum) String() string { return hex.EncodeToString(s.digest[:]) }

// A summing works a sum out.
type summing struct {
	rows int64
	h    hash.Hash
}

func newSumming() *summing { return &summing{h: sha256.New()} }

func (s *summing) sum() sum { return sum{s.rows, [sha256.Size]byte(s.h.Sum(nil))} }

// add adds a row, written so that no other is written alike.
func (s *summing) add(r ports.Row) {
	s.rows++
	for _, v := range r {
		var kind byte
		var text []byte
		switch v := v.(type) {
		case string:
			kind, text = 't', []byte(v)
		case int64:
			kind, text = 'n', binary.BigEndian.AppendUint64(nil, uint64(v))
		case []byte:
			kind, text = 'b', v
		}
		s.h.Write(binary.BigEndian.AppendUint64([]byte{kind}, uint64(len(text)))) // never fails
		s.h.Write(text)
	}
}

// survey returns the sum of each table by its name, how many rows there are in all, and
// the sealed keys.
func survey(ctx context.Context, rows ports.Tables) (sums map[string]sum, total int64, keys []domain.Key, err error) {
	sums = make(map[string]sum)
	for _, t := range ports.Archived() {
		s := newSumming()
		err := rows.Rows(ctx, t, func(r ports.Row) error {
			s.add(r)
			if t.Name == "keys" {
				keys = append(keys, keyOf(t, r))
			}
			return nil
		})
		if err != nil {
			return nil, 0, nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		sums[t.Name] = s.sum()
		total += s.rows
	}
	return sums, total, keys, nil
}

func keyOf(t ports.Table, r ports.Row) (k domain.Key) {
	for i, c := range t.Columns {
		switch v := r[i].(type) {
		case string:
			switch c.Name {
			case "id":
				k.ID = v
			case "use":
				k.Use = v
			case "algorithm":
				k.Algorithm = domain.Algorithm(v)
			}
		case []byte:
			k.Sealed = v
		}
	}
	return k
}

// A filling carries rows.
type filling struct {
	from     ports.Tables
	to       ports.Archive
	sums     map[string]sum // of from
	progress *progress
	done     int64 // rows
}

// run fills the target, and looks whether it has become the same.
func (f *filling) run(ctx context.Context, source string) error {
	err := f.to.Reserve(ctx, source)
	if errors.Is(err, ports.ErrOccupied) && f.verify(ctx) == nil {
		return nil // it was finished before
	}
	if err != nil {
		return fmt.Errorf("TO: %w", err)
	}
	tables := ports.Archived()
	for i, t := range tables {
		n, err := f.begun(ctx, t)
		if errors.Is(err, errOtherwise) {
			// FROM has changed since. Rows of later tables may refer to these.
			n, err = 0, f.to.Clear(ctx, tables[i:])
		}
		if err == nil {
			err = f.fill(ctx, t, n)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	if err := f.verify(ctx); err != nil {
		return err
	}
	if err := f.to.Release(ctx); err != nil {
		return fmt.Errorf("TO: %w", err)
	}
	return nil
}

// errOtherwise says that what the target has of a table is not how the table begins.
var errOtherwise = errors.New("the table of the target is another")

// begun returns how many rows of a table the target has, if they are the first ones of
// the table.
func (f *filling) begun(ctx context.Context, t ports.Table) (int64, error) {
	has, err := f.sumOf(ctx, t)
	if err != nil || has.rows == 0 || has == f.sums[t.Name] {
		return has.rows, err
	}
	if has.rows > f.sums[t.Name].rows {
		return 0, errOtherwise
	}
	first := newSumming()
	enough := errors.New("as many")
	err = f.from.Rows(ctx, t, func(r ports.Row) error {
		if first.add(r); first.rows == has.rows {
			return enough
		}
		return nil
	})
	switch {
	case !errors.Is(err, enough):
		return 0, errors.Join(errOtherwise, err)
	case first.sum() != has:
		return 0, errOtherwise
	}
	return has.rows, nil
}

// sumOf returns the sum of a table of the target.
func (f *filling) sumOf(ctx context.Context, t ports.Table) (sum, error) {
	s := newSumming()
	err := f.to.Read(ctx, func(rows ports.Tables) error {
		return rows.Rows(ctx, t, func(r ports.Row) error { s.add(r); return nil })
	})
	return s.sum(), err
}

// The bounds of what is written at once.
const (
	maxLoad      = 1000    // rows
	maxLoadBytes = 4 << 20 // of texts and bytes, or one row
)

// fill writes the rows of a table behind the first n.
func (f *filling) fill(ctx context.Context, t ports.Table, n int64) error {
	f.done += n
	if n == f.sums[t.Name].rows {
		return nil
	}
	var load []ports.Row
	var size int
	write := func() error {
		if len(load) == 0 {
			return nil
		}
		if err := f.to.Add(ctx, t, load); err != nil {
			return err
		}
		f.done += int64(len(load))
		f.progress.to(int(f.done), f.done)
		load, size = load[:0], 0
		return nil
	}
	err := f.from.Rows(ctx, t, func(r ports.Row) error {
		if n > 0 {
			n--
			return nil
		}
		load, size = append(load, r), size+sizeOf(r)
		if len(load) < maxLoad && size < maxLoadBytes {
			return nil
		}
		return write()
	})
	if err != nil {
		return err
	}
	return write()
}

func sizeOf(r ports.Row) (n int) {
	for _, v := range r {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// verify fails unless both have the same rows.
func (f *filling) verify(ctx context.Context) error {
	return f.to.Read(ctx, func(rows ports.Tables) error {
		sums, _, _, err := survey(ctx, rows)
		if err != nil {
			return fmt.Errorf("TO: %w", err)
		}
		var faults []error
		for _, t := range ports.Archived() {
			if has, want := sums[t.Name], f.sums[t.Name]; has != want {
				faults = append(faults, fmt.Errorf("%s: FROM has %d rows, digest %s, and TO has %d, digest %s", t.Name, want.rows, want, has.rows, has))
			}
		}
		return errors.Join(faults...)
	})
}

// tell prints the digests, and with which master key the copy is to be served.
func (f *filling) tell(out io.Writer, from, to site, c Config) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TABLE\tROWS\tDIGEST, THE SAME ON BOTH SIDES")
	for _, t := range ports.Archived() {
		fmt.Fprintf(table, "%s\t%d\t%s\n", t.Name, f.sums[t.Name].rows, f.sums[t.Name])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	key := "the KEYPORT_MASTER_KEY that is set here"
	if c.MasterKey.IsZero() {
		key = "the master key in " + c.MasterKeyFile
		if c.MasterKeyFile == "" {
			key = "the master key in " + from.path + keySuffix
		}
	}
	_, err := fmt.Fprintf(out, "its keys stay sealed: serve it with the same master key, %s, and the same KEYPORT_PUBLIC_URL\n", key)
	return err
}
