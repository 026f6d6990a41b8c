package v1

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

func (d dialect) exports() {
	op := operation("export-records", http.MethodGet, "/v1/collections/{name}/records:export", "Export the records that you may list", http.StatusOK, 401, 403, 404)
	op.Description = "All of them come in one answer, in the order of their ids, however many they are. Each that is there all along is in it; of those that are written meanwhile some are. An export that cannot be finished breaks the connection off, as a client sees from HTTP/1.1 on: a transfer that ends well is whole. Who asks is judged again for each page.\n\n" +
		"ndjson is exact: a line is a record, as in a list. csv (RFC 4180, with a header) is for spreadsheets: its columns are id, owner, revision, created_at, updated_at and the members of data that the schema has as properties, in the order of their names; a member of the name of one of the first five is called data. and its name. Objects and lists are written as JSON; null, and what is missing, as nothing. A text that begins with =, +, -, @, a tab or a carriage return is written behind an apostrophe, so that no spreadsheet takes it for a formula."
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The records.",
		Content: map[string]*huma.MediaType{
			"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString}},
			"text/csv":             {Schema: &huma.Schema{Type: huma.TypeString}},
		},
	}}
	asked(d, op, d.exportRecords)
}

func (d dialect) exportRecords(ctx context.Context, _ domain.Asker, in *struct {
	Caller
	OneCollection
	Filtering
	Format string `query:"format" enum:"ndjson,csv" default:"ndjson"`
},
) (*huma.StreamResponse, error) {
	if err := in.Filtering.check(); err != nil {
		return nil, err
	}
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return nil, err
	}
	out := sheet(lines{})
	if in.Format == "csv" {
		c, err := d.Resources.Collection(ctx, name)
		if err != nil {
			return nil, err
		}
		out = tableOf(c.Schema)
	}
	headers := http.Header{
		"Content-Type":        {out.mediaType()},
		"Content-Disposition": {`attachment; filename="` + string(name) + "." + in.Format + `"`},
	}
	return lasting(headers, func(ctx context.Context, x *exchange) error {
		x.quiet()
		buffer := bufio.NewWriterSize(x, 32<<10)
		begun := false
		begin := func() error {
			if begun {
				return nil
			}
			begun = true
			return out.head(buffer)
		}
		err := d.Resources.Each(ctx, d.caller(x, in.Authorization), name, in.Filter, func(r domain.Record) error {
			if err := begin(); err != nil {
				return err
			}
			return out.row(buffer, r)
		})
		if err != nil {
			return err
		}
		if err := begin(); err != nil {
			return err
		}
		if err := buffer.Flush(); err != nil {
			return err
		}
		_, err = x.Write(nil) // an export of nothing has headers, too
		return err
	}), nil
}

// A sheet is a form in which records are exported.
type sheet interface {
	mediaType() string
	head(w io.Writer) error
	row(w io.Writer, r domain.Record) error
}

// lines are one JSON value each.
type lines struct{}

func (lines) mediaType() string                      { return "application/x-ndjson" }
func (lines) head(io.Writer) error                   { return nil }
func (lines) row(w io.Writer, r domain.Record) error { return wire.Marshal(w, viewRecord(r)) }

// A table is comma-separated values (RFC 4180).
type table struct {
	members []string // of the data, of which each has a column behind the fixed ones
	headers []string
}

// tableOf returns a table with a column for each property of a schema.
func tableOf(schema domain.Document) table {
	fixed := []string{"id", "owner", "revision", "created_at", "updated_at"}
	properties, _ := schema.Tree()["properties"].(map[string]any)
	t := table{members: slices.Sorted(maps.Keys(properties)), headers: fixed}
	for _, name := range t.members {
		if slices.Contains(fixed, name) {
			name = "data." + name
		}
		t.headers = append(t.headers, harmless(name))
	}
	return t
}

func (table) mediaType() string { return "text/csv; charset=utf-8; header=present" }

func (t table) head(w io.Writer) error { return writeRow(w, t.headers) }

func (t table) row(w io.Writer, r domain.Record) error {
	fields := []string{
		string(r.ID), string(r.Owner), strconv.FormatInt(int64(r.Revision), 10),
		r.Created.Format(time.RFC3339Nano), r.Changed.Format(time.RFC3339Nano),
	}
	data := r.Data.Tree()
	for _, name := range t.members {
		text, err := cell(data[name])
		if err != nil {
			return err
		}
		fields = append(fields, text)
	}
	return writeRow(w, fields)
}

// cell says a value of a document in one field.
func cell(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return harmless(v), nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// harmless returns a text that no spreadsheet takes for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// writeRow writes fields to the letter: the package encoding/csv would write other line
// ends within them.
func writeRow(w io.Writer, fields []string) error {
	var row strings.Builder
	for i, f := range fields {
		if i > 0 {
			row.WriteByte(',')
		}
		if strings.ContainsAny(f, "\",\r\n") {
			f = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
		row.WriteString(f)
	}
	row.WriteString("\r\n")
	_, err := io.WriteString(w, row.String())
	return err
}
