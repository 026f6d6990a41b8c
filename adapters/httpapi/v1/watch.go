package v1

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"path"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

func (d dialect) watching() {
	op := operation("watch-records", http.MethodGet, "/v1/collections/{name}/records:watch", "Watch what becomes of the records that you may read", http.StatusOK, 401, 403, 404, 409)
	op.Description = "Server-sent events (HTML Living Standard, section 9.2) from now on, or from the event whose id is given: each once, in one order, and none is left out, for an hour back. The data of created and changed is the record as it became, that of deleted its id alone. A change that shows a record to you is told as created, one that hides it as deleted. reset says that events may have been missed: read again what you keep.\n\n" +
		"end is the last event, and has no id. With the code reconnect the server stops, or the collection is gone: come again, with the id of the last event. Any other code is that of a problem, such as invalid-token when the access token has expired or was revoked: come again with a new one. Who does not read for ten seconds is dropped.\n\n" +
		"The EventSource of browsers cannot send the Authorization header; read the stream with fetch, or with a library that does. No token belongs into a URL."
	op.Responses = map[string]*huma.Response{"200": {
		Description: "Events, each with event: created, changed, deleted, reset or end.",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	asked(d, op, d.watchRecords)
}

func (d dialect) watchRecords(_ context.Context, _ domain.Asker, in *struct {
	Caller
	OneCollection
	Filtering
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that came: those behind it are told first."`
	After       string `query:"last_event_id" maxLength:"1024" doc:"The same, for who cannot set the header, which comes first."`
},
) (*huma.StreamResponse, error) {
	if err := in.Filtering.check(); err != nil {
		return nil, err
	}
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return nil, err
	}
	headers := http.Header{"Content-Type": {"text/event-stream"}, "X-Accel-Buffering": {"no"}}
	return lasting(headers, func(ctx context.Context, x *exchange) error {
		x.quiet()
		t, ask, asked := teller{x: x}, d.caller(x, in.Authorization), 0
		caller := func(ctx context.Context) (domain.Asker, error) {
			who, err := ask(ctx)
			if asked++; err == nil && asked == 2 { // who is asked about again was let in
				err = t.open()
			}
			return who, err
		}
		err := d.Resources.Watch(ctx, caller, name, in.Filter, cmp.Or(in.LastEventID, in.After), t.tell)
		switch {
		case wire.Lasting(ctx).Err() != nil: // the client has gone, as clients do
			return nil
		case x.broken != nil:
			return x.broken
		case err != nil && !x.begun:
			return err
		}
		return t.end(ctx, err)
	}), nil
}

// A teller writes events.
type teller struct {
	x    *exchange
	text bytes.Buffer // of the next one
}

// retry is how long clients wait before they come again, in milliseconds.
const retry = "1000"

// open sends the headers, and how long to wait before coming again.
func (t *teller) open() error {
	if t.x.begun {
		return nil
	}
	t.text.WriteString("retry: " + retry + "\n\n")
	return t.send()
}

func (t *teller) tell(n resources.Notice) error {
	if err := t.open(); err != nil {
		return err
	}
	t.text.WriteString("id: " + n.ID + "\n")
	switch {
	case n.Reset:
		return t.event("reset", struct{}{})
	case n.Kind == "": // without data there is no event, but the id is taken
		t.text.WriteString(": nothing new\n\n")
		return t.send()
	case n.Kind == domain.RecordDeleted:
		return t.event(string(n.Kind), gone{n.Record.ID})
	}
	return t.event(string(n.Kind), viewRecord(n.Record))
}

// gone is what is told of a record that was deleted.
type gone struct {
	ID domain.RecordID `json:"id"`
}

// end says why there is no more to come.
func (t *teller) end(ctx context.Context, why error) error {
	if err := t.open(); err != nil {
		return err
	}
	code := "reconnect"
	if why != nil {
		code = path.Base(wire.ProblemOf(ctx, why).Type)
	}
	return t.event("end", struct {
		Code string `json:"code"`
	}{code})
}

// event writes an event whose data is v.
func (t *teller) event(name string, v any) error {
	t.text.WriteString("event: " + name + "\ndata: ")
	if err := wire.Marshal(&t.text, v); err != nil { // ends the line
		return err
	}
	t.text.WriteByte('\n')
	return t.send()
}

// send writes the text, at once.
func (t *teller) send() error {
	defer t.text.Reset()
	if _, err := t.x.Write(t.text.Bytes()); err != nil {
		return err
	}
	return t.x.Flush()
}
