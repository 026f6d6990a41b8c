package resources

import (
	"context"
	"errors"
	"iter"

	"github.com/keyport-go/keyport/domain"
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
	t := taking{s: s, ctx: ctx, caller: caller, job: job}
	defer func() { _ = t.wait() }() // where reading panics
	var chunk []Arrival
	passed, size := int64(0), 0
	for a, err := range lines {
		if err != nil {
			return t.end(err)
		}
		if passed++; passed <= job.Lines {
			continue
		}
		chunk = append(chunk, a)
		if size += len(a.Data.Text()); len(chunk) < swath && size < maxChunk {
			continue
		}
		if err := t.take(chunk, false); err != nil {
			return t.end(err)
		}
		chunk, size = nil, 0
	}
	return t.end(t.take(chunk, true))
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
