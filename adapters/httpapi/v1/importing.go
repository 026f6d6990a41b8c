package v1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// The bounds of the body of an import.
const (
	maxImport      = 1 << 30    // bytes
	maxImportLines = 10_000_000 // blank ones, too
	importWithin   = time.Hour  // of one request; who needs longer sends another
)

// An imported is how far an import is.
type imported struct {
	ID         domain.ImportID       `json:"id" format:"uuid"`
	Collection domain.CollectionName `json:"collection"`
	Lines      int64                 `json:"lines" doc:"That are dealt with, blank ones too."`
	Stored     int64                 `json:"stored" doc:"Of these lines, those that have become records."`
	Refused    int64                 `json:"refused" doc:"Of these lines, those that have not."`
	Done       bool                  `json:"done" doc:"Whether all lines are dealt with."`
	Problems   []importProblem       `json:"problems" nullable:"false" doc:"Why lines were refused, for the first 100 of them."`
	CreatedAt  time.Time             `json:"created_at"`
	UpdatedAt  time.Time             `json:"updated_at"`
}

type importProblem struct {
	Line   int64        `json:"line" doc:"The first is 1."`
	Code   string       `json:"code" doc:"As in the type of a problem: its page stands at /problems/ and the code."`
	Detail string       `json:"detail"`
	Errors []wire.Fault `json:"errors,omitempty" doc:"What is at fault on the line."`
}

func viewImport(i domain.Import) imported {
	out := imported{i.ID, i.Collection, i.Lines, i.Stored, i.Refused, i.Done, make([]importProblem, len(i.Problems)), i.Created, i.Changed}
	for n, p := range i.Problems {
		out.Problems[n] = importProblem{Line: p.Line, Code: p.Code, Detail: p.Detail}
		for _, f := range p.Fields {
			out.Problems[n].Errors = append(out.Problems[n].Errors, wire.Fault{Pointer: f.Path, Code: f.Code, Detail: f.Problem})
		}
	}
	return out
}

func (d dialect) imports() {
	op := operation("read-import", http.MethodGet, "/v1/collections/{name}/imports/{id}", "Read how far an import of yours is", http.StatusOK, 401, 403, 404)
	op.Tags = []string{"records"}
	asked(d, op, d.readImport)
}

func (d dialect) readImport(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneCollection
	ID string `path:"id"`
},
) (*struct{ Body imported }, error) {
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return nil, err
	}
	id, err := domain.ParseImportID(in.ID)
	if err != nil && !who.Stranger() {
		return nil, err
	}
	job, err := d.Resources.Importing(ctx, who, name, id)
	if err != nil {
		return nil, err
	}
	return &struct{ Body imported }{viewImport(job)}, nil
}

// importing adds the operation whose body is not read before it is done, to a router
// that leaves it alone.
func (d dialect) importing(r chi.Router) {
	c := describe("")
	c.OpenAPI = d.api.OpenAPI()
	d.api = humachi.New(r, c)
	text := &huma.Schema{Type: huma.TypeString}
	op := operation("import-records", http.MethodPost, "/v1/collections/{name}/records:import", "Import records from lines of JSON", http.StatusOK, 401, 403, 404, 409, 413, 415)
	op.Description = "Each line is an object with data and, if you choose it, the id; what else an export has on a line is let through and not used: the records are yours, and new. Blank lines are passed over. A line has at most 1 MiB; there are at most 10,000,000, of 1 GiB in all, and a request lasts at most an hour. The lines are taken some hundred at a time, as they come; who asks is judged again each time. A line that is refused is noted, and the rest goes on.\n\n" +
		"Whatever breaks an import off, what was taken stays. Send the same lines again with the same id: those that were dealt with are passed over, so that no line has an effect twice. The id is remembered for seven days."
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-ndjson": {Schema: text}}}
	location := map[string]*huma.Param{"Location": {Schema: text, Description: "Where it can be read how far the import is; of a refusal too, once lines may have been taken."}}
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The import, done.", Headers: location,
		Content: map[string]*huma.MediaType{"application/json": {Schema: c.Components.Schemas.Schema(reflect.TypeFor[imported](), true, "")}},
	}}
	asked(d, op, d.importRecords)
}

