package v1

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// A step is one operation of a batch.
type step struct {
	Op      string   `json:"op" enum:"create,replace,patch,delete"`
	ID      *string  `json:"id,omitempty" doc:"Of the record. To create it may be left out: then it is a new one."`
	IfMatch *string  `json:"if_match,omitempty" doc:"The ETag of the last read, with its quotation marks, or *. Not to create."`
	Data    *spelled `json:"data,omitempty" doc:"What the record is to be, or, to patch, what is merged into it (RFC 7396). Not to delete."`
}

// spelled is a JSON object that is yet to be read as a document, by whoever knows
// where in the body it stands.
type spelled []byte

// Schema implements huma.SchemaProvider.
func (spelled) Schema(r huma.Registry) *huma.Schema { return document{}.Schema(r) }

// UnmarshalJSON keeps the text.
func (s *spelled) UnmarshalJSON(text []byte) error {
	*s = append(spelled(nil), text...)
	return nil
}

// A stepDone is what became of one operation.
type stepDone struct {
	Status int     `json:"status" enum:"200,201,204" doc:"As the operation alone would have been answered."`
	ETag   string  `json:"etag,omitempty" doc:"Of the record as the operation left it."`
	Record *record `json:"record,omitempty" doc:"As the operation left it; left out where it deleted it."`
}

type batchDone struct {
	Body struct {
		Results []stepDone `json:"results" nullable:"false" doc:"One an operation, in their order."`
	}
}

func (d dialect) batches() {
	op := operation("batch-records", http.MethodPost, "/v1/collections/{name}/records:batch", "Write up to 100 records, all or none", http.StatusOK, 401, 403, 404, 409, 412, 428)
	op.Description = "The operations are done one after the other, each on what those before it left. If one fails nothing is done, and the problem is that of the first that fails: its errors begin with /operations/ and its place, counted from 0. Whether the operations can be read is judged before any of them is done."
	asked(d, op, d.batch)
}

func (d dialect) batch(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneCollection
	Body struct {
		Operations []step `json:"operations" minItems:"1" maxItems:"100" nullable:"false"`
	}
},
) (*batchDone, error) {
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return nil, err
	}
	operations := make([]resources.Operation, len(in.Body.Operations))
	for i, s := range in.Body.Operations {
		if operations[i], err = s.operation(); err != nil {
			return nil, below(fmt.Sprintf("/operations/%d", i), err)
		}
	}
	right := func(ctx context.Context) error { return d.mayBatch(ctx, who, name, operations) }
	return idempotent(ctx, d, who, right, func(d dialect) (*batchDone, error) {
		records, err := d.Resources.Batch(ctx, who, name, operations)
		if err != nil {
			return nil, err
		}
		var out batchDone
		out.Body.Results = make([]stepDone, len(records))
		for i, r := range records {
			out.Body.Results[i] = doneTo(operations[i].Verb, r)
		}
		return &out, nil
	})
}

func doneTo(verb domain.Verb, r domain.Record) stepDone {
	if verb == domain.VerbDelete {
		return stepDone{Status: http.StatusNoContent}
	}
	view := viewRecord(r)
	done := stepDone{http.StatusOK, wire.ETag(r.Revision), &view}
	if verb == domain.VerbCreate {
		done.Status = http.StatusCreated
	}
	return done
}

// mayBatch asks again for the right to a batch that was done. What has changed or
// deleted a record cannot be judged again by what that is by now, so it asks for no
// more than the right to write, and to create what was created.
func (d dialect) mayBatch(ctx context.Context, who domain.Asker, name domain.CollectionName, operations []resources.Operation) error {
	if err := who.May(domain.WriteRecords); err != nil {
		return err
	}
	for i, o := range operations {
		err := d.Resources.MayWrite(ctx, who, name, o.Verb)
		if err == nil && o.Verb == domain.VerbCreate {
			err = d.Resources.MayCreate(ctx, who, name, o.Data)
		}
		if err != nil {
			return below(fmt.Sprintf("/operations/%d", i), err)
		}
	}
	return nil
}

// operation reads what is to be done. Its failures blame members of the step.
func (s step) operation() (o resources.Operation, err error) {
	o.Verb = map[string]domain.Verb{
		"create": domain.VerbCreate, "replace": domain.VerbUpdate, "patch": domain.VerbUpdate, "delete": domain.VerbDelete,
	}[s.Op]
	o.Patch = s.Op == "patch"
	switch {
	case o.Verb == domain.VerbCreate && s.IfMatch != nil:
		return o, domain.ErrInvalidBatch.At("/if_match", "unknown-member", "want none to create")
	case o.Verb != domain.VerbCreate && (s.IfMatch == nil || *s.IfMatch == ""):
		return o, domain.ErrNoCondition.At("/if_match", "required", "want the ETag of the last read, or *")
	case s.IfMatch != nil:
		if o.Match, err = wire.IfMatch(*s.IfMatch); err != nil {
			return o, moved(err, domain.ErrInvalid, "/if_match")
		}
	}
	if o.ID, err = s.id(o.Verb); err != nil {
		return o, err
	}
	switch {
	case o.Verb == domain.VerbDelete && s.Data != nil:
		return o, domain.ErrInvalidBatch.At("/data", "unknown-member", "want none to delete")
	case o.Verb == domain.VerbDelete:
		return o, nil
	case s.Data == nil:
		return o, domain.ErrInvalidBatch.At("/data", "required", "want an object")
	}
	o.Data, err = domain.ParseDocument(*s.Data)
	return o, below("/data", err)
}

// id reads the id of a record that there is, or of one that there may be.
func (s step) id(verb domain.Verb) (domain.RecordID, error) {
	if s.ID == nil && verb == domain.VerbCreate {
		return "", nil
	}
	if s.ID == nil {
		return "", domain.ErrInvalidBatch.At("/id", "required", wantID)
	}
	id, err := domain.ParseRecordID(*s.ID)
	if err != nil {
		return "", domain.ErrInvalidBatch.At("/id", "invalid-id", wantID)
	}
	return id, nil
}

// below returns err, of which each blame, or else all of it, is of what is at path.
func below(path string, err error) error {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return err
	}
	if len(e.Fields) == 0 {
		return e.At(path, e.Code, e.Detail)
	}
	placed := *e
	placed.Fields = make([]domain.Field, len(e.Fields))
	for i, f := range e.Fields {
		placed.Fields[i] = domain.Field{Path: path + f.Path, Code: f.Code, Problem: f.Problem}
	}
	return &placed
}
