package wire

import (
	"context"
	"errors"
	"net/http"

	"github.com/keyport-go/keyport/domain"
)

// A Problem is an error in the words of HTTP (RFC 9457, section 3.1).
type Problem struct {
	Type     string  `json:"type" doc:"A stable URL path; its page says what to do."`
	Title    string  `json:"title"`
	Status   int     `json:"status"`
	Detail   string  `json:"detail,omitempty"`
	Instance string  `json:"instance,omitempty" doc:"The id of the request, as the log has it."`
	Errors   []Fault `json:"errors,omitempty" doc:"The inputs at fault."`

	// Remedy is what the caller can do about it, for the page of the type.
	Remedy string `json:"-"`
}

// A Fault blames one input. Pointer is a JSON pointer into the body (RFC 6901),
// or the name of a parameter or header.
type Fault struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// class is how a kind of failure looks in HTTP.
type class struct {
	status int
	title  string
	retry  string // Retry-After in seconds, or ""
}

// classes is the one place where a Kind meets a status code.
var classes = map[domain.Kind]class{
	domain.Internal:        {http.StatusInternalServerError, "Internal error", ""},
	domain.Malformed:       {http.StatusBadRequest, "Malformed request", ""},
	domain.Invalid:         {http.StatusUnprocessableEntity, "Invalid request", ""},
	domain.Unauthenticated: {http.StatusUnauthorized, "Not authenticated", ""},
	domain.Forbidden:       {http.StatusForbidden, "Not allowed", ""},
	domain.NotFound:        {http.StatusNotFound, "Not found", ""},
	domain.Conflict:        {http.StatusConflict, "Conflict", ""},
	domain.Stale:           {http.StatusPreconditionFailed, "Stale", ""},
	domain.Unconditional:   {http.StatusPreconditionRequired, "Precondition required", ""},
	domain.TooLarge:        {http.StatusRequestEntityTooLarge, "Too large", ""},
	domain.Exhausted:       {http.StatusTooManyRequests, "Too many requests", "1"},
	domain.Unavailable:     {http.StatusServiceUnavailable, "Unavailable", "1"},
}

// Error returns the detail: a Problem can be returned as the error that it tells.
func (p Problem) Error() string { return p.Detail }

// Refusals that only HTTP knows: what they are about never reaches a service.
var (
	NoRoute = Problem{
		Type: pages + "no-route", Title: "Not found", Status: http.StatusNotFound,
		Detail: "There is nothing at this URL. GET /docs lists all there is.",
		Remedy: reference,
	}
	WrongMethod = Problem{
		Type: pages + "wrong-method", Title: "Method not allowed", Status: http.StatusMethodNotAllowed,
		Detail: "This URL does not answer that method. The Allow header lists those it answers.",
		Remedy: reference,
	}
	WrongType = Problem{
		Type: pages + "wrong-type", Title: "Unsupported media type", Status: http.StatusUnsupportedMediaType,
		Detail: "This body is of another media type than is read here, or is encoded.",
		Remedy: reference,
	}
	WrongOrigin = Problem{
		Type: pages + "wrong-origin", Title: "Not allowed", Status: http.StatusForbidden,
		Detail: "The cookie is for pages of this server's own origin and of those that its operator has listed.",
		Remedy: "Send the request from such a page: its browser tells the origin in a header of that name. The operator lists others in KEYPORT_CORS_ORIGINS. Whatever is no browser asks for the transport body.",
	}
	NoCookies = Problem{
		Type: pages + "no-cookies", Title: "Invalid request", Status: http.StatusUnprocessableEntity,
		Detail: "Browsers would not take the cookie: the public URL of this server is plain http.",
		Remedy: "Ask for the transport body, or have the operator serve https and say so in KEYPORT_PUBLIC_URL. On localhost browsers do without.",
		Errors: []Fault{{"/transport", "insecure", "want body"}},
	}
)

// Refusals returns the refusals that only HTTP knows, in the order in which the
// manual tells them.
func Refusals() []Problem {
	return []Problem{NoRoute, WrongMethod, WrongType, WrongOrigin, NoCookies}
}

// reference is the remedy of whoever asks for what there is not.
const reference = "Read the reference at /docs."

// pages is where the problem types stand.
const pages = "/problems/"

// ProblemOf says err in the words of HTTP. An error that is no *domain.Error is
// told as Internal, with no cause; one that comes of a request that took too long
// or was given up, as a time-out. The cause goes to the log.
func ProblemOf(ctx context.Context, err error) Problem {
	if p, told := errors.AsType[Problem](err); told {
		return p.For(ctx)
	}
	RequestOf(ctx).Cause = err
	e, known := errors.AsType[*domain.Error](err)
	switch {
	case known:
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		e = domain.ErrTimeout
	default:
		e = domain.ErrInternal
	}
	c := classes[e.Kind]
	p := Problem{Type: pages + e.Code, Title: c.title, Status: c.status, Detail: e.Detail}.For(ctx)
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, Fault{f.Path, f.Code, f.Problem})
	}
	return p
}

// For returns p as the answer to the request of ctx.
func (p Problem) For(ctx context.Context) Problem {
	if id := RequestOf(ctx).ID; id != "" {
		p.Instance = "urn:uuid:" + id
	}
	return p
}

// Header returns what the status asks to be said beside the body: the challenge
// of a 401, or of a key without the scope (RFC 6750, section 3), and when to try
// again.
func (p Problem) Header() http.Header {
	h := make(http.Header)
	const challenge = `Bearer realm="keyport"`
	switch {
	case p.Type == pages+domain.ErrInvalidToken.Code && p.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge+`, error="invalid_token"`)
	case p.Type == pages+domain.ErrOutOfScope.Code:
		h.Set("WWW-Authenticate", challenge+`, error="insufficient_scope"`)
	case p.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge)
	}
	for _, c := range classes {
		if c.status == p.Status && c.retry != "" {
			h.Set("Retry-After", c.retry)
		}
	}
	return h
}

// Write sends p.
func (p Problem) Write(w http.ResponseWriter) {
	for name, values := range p.Header() {
		w.Header()[name] = values
	}
	write(w, "application/problem+json", p.Status, p)
}

// Title returns how a kind of failure is headed, and its status.
func Title(k domain.Kind) (title string, status int) { return classes[k].title, classes[k].status }
