package resources

import (
	"cmp"
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A taking deals with the lines of an import: while some are stored, the next are read
// and judged.
type taking struct {
	s      *Service
	ctx    context.Context
	caller Caller
	job    domain.Import // as far as it is known to be

	under chan taken // tells what comes of the storing that is under way; nil: none is
}

// taken is what came of a storing.
type taken struct {
	job      domain.Import
	err      error
	panicked any
}

// take judges the next lines, waits until those before are stored, and has these stored
// in one transaction. It fails as that of those before does.
func (t *taking) take(chunk []Arrival, last bool) error {
	who, err := t.caller(t.ctx)
	if err != nil {
		return err
	}
	var ahead judged
	if d, remembered := t.s.declared.remembered(t.job.Collection); remembered {
		ahead = t.s.assess(d, who, chunk)
	}
	if err := t.wait(); err != nil {
		return err
	}
	under := make(chan taken, 1)
	t.under = under
	go func() {
		done := taken{job: t.job}
		defer func() {
			done.panicked = recover()
			under <- done
		}()
		done.job, done.err = t.s.store(t.ctx, who, t.job, chunk, ahead, last)
	}()
	return nil
}

// wait waits until nothing is being stored, and returns why the last was not. A panic of
// the storing's is the caller's.
func (t *taking) wait() error {
	if t.under == nil {
		return nil
	}
	done := <-t.under
	t.under = nil
	if done.panicked != nil {
		panic(done.panicked)
	}
	t.job = done.job
	return done.err
}

// end waits likewise, and returns how far the import is, and err or else why the last
// lines were not stored.
func (t *taking) end(err error) (domain.Import, error) {
	waited := t.wait()
	return t.job, cmp.Or(err, waited)
}

// judged is what a declaration says of lines.
type judged struct {
	by       *declaration
	at       time.Time        // the records say that they were written then, or a little later
	refusals []error          // by line
	arrived  []ports.Newcomer // of those that are not refused, and not blank
}

func (s *Service) assess(d *declaration, who domain.Asker, chunk []Arrival) judged {
	j := judged{by: d, at: s.c.Now(), refusals: make([]error, len(chunk))}
	for i, a := range chunk {
		if a.Blank || a.Err != nil {
			j.refusals[i] = a.Err
			continue
		}
		id := a.ID
		if id == "" {
			id = domain.RecordID(s.c.NewID())
		}
		var r domain.Record
		if r, j.refusals[i] = s.fresh(d, who, id, a.Data); j.refusals[i] == nil {
			j.arrived = append(j.arrived, ports.Newcomer{Record: r, Entries: d.Entries(r, r.Created)})
		}
	}
	return j
}

// store stores lines in one transaction. They are judged anew where what they were
// judged by does not hold, or the lines before took long to store: who tightens a schema
// looks for late records by when they say that they were written.
func (s *Service) store(ctx context.Context, who domain.Asker, job domain.Import, chunk []Arrival, j judged, last bool) (domain.Import, error) {
	var next domain.Import
	err := s.declared.use(ctx, s.c.Store.Collections(), job.Collection, func(d *declaration) error {
		if j.by != d || s.c.Now().Sub(j.at) > skew/2 {
			j = s.assess(d, who, chunk)
		}
		return s.c.Store.Atomically(ctx, func(tx ports.Repositories) error {
			// Nothing else asks the store about lines that are all refused.
			if c, err := tx.Collections().ByName(ctx, d.Name); err != nil || c.Ref() != d.Ref() {
				return cmp.Or(err, error(domain.ErrCollectionChanged))
			}
			stored, err := tx.Records().AddAll(ctx, d.Ref(), j.arrived)
			if err != nil {
				return err
			}
			next = job
			next.Problems = append([]domain.ImportProblem(nil), job.Problems...)
			for i, a := range chunk {
				err := j.refusals[i]
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
