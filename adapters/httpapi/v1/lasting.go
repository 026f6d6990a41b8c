package v1

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// The bounds of an exchange, which may take longer than a request: it goes on for as
// long as it moves.
const (
	writeWithin = 10 * time.Second // the longest that a piece of the answer waits for its reader
	readWithin  = 30 * time.Second // the longest that a piece of the body is waited for
	stepWithin  = time.Minute      // the longest from one step to the next, whatever it waits for
)

// An exchange is a request whose body, or whose answer, is a stream. It is an io.Reader
// of the one and an io.Writer of the other.
type exchange struct {
	r       *http.Request
	w       http.ResponseWriter
	control *http.ResponseController
	stalled *time.Timer

	headers http.Header // of the answer, if it is no problem
	begun   bool        // whether something of the answer was written
	broken  error       // why no more of it can be
}

// errHeadOnly ends the answer to a HEAD behind its headers.
var errHeadOnly = errors.New("v1: only the head was asked for")

// lasting answers by f, whose context ends when the client goes or nothing moves any
// more. headers are those of the answer. What f fails with before it has written
// anything is told as a problem. Afterwards the connection is broken off, so that
// nobody takes what came for all there is: that shows from HTTP/1.1 on.
func lasting(headers http.Header, f func(ctx context.Context, x *exchange) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humachi.Unwrap(hc)
		ctx, cancel := context.WithCancel(wire.Lasting(r.Context()))
		defer cancel()
		x := &exchange{r: r, w: w, control: http.NewResponseController(w), headers: headers, stalled: time.AfterFunc(stepWithin, cancel)}
		defer x.stalled.Stop()
		defer x.heed() // the server reads what is left of the body
		err := f(ctx, x)
		switch {
		case err == nil, errors.Is(err, errHeadOnly):
		case x.begun:
			wire.RequestOf(ctx).Cause = err
			panic(http.ErrAbortHandler)
		default:
			x.wait()
			wire.ProblemOf(ctx, err).Write(w)
		}
	}}
}

// caller asks who bears the credentials, at each step anew.
func (d dialect) caller(x *exchange, authorization string) resources.Caller {
	return func(ctx context.Context) (domain.Asker, error) {
		x.stalled.Reset(stepWithin)
		return d.asker(ctx, authorization)
	}
}

// quiet lets the client say nothing more: the server takes a connection on which
// nothing came in time for one that the client has left.
func (x *exchange) quiet() { _ = x.control.SetReadDeadline(time.Time{}) }

// heed gives the sender of the body their time, from now on.
func (x *exchange) heed() { _ = x.control.SetReadDeadline(time.Now().Add(readWithin)) }

// wait gives the reader of the answer their time, from now on. What is no connection,
// as in a test, has none.
func (x *exchange) wait() { _ = x.control.SetWriteDeadline(time.Now().Add(writeWithin)) }

// Write implements io.Writer.
func (x *exchange) Write(p []byte) (int, error) {
	if x.broken != nil {
		return 0, x.broken
	}
	x.stalled.Reset(stepWithin)
	x.wait()
	if !x.begun {
		x.begun = true
		for name, values := range x.headers {
			x.w.Header()[name] = values
		}
		x.w.WriteHeader(http.StatusOK)
		if x.r.Method == http.MethodHead {
			x.broken = errHeadOnly
			return 0, x.broken
		}
	}
	n, err := x.w.Write(p)
	x.broken = err
	return n, err
}

// Flush sends what was written.
func (x *exchange) Flush() error {
	if x.broken == nil {
		x.broken = x.control.Flush()
	}
	return x.broken
}

// Read implements io.Reader.
func (x *exchange) Read(p []byte) (int, error) {
	x.stalled.Reset(stepWithin)
	x.heed()
	n, err := x.r.Body.Read(p)
	if errors.Is(err, io.EOF) {
		x.quiet() // there is no body left
	}
	return n, err
}
