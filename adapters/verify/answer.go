package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
)

// An inquiry is one GET.
type inquiry struct {
	url      string
	key      string        // sent as Bearer; "" for none
	patience time.Duration // until the answer begins
	most     int64         // bytes that the answer's body may have
}

// reading bounds how long an answer's body is read.
const reading = 30 * time.Second

var errSilence = errors.New("there was no answer in time")

// ask sends q and returns the answer's header and body. It fails for any status but
// 200, with a *refusal if it is an answer at all.
func (v *Verifier) ask(ctx context.Context, q inquiry) (http.Header, []byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(q.patience, func() { cancel(errSilence) })
	defer silence.Stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, q.url, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Cache-Control", "no-cache") // what a proxy has kept is no news (RFC 9111, section 5.2.1.4)
	if q.key != "" {
		r.Header.Set("Authorization", "Bearer "+q.key)
	}
	response, err := v.client.Do(r)
	if err != nil {
		return nil, nil, failure(ctx, r.URL, err)
	}
	defer response.Body.Close()
	silence.Reset(reading)
	body, err := io.ReadAll(io.LimitReader(response.Body, q.most+1))
	switch {
	case err != nil:
		return nil, nil, failure(ctx, r.URL, err)
	case int64(len(body)) > q.most:
		return nil, nil, fmt.Errorf("GET %s: the answer is longer than %d bytes", r.URL.Path, q.most)
	case response.StatusCode != http.StatusOK:
		return nil, nil, newRefusal(r.URL, response.StatusCode, body)
	}
	return response.Header, body, nil
}

// failure tells why there is no answer. It leaves out the query, which is long and
// helps nobody.
func failure(ctx context.Context, u *url.URL, err error) error {
	if known, ok := errors.AsType[*url.Error](err); ok {
		err = known.Err
	}
	if errors.Is(context.Cause(ctx), errSilence) {
		err = errSilence
	}
	return fmt.Errorf("GET %s: %w", u.Path, err)
}

// A refusal is an answer that is not 200.
type refusal struct {
	path    string
	status  int
	problem string // the type of the problem document (RFC 9457, section 3.1.1), if it is one
}

func newRefusal(u *url.URL, status int, body []byte) *refusal {
	var p struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(body, &p) // a proxy answers whatever it likes
	return &refusal{u.Path, status, p.Type[:min(len(p.Type), 200)]}
}

func (r *refusal) Error() string {
	return fmt.Sprintf("GET %s: %d %s %s", r.path, r.status, http.StatusText(r.status), r.problem)
}
