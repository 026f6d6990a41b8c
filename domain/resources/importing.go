package resources

import (
	"cmp"
	"context"
	"errors"
	"iter"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// maxChunk is the most bytes of data that an import takes in one transaction, and one
// record.
const maxChunk = 4 << 20

// An Arrival is one line of an import.
type Arrival struct {
	ID    domain.RecordID // "": a new one
	Data  domain.Document
	Blank bool  // there is nothing on the line
	Err   error // why the line cannot be read; a *domain.Error
}

// Import takes records from lines, by the rules, some hundred in a transaction, and
// notes in the same how far it is. The records belong to whoever imports. A line
// that is refused is noted as a problem, and the rest goes on. caller says before
// each transaction who asks.
//
// Called again with the same id and the same lines, it passes over those that are
// dealt with: no line has an effect twice, however often an import is broken off. It
// returns how far the import is, also where it fails; and it fails as Create does
// where none of the lines can be taken, with ErrImportNotFound where the id is
// somebody else's or of another collection, and with ErrImportMoved where somebody
// takes the same import on at the same time.
func (s *Service) Import(ctx context.Context, caller Caller, name domain.CollectionName, id domain.ImportID, lines iter.Seq2[Arrival, error]) (_ domain.Import, err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Import")
	defer func() { end(err) }()
	who, err := caller(ctx)
	if err != nil {
		return domain.Import{}, err
	}
	job, err := s.job(ctx, who, name, id)
	if err != nil || job.Done {
		return job, err
	}
	s.tally.importing.Add(1)
	defer s.tally.importing.Add(-1)
	var chunk []Arrival
	passed, size := int64(0), 0
	for a, err := range lines {
		if err != nil {
			return job, err
		}
		if passed++; passed <= job.Lines {
			continue
		}
		chunk = append(chunk, a)
		if size += len(a.Data.Text()); len(chunk) < swath && size < maxChunk {
			continue
		}
		if job, err = s.take(ctx, caller, job, chunk, false); err != nil {
			return job, err
		}
		chunk, size = chunk[:0], 0
	}
	return s.take(ctx, caller, job, chunk, true)
}

// Importing returns how far an import of the asker's is. It fails with
// ErrUnauthenticated or ErrImportNotFound.
func (s *Service) Importing(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.ImportID) (domain.Import, error) {
	job, known, err := s.imported(ctx, who, name, id)
	if err == nil && !known {
		err = domain.ErrImportNotFound
	}
	return job, err
}

// imported returns an import of the asker's, if there is one of that id. It fails with
// ErrImportNotFound where that is somebody else's or of another collection.
func (s *Service) imported(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.ImportID) (job domain.Import, known bool, err error) {
	if who.Stranger() {
		return job, false, domain.ErrUnauthenticated
	}
	if err := who.May(domain.WriteRecords); err != nil {
		return job, false, err
	}
	job, err = s.c.Store.Imports().ByID(ctx, id)
	switch {
	case errors.Is(err, domain.ErrImportNotFound):
		return domain.Import{}, false, nil
	case err == nil && (job.Account != who.Account || job.Collection != name):
		return domain.Import{}, false, domain.ErrImportNotFound
	}
	return job, err == nil, err
}

// job returns an import that is under way, or a new one.
func (s *Service) job(ctx context.Context, who domain.Asker, name domain.CollectionName, id domain.ImportID) (domain.Import, error) {
	job, known, err := s.imported(ctx, who, name, id)
	if known || err != nil {
		return job, err
	}
	now := s.c.Now()
	err = s.declared.use(ctx, s.c.Store.Collections(), name, func(d *declaration) error {
		if d.create.Never(who, now) {
			return denied(who)
		}
		return nil
	})
	return domain.Import{ID: id, Account: who.Account, Collection: name, Created: now, Changed: now}, err
}

// take deals with the next lines of an import in one transaction.
func (s *Service) take(ctx context.Context, caller Caller, job domain.Import, chunk []Arrival, last bool) (domain.Import, error) {
	who, err := caller(ctx)
	if err != nil {
		return job, err
	}
	var next domain.Import
	err = s.declared.use(ctx, s.c.Store.Collections(), job.Collection, func(d *declaration) error {
		refusals := make([]error, len(chunk))
		var arrived []ports.Newcomer // those of the chunk that are not refused
		for i, a := range chunk {
			if a.Blank || a.Err != nil {
				refusals[i] = a.Err
				continue
			}
			id := a.ID
			if id == "" {
				id = domain.RecordID(s.c.NewID())
			}
			var r domain.Record
			if r, refusals[i] = s.fresh(d, who, id, a.Data); refusals[i] == nil {
				arrived = append(arrived, ports.Newcomer{Record: r, Entries: d.Entries(r, r.Created)})
			}
		}
		return s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
			// Nothing else asks the store about lines that are all refused.
			if c, err := tx.Collections().ByName(ctx, d.Name); err != nil || c.Ref() != d.Ref() {
				return cmp.Or(err, error(domain.ErrCollectionChanged))
			}
			stored, err := tx.Records().AddAll(ctx, d.Ref(), arrived)
			if err != nil {
				return err
			}
			next = job
			next.Problems = append([]domain.ImportProblem(nil), job.Problems...)
			for i, a := range chunk {
				err := refusals[i]
				if err == nil && !a.Blank {
					err, stored = stored[0], stored[1:]
					if err == nil {
						next.Stored++
					}
				}
				next.Lines++
				if err := next.Refuse(err); err != nil {
					return err
				}
			}
			next.Done, next.Changed = last, s.c.Now()
			return tx.Imports().Advance(ctx, next, job.Lines)
		})
	})
	if err != nil {
		return job, err
	}
	s.tally.stored.Add(next.Stored - job.Stored)
	s.tally.refused.Add(next.Refused - job.Refused)
	return next, nil
}
