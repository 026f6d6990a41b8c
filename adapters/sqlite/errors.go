package sqlite

import (
	"database/sql/driver"
	"errors"
	"strings"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/keyport-go/keyport/domain"
)

// errClosed is why a closed store is unavailable.
var errClosed = errors.New("sqlite: the store is closed")

// errFull is domain.ErrUnavailable of a disk that has no room: only writes fail.
var errFull = func() *domain.Error {
	full := *domain.ErrUnavailable
	full.Detail = "The disk of the store is full: nothing can be written at the moment, and reading goes on."
	return &full
}()

// constraints says what it means to the domain when a row would be a second one:
// SQLite names a constraint by its columns.
var constraints = map[string]*domain.Error{
	"logins.kind, logins.normal":     domain.ErrLoginTaken,
	"collections.name":               domain.ErrCollectionExists,
	"records.collection, records.id": domain.ErrRecordExists,
}

// classify gives an error of the driver its meaning in the domain, or passes it
// on. No other function looks at a result code (SQLite, "Result and Error
// Codes").
func classify(err error) error {
	if errors.Is(err, driver.ErrBadConn) {
		return domain.ErrUnavailable.Because(err)
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case codes.SQLITE_CONSTRAINT:
		for columns, known := range constraints {
			if strings.Contains(e.Error(), "failed: "+columns+" ") {
				return known.Because(err)
			}
		}
	case codes.SQLITE_FULL:
		return errFull.Because(err)
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_IOERR, codes.SQLITE_CANTOPEN,
		codes.SQLITE_READONLY, codes.SQLITE_PERM, codes.SQLITE_NOMEM, codes.SQLITE_PROTOCOL, codes.SQLITE_INTERRUPT:
		return domain.ErrUnavailable.Because(err)
	}
	return err
}

// undone returns what the members of a transaction are told that err has ended:
// whatever it is, nothing was written.
func undone(err error) *domain.Error {
	told, _ := errors.AsType[*domain.Error](classify(err))
	if told != nil && told.Detail == errFull.Detail {
		return errFull
	}
	return domain.ErrUnavailable
}

// harmless reports whether a statement that failed with err has left its
// transaction as it was: it would have broken a constraint. After any other
// failure SQLite may have rolled the whole transaction back.
func harmless(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == codes.SQLITE_CONSTRAINT
}
