package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/domain"
)

// keySuffix ends the name of the file that holds a database's master key, and a
// backup's.
const keySuffix = ".key"

// errByItsOwn says that no file was written, to whoever has only the exit code.
var errByItsOwn = errors.New("nothing was written: PostgreSQL is backed up and restored by its own programs, as told")

// Backup writes the embedded database, as it is at one moment, to a new file; others go
// on writing meanwhile. withKey has it write the master key to file.key, too. Of a
// PostgreSQL it tells on out what to run, and fails.
func Backup(ctx context.Context, c Config, file string, withKey bool, out, log io.Writer) error {
	path, embedded := c.sqlitePath()
	if !embedded {
		return tellDump(c, file, out)
	}
	keyFile := file + keySuffix
	master, other, err := knownMasters(c, path)
	if err != nil {
		return err
	}
	if withKey {
		if master.IsZero() {
			return errors.New("--with-key: there is no master key: " + path + keySuffix + " is not there, and none is set")
		}
		if _, err := os.Lstat(keyFile); err == nil {
			return fmt.Errorf("%s is there already", keyFile)
		}
	}
	p := newProgress(log, 0)
	p.noun = "MB"
	b, err := sqlite.Back(ctx, path, file, p.bytes)
	p.end()
	if err != nil {
		return fmt.Errorf("backing up: %w", err)
	}
	fmt.Fprintf(out, "%s is the database as of %s, found whole\n", file, second(b.Made))
	fit := jose.Opens(master, other, b.Keys)
	switch {
	case !withKey:
		fmt.Fprintf(out, "the master key is not in it, and without that key it cannot be used: keep the key too, elsewhere\n")
	case fit != nil:
		return fmt.Errorf("%s was not written: %w", keyFile, fit)
	default:
		if err := writeMaster(keyFile, master); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is the master key: whoever has both files has all sessions and tokens, so keep them apart\n", keyFile)
		if !other.IsZero() {
			fmt.Fprintf(out, "the other master key, KEYPORT_MASTER_KEY_OTHER, is not in it: run keyport keys reseal first, or keep it too\n")
		}
		return nil
	}
	if fit != nil && len(b.Keys) > 0 {
		fmt.Fprintf(out, "mind: the master key that is set here does not open the keys in it\n")
	}
	return nil
}

// tellDump tells how a PostgreSQL is backed up.
func tellDump(c Config, file string, out io.Writer) error {
	place, err := postgres.Place(c.DatabaseURL.Reveal())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `PostgreSQL backs itself up, while Keyport goes on. The password is asked for, or is read from
the file that PGPASSFILE names. Events of records, which are kept for an hour, are left out: their
places are in transactions of this server.

  pg_dump --format=custom --no-owner --exclude-table-data=record_events --file=%s \
    %s

To restore it into an empty database, with no Keyport on it:

  pg_restore --exit-on-error --single-transaction --no-owner --dbname=%[2]s %[1]s

The master key is not in it, and without that key it cannot be used: keep KEYPORT_MASTER_KEY too, elsewhere.
`, quoted(file), quoted(place))
	return errByItsOwn
}

// quoted returns a word for a shell (POSIX, section 2.2.2).
func quoted(s string) string {
	b := []byte{'\''}
	for i := range len(s) {
		if s[i] == '\'' {
			b = append(b, `'\'`...)
		}
		b = append(b, s[i])
	}
	return string(append(b, '\''))
}

// knownMasters returns the master keys as they would be used for an embedded database
// at path, and makes none: a zero one is not there.
func knownMasters(c Config, path string) (master, other jose.Master, err error) {
	if master, err = givenMaster("KEYPORT_MASTER_KEY", c.MasterKey, c.MasterKeyFile); err != nil {
		return master, other, err
	}
	if other, err = otherMaster(c); err != nil {
		return master, other, err
	}
	if master.IsZero() && path != "" {
		master, err = readMaster(path + keySuffix)
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	return master, other, err
}

// writeMaster writes a master key to a new file for its owner alone, whole and durable
// or not at all.
func writeMaster(path string, m jose.Master) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(m.Text().Reveal() + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Restore puts a backup in the place of the embedded database, where nothing may be yet.
// Before it writes anything it looks whether the backup is whole, of this release or an
// earlier one, and whether the master key that will be used opens the keys in it: the
// one that is set, else that beside the database, else that beside the backup, which is
// then put beside the database. Of a PostgreSQL it tells on out what to run, and fails.
func Restore(ctx context.Context, c Config, file string, out, log io.Writer) error {
	path, embedded := c.sqlitePath()
	if !embedded {
		return tellDump(c, file, out)
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		if err := sqlite.Vacant(path); err != nil {
			return fmt.Errorf("a backup is restored only where no database is: %w", err)
		}
	}
	b, err := sqlite.Inspect(ctx, file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	master, brought, err := masterFor(c, path, file, b.Keys)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if brought {
		if err := writeMaster(path+keySuffix, master); err != nil {
			return err
		}
	}
	p := newProgress(log, 0)
	p.noun = "MB"
	err = sqlite.Restore(ctx, file, path, p.bytes)
	p.end()
	if err != nil {
		return fmt.Errorf("restoring %s: %w", file, err)
	}
	fmt.Fprintf(out, "%s is the database as of %s\n", path, second(b.Made))
	fmt.Fprintf(out, "sessions and access keys that were ended since then are there again; to end all sessions, retire the refresh keys: keyport keys list\n")
	if brought {
		fmt.Fprintf(out, "%s is its master key, as it was beside the backup\n", path+keySuffix)
	}
	return nil
}

// masterFor returns the master key that opens the keys of a backup, and whether it is
// the one beside the backup.
func masterFor(c Config, path, file string, keys []domain.Key) (m jose.Master, brought bool, err error) {
	m, other, err := knownMasters(c, path)
	if err != nil || len(keys) == 0 {
		return m, false, err
	}
	if m.IsZero() {
		m, err = readMaster(file + keySuffix)
		if errors.Is(err, os.ErrNotExist) {
			return m, false, fmt.Errorf("the backup is of no use without its master key: set KEYPORT_MASTER_KEY or KEYPORT_MASTER_KEY_FILE, or put it at %s", path+keySuffix)
		}
		if err != nil {
			return m, false, err
		}
		brought = true
	}
	if err := jose.Opens(m, other, keys); err != nil {
		return m, false, fmt.Errorf("the master key does not fit: %w", err)
	}
	return m, brought, nil
}

// bytes shows how many bytes of how many are done.
func (p *progress) bytes(done, total int64) {
	p.total = total
	p.to(int(done/1e6), done)
}
