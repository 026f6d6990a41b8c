package v1

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// A record is one document of a collection.
type record struct {
	ID        domain.RecordID   `json:"id" format:"uuid"`
	Owner     *domain.AccountID `json:"owner" format:"uuid" doc:"The account that made it; null if it was a stranger, or is gone."`
	Revision  domain.Revision   `json:"revision"`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
	Data      document          `json:"data"`
}

// AppendJSON implements wire.Appender. A page has up to 200 records: to look at each of
// their members by its type, and at the data once more, took a third of its time.
func (r record) AppendJSON(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = appendText(b, string(r.ID))
	b = append(b, `,"owner":`...)
	if r.Owner == nil {
		b = append(b, "null"...)
	} else {
		b = appendText(b, string(*r.Owner))
	}
	b = strconv.AppendInt(append(b, `,"revision":`...), int64(r.Revision), 10)
	b = appendTime(append(b, `,"created_at":`...), r.CreatedAt)
	b = appendTime(append(b, `,"updated_at":`...), r.UpdatedAt)
	b = append(append(b, `,"data":`...), r.Data.Text()...)
	return append(b, '}')
}

// appendText appends a text of ours, which is UTF-8.
func appendText(b []byte, text string) []byte {
	b, _ = jsontext.AppendQuote(b, text)
	return b
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

func viewRecord(r domain.Record) record {
	out := record{r.ID, &r.Owner, r.Revision, r.Created, r.Changed, document{r.Data}}
	if r.Owner == "" {
		out.Owner = nil
	}
	return out
}

// A kept is one record with its entity tag.
type kept struct {
	Status       int
	ETag         string `header:"ETag"`
	Location     string `header:"Location"`
	CacheControl string `header:"Cache-Control"`
	Body         record
}

func keptRecord(r domain.Record) *kept {
	return &kept{Status: http.StatusOK, ETag: wire.ETag(r.Revision), Body: viewRecord(r)}
}

// madeRecord says a record that was not there before.
func madeRecord(name domain.CollectionName, r domain.Record) *kept {
	out := keptRecord(r)
	out.Status, out.Location = http.StatusCreated, "/v1/collections/"+string(name)+"/records/"+string(r.ID)
	return out
}

// dataBody is what a record is made of by its author.
type dataBody struct {
	Data document `json:"data"`
}

// OneRecord is embedded in the input of what is done to one record.
type OneRecord struct {
	OneCollection
	ID string `path:"id"`
}

// wantID is what is wanted of an id that whoever asks has chosen, or asks about.
const wantID = "want a UUID in its usual form, with lower-case letters"

// parse reads both parts of a record's URL.
func (in OneRecord) parse() (domain.CollectionName, domain.RecordID, error) {
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return "", "", err
	}
	id, err := domain.ParseRecordID(in.ID)
	return name, id, err
}

func (d dialect) records() {
	const all, one = "/v1/collections/{name}/records", "/v1/collections/{name}/records/{id}"
	asked(d, operation("list-records", http.MethodGet, all, "List the records that you may see", http.StatusOK, 401, 403, 404), d.listRecords)
	asked(d, operation("create-record", http.MethodPost, all, "Create a record", http.StatusCreated, 401, 403, 404, 409), d.createRecord)
	asked(d, operation("read-record", http.MethodGet, one, "Read a record", http.StatusOK, 401, 404), d.readRecord)
	asked(d, operation("replace-record", http.MethodPut, one, "Replace the data of a record, or create it under an id of your own", http.StatusOK, 401, 403, 404, 409, 412, 428), d.replaceRecord)
	asked(d, operation("patch-record", http.MethodPatch, one, "Merge into the data of a record (RFC 7396)", http.StatusOK, 401, 403, 404, 409, 412, 428), d.patchRecord)
	asked(d, operation("delete-record", http.MethodDelete, one, "Delete a record", http.StatusNoContent, 401, 403, 404, 412, 428), d.deleteRecord)
	alike(d.api.OpenAPI().Paths[one].Put, http.StatusCreated, "It is created.")
}

func (d dialect) createRecord(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneCollection
	Body dataBody
},
) (*kept, error) {
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return nil, err
	}
	data := in.Body.Data.Document
	right := func(ctx context.Context) error { return d.Resources.MayCreate(ctx, who, name, data) }
	return idempotent(ctx, d, who, right, func(d dialect) (*kept, error) {
		r, err := d.Resources.Create(ctx, who, name, data)
		if err != nil {
			return nil, err
		}
		return madeRecord(name, r), nil
	})
}

func (d dialect) readRecord(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneRecord
	Showing
	Freshness
},
) (*kept, error) {
	if err := in.Showing.check(); err != nil {
		return nil, err
	}
	name, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	r, err := d.Resources.Get(ctx, who, name, id)
	if err != nil {
		return nil, err
	}
	out := keptRecord(r)
	if out.Body, err = in.view(r); err != nil {
		return nil, err
	}
	if who.Stranger() {
		out.CacheControl = "no-cache"
	}
	if !wire.NoneMatch(in.IfNoneMatch, r.Revision) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

func (d dialect) replaceRecord(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneRecord
	Placing
	Body dataBody
},
) (*kept, error) {
	match, create, err := in.condition()
	if err != nil {
		return nil, err
	}
	if create {
		return d.placeRecord(ctx, who, in.OneRecord, in.Body.Data.Document)
	}
	name, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	r, err := d.Resources.Replace(ctx, who, name, id, match, in.Body.Data.Document)
	if err != nil {
		return nil, err
	}
	return keptRecord(r), nil
}

// placeRecord creates a record under the id in its URL, which the client has chosen:
// what cannot be one is a fault, and not an absence.
func (d dialect) placeRecord(ctx context.Context, who domain.Asker, where OneRecord, data domain.Document) (*kept, error) {
	name, err := domain.ParseCollectionName(where.Name)
	if err != nil {
		return nil, err
	}
	id, err := domain.ParseRecordID(where.ID)
	if err != nil {
		return nil, domain.ErrInvalid.At("id", "invalid-id", wantID)
	}
	r, err := d.Resources.CreateAs(ctx, who, name, id, data)
	if err != nil {
		return nil, err
	}
	return madeRecord(name, r), nil
}

func (d dialect) patchRecord(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneRecord
	Condition
	Body dataBody
},
) (*kept, error) {
	match, err := wire.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	name, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	r, err := d.Resources.Patch(ctx, who, name, id, match, in.Body.Data.Document)
	if err != nil {
		return nil, err
	}
	return keptRecord(r), nil
}

func (d dialect) deleteRecord(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneRecord
	Condition
},
) (*nothing, error) {
	match, err := wire.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	name, id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return &nothing{}, d.Resources.Delete(ctx, who, name, id, match)
}
