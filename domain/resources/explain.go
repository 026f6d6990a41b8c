package resources

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// An Inquiry asks whether somebody may do something, and why.
type Inquiry struct {
	Verb       domain.Verb
	Collection domain.CollectionName
	ID         domain.RecordID  // of the record; not for VerbList and VerbCreate
	Data       *domain.Document // what it would be made of, or replaced by; nil: nothing is said of it

	// Account is on whose behalf an administrator asks; "": the asker's own.
	Account domain.AccountID
}

// A Finding is the answer.
type Finding struct {
	Allowed bool
	Refusal *domain.Error   // what the request itself would be refused with; nil if it would not
	Rulings []domain.Ruling // of the rules that were asked, in that order; none of a record that they may not know of
}

// Check answers as the request itself would be answered, and says which rules
// decided, without doing anything. Of a record that the asker may not see they hear
// what they would hear if there were none; administrators hear all. It fails with
// ErrUnauthenticated, ErrCollectionNotFound or ErrAccountNotFound, and where the
// store cannot answer.
func (s *Service) Check(ctx context.Context, who domain.Asker, q Inquiry) (f Finding, err error) {
	ctx, end := s.c.Span.Begin(ctx, "resources.Check")
	defer func() { end(err) }()
	all := who.MustBe(domain.Administer, domain.Administrator) == nil
	if err := who.May(domain.ReadRecords); err != nil {
		return f, err
	}
	subject := who
	if q.Account != "" && q.Account != who.Account {
		if err := who.MustBe(domain.Administer, domain.Administrator); err != nil {
			return f, err
		}
		account, err := s.c.Store.Accounts().ByID(ctx, q.Account)
		if err != nil {
			return f, err
		}
		if account.Status != domain.Active {
			return Finding{Refusal: domain.ErrAccountSuspended}, nil
		}
		subject = domain.Asker{Account: account.ID, Roles: account.Roles}
	}
	for range attempts {
		var d *declaration
		if d, err = s.declared.read(ctx, s.c.Store.Collections(), q.Collection); err != nil {
			return Finding{}, err
		}
		f = Finding{}
		err = s.judge(ctx, d, subject, q, all, &f)
		if !errors.Is(err, domain.ErrCollectionChanged) {
			break
		}
	}
	e, ok := errors.AsType[*domain.Error](err)
	if err != nil && (!ok || e.Kind == domain.Unavailable || e.Kind == domain.Internal || e.Kind == domain.Conflict || errors.Is(e, domain.ErrCollectionNotFound)) {
		return Finding{}, err
	}
	f.Allowed, f.Refusal = err == nil, e
	return f, nil
}

// judge goes the way of the request that is asked about, up to where that would
// write.
func (s *Service) judge(ctx context.Context, d *declaration, who domain.Asker, q Inquiry, all bool, f *Finding) error {
	now := s.c.Now()
	question := domain.Question{Who: who, Now: now}
	explain := func(v domain.Verb) {
		ruling := d.rule(v).Explain(question)
		ruling.Verb = v
		f.Rulings = append(f.Rulings, ruling)
	}
	if q.Verb != domain.VerbList && q.Verb != domain.VerbRead {
		if err := who.May(domain.WriteRecords); err != nil {
			return err
		}
	}
	switch q.Verb {
	case domain.VerbList:
		f.Rulings = append(f.Rulings, ofNoRecord(d.list.Explain(question), !d.list.Never(who, now)))
		if d.list.Never(who, now) {
			return denied(who)
		}
		return nil
	case domain.VerbCreate:
		var data domain.Document
		if q.Data != nil {
			data = *q.Data
		}
		r, err := s.fresh(d, who, q.ID, data)
		question.Record = r
		explain(domain.VerbCreate)
		if q.Data == nil && errors.Is(err, domain.ErrInvalidRecord) {
			return nil
		}
		return err
	case domain.VerbRead, domain.VerbUpdate, domain.VerbDelete: // of a record that is there
	}
	r, err := s.visible(ctx, d, who, q.ID)
	if err != nil {
		if !all {
			return err
		}
		if stored, absent := s.c.Store.Records().Get(ctx, d.Ref(), q.ID); absent == nil {
			question.Record = stored
			explain(domain.VerbRead)
		}
		return err
	}
	question.Record = r
	explain(domain.VerbRead)
	if q.Verb == domain.VerbRead {
		return nil
	}
	if q.Verb == domain.VerbUpdate {
		next := r
		next.Revision++
		next.Changed = now
		if q.Data != nil {
			next.Data = *q.Data
		}
		question.Next = &next
	}
	explain(q.Verb)
	if !d.rule(q.Verb).Allows(question) {
		return denied(who)
	}
	if question.Next != nil {
		return d.schema.Check(question.Next.Data)
	}
	return nil
}

// ofNoRecord leaves of a ruling what is known without a record.
func ofNoRecord(r domain.Ruling, allowed bool) domain.Ruling {
	r.Verb, r.Allowed = domain.VerbList, allowed
	for i, c := range r.Clauses {
		about := func(x domain.Reading) bool { return strings.HasPrefix(x.Text, "record") }
		if slices.ContainsFunc(c.Readings, about) {
			r.Clauses[i].Value, r.Clauses[i].Readings = domain.Unknown, slices.DeleteFunc(c.Readings, about)
		}
	}
	return r
}
