// Package resources guards collections of records: who may touch them, what
// their data looks like, and that no change is lost.
package resources

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// Config is what a Service is made of. All of it is required.
type Config struct {
	Store   ports.Store
	Rules   ports.RuleCompiler
	Schemas ports.SchemaCompiler
	Cursors ports.CursorSealer
	Now     func() time.Time // UTC, microseconds
	NewID   func() string    // a new UUIDv7
}

// A Service declares collections, and reads and writes their records on behalf
// of askers.
//
// What an asker may not know of is told as absent: a record that the read rule
// hides is ErrRecordNotFound, whatever was to be done with it. A stranger to whom
// a rule gives nothing at all is asked to sign in (ErrUnauthenticated), whether
// there is such a record or not. An access key that lacks the scope for what is
// asked is told so first (ErrOutOfScope), by every verb.
type Service struct {
	c        Config
	declared declarations
}

// New returns a Service over c.
func New(c Config) *Service {
	return &Service{c: c, declared: declarations{c: c, known: make(map[domain.CollectionName]*declaration)}}
}

// attempts bounds how often an operation that lost a race is tried.
const attempts = 5

// List returns a page of the records that the asker may list, in the order of
// their ids. It fails with ErrCollectionNotFound, ErrUnauthenticated,
// ErrNotAllowed or ErrInvalidCursor.
func (s *Service) List(ctx context.Context, who domain.Asker, name domain.CollectionName, p domain.PageRequest) (page domain.Page[domain.Record], err error) {
	if err := who.May(domain.ReadRecords); err != nil {
		return page, err
	}
	scope := "records " + string(name)
	var after string
	if p.Cursor != "" {
		if after, err = s.c.Cursors.Open(scope, p.Cursor); err != nil {
			return page, err
		}
	}
	err = s.declared.use(ctx, name, func(d *declaration) error {
		where := d.list.Where(who)
		if where == (domain.Nothing{}) {
			return denied(who)
		}
		items, err := s.c.Store.Records().List(ctx, d.Ref(), where, domain.RecordID(after), p.Size()+1)
		if err != nil {
			return err
		}
		page = domain.PageOf(items, p.Size(), func(last domain.Record) string {
			return s.c.Cursors.Seal(scope, string(last.ID))
		})
		return nil
	})
	return page, err
}

// Get returns a record. It fails with ErrCollectionNotFound, ErrRecordNotFound
// or ErrUnauthenticated.
func (s *Service) Get(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID) (r domain.Record, err error) {
	if err := who.May(domain.ReadRecords); err != nil {
		return r, err
	}
	err = s.declared.use(ctx, name, func(d *declaration) error {
		r, err = s.visible(ctx, d, who, id)
		return err
	})
	return r, err
}

// visible returns a record that the read rule shows to the asker.
func (s *Service) visible(ctx context.Context, d *declaration, who domain.Asker, id domain.RecordID) (domain.Record, error) {
	if who.Stranger() && d.read.Where(who) == (domain.Nothing{}) {
		return domain.Record{}, domain.ErrUnauthenticated
	}
	r, err := s.c.Store.Records().Get(ctx, d.Ref(), id)
	if err == nil && !d.read.Allows(who, r) {
		err = domain.ErrRecordNotFound
	}
	if err != nil {
		return domain.Record{}, err
	}
	return r, nil
}

// Create stores a new record, which belongs to the asker. It fails with
// ErrCollectionNotFound, ErrUnauthenticated, ErrNotAllowed, ErrInvalidRecord or
// ErrNotUnique.
func (s *Service) Create(ctx context.Context, who domain.Asker, name domain.CollectionName, data domain.Document) (r domain.Record, err error) {
	if err := who.May(domain.WriteRecords); err != nil {
		return r, err
	}
	now := s.c.Now()
	r = domain.Record{ID: domain.RecordID(s.c.NewID()), Owner: who.Account, Data: data, Revision: 1, Created: now, Changed: now}
	err = s.declared.use(ctx, name, func(d *declaration) error {
		if !d.create.Allows(who, r) {
			return denied(who)
		}
		if err := d.schema.Check(data); err != nil {
			return err
		}
		return s.c.Store.Records().Add(ctx, d.Ref(), r, d.Keys(r))
	})
	return r, err
}

// Replace gives a record new data, if its revision is match; 0 stands for
// whatever is there. It fails as Get and Create do, and with ErrStale.
func (s *Service) Replace(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, match domain.Revision, data domain.Document) (domain.Record, error) {
	return s.update(ctx, who, name, id, match, func(domain.Document) (domain.Document, error) { return data, nil })
}

// Patch applies a merge patch (RFC 7396) to a record's data, if its revision is
// match; 0 stands for whatever is there. It fails as Replace does: the data is
// judged as the patch leaves it.
func (s *Service) Patch(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, match domain.Revision, patch domain.Document) (domain.Record, error) {
	return s.update(ctx, who, name, id, match, func(d domain.Document) (domain.Document, error) { return d.Merge(patch) })
}

func (s *Service) update(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, match domain.Revision, edit func(domain.Document) (domain.Document, error)) (next domain.Record, err error) {
	err = s.write(ctx, who, name, id, match, updating, func(d *declaration, r domain.Record) error {
		if r.Data, err = edit(r.Data); err != nil {
			return err
		}
		if err := d.schema.Check(r.Data); err != nil {
			return err
		}
		r.Changed = s.c.Now()
		if err := s.c.Store.Records().Replace(ctx, d.Ref(), r, d.Keys(r)); err != nil {
			return err
		}
		r.Revision++
		next = r
		return nil
	})
	return next, err
}

// Delete removes a record, if its revision is match; 0 stands for whatever is
// there. It fails as Get does, and with ErrNotAllowed or ErrStale.
func (s *Service) Delete(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, match domain.Revision) error {
	return s.write(ctx, who, name, id, match, deleting, func(d *declaration, r domain.Record) error {
		return s.c.Store.Records().Remove(ctx, d.Ref(), id, r.Revision)
	})
}

func updating(d *declaration) ports.Rule { return d.update }
func deleting(d *declaration) ports.Rule { return d.remove }

// write runs f on a record that the asker may see and change. f writes on the
// revision that was judged, so that nothing comes in between; without a match it
// is judged and written again.
func (s *Service) write(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, match domain.Revision, verb func(*declaration) ports.Rule, f func(*declaration, domain.Record) error) (err error) {
	if err := who.May(domain.WriteRecords); err != nil {
		return err
	}
	for range attempts {
		err = s.declared.use(ctx, name, func(d *declaration) error {
			r, err := s.visible(ctx, d, who, id)
			if err != nil {
				return err
			}
			if !verb(d).Allows(who, r) {
				return denied(who)
			}
			if match != 0 && match != r.Revision {
				return domain.ErrStale
			}
			return f(d, r)
		})
		if match != 0 || !errors.Is(err, domain.ErrStale) {
			break
		}
	}
	return err
}

// denied says no: to a stranger that signing in may help, to others that it
// will not.
func denied(who domain.Asker) error {
	if who.Stranger() {
		return domain.ErrUnauthenticated
	}
	return domain.ErrNotAllowed
}
