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

// Config is what a Service is made of. All of it is required, but Span.
type Config struct {
	Store   ports.Store
	Rules   ports.RuleCompiler
	Schemas ports.SchemaCompiler
	Cursors ports.CursorSealer
	Now     func() time.Time // UTC, microseconds
	NewID   func() string    // a new UUIDv7

	Span ports.Span // of each verb; nil: nothing is traced
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
	declared *declarations
	feed     *feed
	tally    *tally
}

// New returns a Service over c.
func New(c Config) *Service {
	return &Service{c, &declarations{rules: c.Rules, schemas: c.Schemas, known: make(map[domain.CollectionName]*declaration)}, newFeed(), new(tally)}
}

// On returns the service as it works on another store, such as one transaction of
// its own (ports.Within).
func (s *Service) On(store ports.Store) *Service {
	c := s.c
	c.Store = store
	return &Service{c, s.declared, s.feed, s.tally}
}

// attempts bounds how often an operation that lost a race is tried.
const attempts = 5

// Get returns a record. It fails with ErrCollectionNotFound, ErrRecordNotFound
// or ErrUnauthenticated.
func (s *Service) Get(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID) (r domain.Record, err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Get")
	defer func() { end(err) }()
	if err := who.May(domain.ReadRecords); err != nil {
		return r, err
	}
	err = s.declared.use(ctx, s.c.Store.Collections(), name, func(d *declaration) error {
		r, err = s.visible(ctx, d, who, id)
		return err
	})
	return r, err
}

// visible returns a record that the read rule shows to the asker.
func (s *Service) visible(ctx context.Context, d *declaration, who domain.Asker, id domain.RecordID) (domain.Record, error) {
	now := s.c.Now()
	if who.Stranger() && d.read.Never(who, now) {
		return domain.Record{}, domain.ErrUnauthenticated
	}
	r, err := s.c.Store.Records().Get(ctx, d.Ref(), id)
	if err == nil && !d.read.Allows(domain.Question{Who: who, Record: r, Now: now}) {
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
func (s *Service) Create(ctx context.Context, who domain.Asker, name domain.CollectionName, data domain.Document) (domain.Record, error) {
	return s.CreateAs(ctx, who, name, domain.RecordID(s.c.NewID()), data)
}

// CreateAs stores a new record under an id that the asker chose. It fails as Create
// does, and with ErrRecordExists, which tells that there is a record of that id,
// whether or not they may see it.
func (s *Service) CreateAs(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, data domain.Document) (r domain.Record, err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Create")
	defer func() { end(err) }()
	if err := who.May(domain.WriteRecords); err != nil {
		return r, err
	}
	err = s.declared.use(ctx, s.c.Store.Collections(), name, func(d *declaration) error {
		if r, err = s.fresh(d, who, id, data); err != nil {
			return err
		}
		return s.c.Store.Records().Add(ctx, d.Ref(), r, d.Entries(r, r.Created))
	})
	if err != nil {
		return domain.Record{}, err
	}
	return r, nil
}

// MayCreate fails as Create would, but for what is stored.
func (s *Service) MayCreate(ctx context.Context, who domain.Asker, name domain.CollectionName, data domain.Document) error {
	if err := who.May(domain.WriteRecords); err != nil {
		return err
	}
	d, err := s.declared.read(ctx, s.c.Store.Collections(), name)
	if err == nil {
		_, err = s.fresh(d, who, "", data)
	}
	return err
}

// MayWrite fails for whoever may not do what the verb says with any record whatever,
// as far as that is known without one.
func (s *Service) MayWrite(ctx context.Context, who domain.Asker, name domain.CollectionName, verb domain.Verb) error {
	if err := who.May(domain.WriteRecords); err != nil {
		return err
	}
	d, err := s.declared.read(ctx, s.c.Store.Collections(), name)
	if err == nil && d.rule(verb).Never(who, s.c.Now()) {
		err = denied(who)
	}
	return err
}

// fresh returns a record as it would be created.
func (s *Service) fresh(d *declaration, who domain.Asker, id domain.RecordID, data domain.Document) (domain.Record, error) {
	now := s.c.Now()
	r := domain.Record{ID: id, Owner: who.Account, Data: data, Revision: 1, Created: now, Changed: now}
	if !d.create.Allows(domain.Question{Who: who, Record: r, Now: now}) {
		return r, denied(who)
	}
	return r, d.schema.Check(data)
}

// Replace gives a record new data, if its revision is match; 0 stands for
// whatever is there. It fails as Get and Create do, and with ErrStale.
func (s *Service) Replace(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, match domain.Revision, data domain.Document) (_ domain.Record, err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Replace")
	defer func() { end(err) }()
	return s.update(ctx, who, name, id, match, func(domain.Document) (domain.Document, error) { return data, nil })
}

// Patch applies a merge patch (RFC 7396) to a record's data, if its revision is
// match; 0 stands for whatever is there. It fails as Replace does: the data is
// judged as the patch leaves it.
func (s *Service) Patch(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, match domain.Revision, patch domain.Document) (_ domain.Record, err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Patch")
	defer func() { end(err) }()
	return s.update(ctx, who, name, id, match, func(d domain.Document) (domain.Document, error) { return d.Merge(patch) })
}

func (s *Service) update(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, match domain.Revision, edit func(domain.Document) (domain.Document, error)) (next domain.Record, err error) {
	err = s.write(ctx, who, name, id, match, func(d *declaration, r domain.Record) error {
		next = r
		next.Changed = s.c.Now()
		next.Revision++
		if next.Data, err = edit(r.Data); err != nil {
			return err
		}
		if !d.update.Allows(domain.Question{Who: who, Record: r, Next: &next, Now: next.Changed}) {
			return denied(who)
		}
		if match != 0 && match != r.Revision {
			return domain.ErrStale
		}
		if err := d.schema.Check(next.Data); err != nil {
			return err
		}
		written := next
		written.Revision = r.Revision
		return s.c.Store.Records().Replace(ctx, d.Ref(), written, d.Entries(next, next.Changed))
	})
	if err != nil {
		return domain.Record{}, err
	}
	return next, nil
}

// Delete removes a record, if its revision is match; 0 stands for whatever is
// there. It fails as Get does, and with ErrNotAllowed or ErrStale.
func (s *Service) Delete(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, match domain.Revision) (err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Delete")
	defer func() { end(err) }()
	return s.write(ctx, who, name, id, match, func(d *declaration, r domain.Record) error {
		now := s.c.Now()
		if !d.remove.Allows(domain.Question{Who: who, Record: r, Now: now}) {
			return denied(who)
		}
		if match != 0 && match != r.Revision {
			return domain.ErrStale
		}
		var event time.Time
		if d.Watch {
			event = now
		}
		return s.c.Store.Records().Remove(ctx, d.Ref(), id, r.Revision, event)
	})
}

// write runs f on a record that the asker may see. f judges it, and writes on the
// revision that was judged, so that nothing comes in between; without a match it
// is judged and written again.
func (s *Service) write(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.RecordID, match domain.Revision, f func(*declaration, domain.Record) error) (err error) {
	if err := who.May(domain.WriteRecords); err != nil {
		return err
	}
	for range attempts {
		err = s.declared.use(ctx, s.c.Store.Collections(), name, func(d *declaration) error {
			r, err := s.visible(ctx, d, who, id)
			if err != nil {
				return err
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
