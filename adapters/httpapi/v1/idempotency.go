package v1

import (
	"bytes"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/receipts"
)

// The headers of a request that may be sent again
// (draft-ietf-httpapi-idempotency-key-header).
const (
	retryHeader    = "Idempotency-Key"
	replayedHeader = "Idempotency-Replayed"
)

// An attempt is what a request that may be sent again is known by.
type attempt struct {
	keys   []string
	route  string
	body   []byte      // and the query: all that is asked, to the byte
	answer http.Header // of the answer
}

type attemptKey struct{}

// attempted returns r, with an Idempotency-Key, as a request that may be sent again.
// The key is looked at only where there is something to do once.
func attempted(w http.ResponseWriter, r *http.Request, body []byte) *http.Request {
	a := &attempt{
		keys: r.Header.Values(retryHeader), route: r.Method + " " + r.URL.Path,
		body: append([]byte(r.URL.RawQuery+"\n"), body...), answer: w.Header(),
	}
	return r.WithContext(context.WithValue(r.Context(), attemptKey{}, a))
}

// idempotent has an effect, and answers with what it returns. Where the request bears an
// Idempotency-Key the effect is had once: who sends the request again gets the same
// answer, if right, which is asked then, does not fail. effect works through the
// dialect that it is given, and may be run again.
func idempotent[O any](ctx context.Context, d dialect, who domain.Asker, right func(context.Context) error, effect func(dialect) (*O, error)) (*O, error) {
	a, retried := ctx.Value(attemptKey{}).(*attempt)
	if !retried {
		return effect(d)
	}
	if len(a.keys) != 1 {
		return nil, domain.ErrInvalidIdempotencyKey.At(retryHeader, "repeated", "want one")
	}
	key, err := domain.ParseIdempotencyKey(a.keys[0])
	if err != nil {
		return nil, domain.ErrInvalidIdempotencyKey.At(retryHeader, "invalid", "want 1 to 255 visible ASCII characters")
	}
	r := receipts.Request{Key: key, Caller: who, Route: a.route, Body: a.body}
	answer, replayed, err := d.Receipts.Once(ctx, r, right, func(store receipts.Store) ([]byte, error) {
		in := d
		in.Accounts, in.Resources = d.Accounts.On(store), d.Resources.On(store)
		out, err := effect(in)
		if err != nil {
			return nil, err
		}
		var text bytes.Buffer
		err = wire.Marshal(&text, out)
		return text.Bytes(), err
	})
	if err != nil {
		return nil, err
	}
	out := new(O)
	if err := wire.Unmarshal(answer, out); err != nil {
		return nil, err
	}
	if replayed {
		a.answer.Set(replayedHeader, "true")
	}
	return out, nil
}

// describeRetries tells the document what may be sent again.
func (d dialect) describeRetries() {
	doc := d.api.OpenAPI()
	text := &huma.Schema{Type: huma.TypeString}
	for _, path := range []string{
		"/v1/accounts", "/v1/collections", "/v1/collections/{name}/records", "/v1/collections/{name}/records:batch",
	} {
		op := doc.Paths[path].Post
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: retryHeader, In: "header", Schema: text,
			Description: "1 to 255 visible ASCII characters, such as a UUID: a name for this request. Sent again with the same name and to the byte the same, by the same caller within 24 hours, it has no other effect and gets the same answer. A refusal is not kept. With another body it is refused (422), and while the first still runs (409).",
		})
		for status, answer := range op.Responses {
			if status != "200" && status != "201" {
				continue
			}
			if answer.Headers == nil {
				answer.Headers = make(map[string]*huma.Param)
			}
			answer.Headers[replayedHeader] = &huma.Param{Schema: text, Description: "true, where the answer is that to an earlier request with the same " + retryHeader + "."}
		}
	}
}