func (d dialect) importRecords(ctx context.Context, _ domain.Asker, in *struct {
	Caller
	OneCollection
	ID string `query:"id" doc:"A UUID that you choose to name the import by, before anything can break off; of one that was broken off, to go on. The id of the request if left out."`
},
) (*huma.StreamResponse, error) {
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return nil, err
	}
	id := domain.ImportID(wire.RequestOf(ctx).ID)
	if in.ID != "" {
		if id, err = domain.ParseImportID(in.ID); err != nil {
			return nil, domain.ErrInvalid.At("id", "invalid-id", wantID)
		}
	}
	return lasting(http.Header{"Content-Type": {"application/json"}}, func(ctx context.Context, x *exchange) error {
		switch {
		case wire.MediaType(x.r) != "application/x-ndjson":
			return wire.WrongType
		case x.r.ContentLength > maxImport:
			return errImportTooLarge
		}
		ctx, cancel := context.WithTimeout(ctx, importWithin)
		defer cancel()
		body := io.LimitReader(x, maxImport+1)
		read := false // a line, which nobody asks for who may not import
		lines := func(yield func(resources.Arrival, error) bool) {
			read = true
			arrivals(body)(yield)
		}
		job, err := d.Resources.Import(ctx, d.caller(x, in.Authorization), name, id, lines)
		if read || err == nil {
			x.w.Header().Set("Location", "/v1/collections/"+string(name)+"/imports/"+string(id))
		}
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, body); err != nil { // of one that was done before
			return domain.ErrMalformed.Because(err)
		}
		return wire.Marshal(x, viewImport(job))
	}), nil
}

var (
	errImportTooLarge = domain.ErrTooLarge.At("", "too-large", "want at most 10,000,000 lines, of 1 GiB in all")
	errLineTooLong    = domain.ErrTooLarge.At("", "too-large", "want at most 1 MiB a line")
)

// arrivals reads lines. It ends with an error where body breaks off, and where there
// are more lines or bytes than an import has.
func arrivals(body io.Reader) iter.Seq2[resources.Arrival, error] {
	return func(yield func(resources.Arrival, error) bool) {
		in, read := bufio.NewReaderSize(body, 64<<10), int64(0)
		var line []byte
		for n := 1; ; n++ {
			var err error
			var long int64
			line, long, err = nextLine(in, line[:0])
			read += long
			switch {
			case read > maxImport || n > maxImportLines && long > 0:
				yield(resources.Arrival{}, errImportTooLarge)
				return
			case err != nil && !errors.Is(err, io.EOF):
				yield(resources.Arrival{}, domain.ErrMalformed.Because(err))
				return
			case long > 0 && !yield(arrival(line), nil):
				return
			case err != nil:
				return
			}
		}
	}
}

// nextLine reads one line into line, which it returns without its end, and says how
// long it was with it. Of one that is too long it keeps a byte more than may be.
func nextLine(in *bufio.Reader, line []byte) (_ []byte, long int64, err error) {
	for {
		piece, err := in.ReadSlice('\n')
		long += int64(len(piece))
		piece = bytes.TrimSuffix(piece, []byte("\n"))
		line = append(line, piece[:min(len(piece), wire.MaxBody+1-len(line))]...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}

// arrival reads a line.
func arrival(line []byte) resources.Arrival {
	var a resources.Arrival
	if a.Blank = len(bytes.TrimLeft(line, " \t\r")) == 0; !a.Blank {
		a.ID, a.Data, a.Err = readLine(line)
	}
	return a
}

func readLine(line []byte) (id domain.RecordID, data domain.Document, err error) {
	if len(line) > wire.MaxBody {
		return "", data, errLineTooLong
	}
	if err := wire.CheckJSON(line); err != nil {
		return "", data, err
	}
	var in struct {
		ID   *string        `json:"id"`
		Data jsontext.Value `json:"data"`

		Owner     jsontext.Value `json:"owner"`
		Revision  jsontext.Value `json:"revision"`
		CreatedAt jsontext.Value `json:"created_at"`
		UpdatedAt jsontext.Value `json:"updated_at"`

		Unknown jsontext.Value `json:",embed"`
	}
	if err := wire.Unmarshal(line, &in); err != nil {
		return "", data, domain.ErrInvalid.At("", "wrong-type", "want an object whose id, if it has one, is a text").Because(err)
	}
	switch {
	case in.Unknown != nil:
		return "", data, domain.ErrInvalid.At("", "unknown-member", "want data and id, and nothing else but what an export has")
	case in.Data == nil:
		return "", data, domain.ErrInvalid.At("/data", "required", "want an object")
	case in.ID != nil:
		if id, err = domain.ParseRecordID(*in.ID); err != nil {
			return "", data, domain.ErrInvalid.At("/id", "invalid-id", wantID)
		}
	}
	data, err = domain.ParseDocument(in.Data)
	return id, data, below("/data", err)
}
