package v1

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// A problem is a wire.Problem as huma wants its errors.
type problem struct{ wire.Problem }

var (
	_ huma.StatusError       = problem{}
	_ huma.HeadersError      = problem{}
	_ huma.ContentTypeFilter = problem{}
)

func (p problem) GetStatus() int            { return p.Status }
func (p problem) GetHeaders() http.Header   { return p.Header() }
func (p problem) ContentType(string) string { return "application/problem+json" }

// huma has one hook for the errors that it finds itself, and one switch for the
// case of member names, and both are variables of its package.
func init() {
	huma.ValidateStrictCasing = true
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		return problem{wire.ProblemOf(ctx.Context(), refusal(status, errs))}
	}
	huma.NewError = func(status int, _ string, _ ...error) huma.StatusError {
		return problem{wire.Problem{Status: status, Title: http.StatusText(status)}}
	}
}

// maxFaults is how many inputs at fault are told: a body may have a fault every few
// bytes.
const maxFaults = 32

// refusal says in our words what huma found. Nothing of a value that was sent is
// said again: it may be a password.
func refusal(status int, errs []error) error {
	e := domain.ErrInvalid
	switch {
	case status == http.StatusBadRequest:
		e = domain.ErrMalformed
	case status >= http.StatusInternalServerError:
		return errors.Join(errs...)
	}
	for _, err := range errs {
		if known, ok := errors.AsType[*domain.Error](err); ok {
			return known
		}
		if d, ok := err.(huma.ErrorDetailer); ok && len(e.Fields) < maxFaults {
			detail := d.ErrorDetail()
			e = e.At(pointer(detail.Location), code(detail.Message), detail.Message)
		}
	}
	return e
}

// pointer turns body.roles[0] into /roles/0, and query.limit into limit.
func pointer(location string) string {
	where, rest, _ := strings.Cut(location, ".")
	if where != "body" {
		return wire.Clip(rest)
	}
	rest = wire.Clip(strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(rest))
	if rest == "" {
		return ""
	}
	return "/" + rest
}

// code classes a message of huma's by how it begins.
func code(message string) string {
	for _, class := range []struct{ begins, code string }{
		{"unexpected property", "unknown-member"},
		{"unknown query parameter", "unknown-parameter"},
		{"expected required property", "required"},
		{"expected string", "wrong-type"},
		{"expected object", "wrong-type"},
		{"expected array length", "wrong-length"},
		{"expected array", "wrong-type"},
		{"expected boolean", "wrong-type"},
		{"expected integer", "wrong-type"},
		{"expected number >", "out-of-range"},
		{"expected number <", "out-of-range"},
		{"expected length", "wrong-length"},
	} {
		if strings.HasPrefix(message, class.begins) {
			return class.code
		}
	}
	return "invalid"
}

// moved blames the input at path where err is what the domain calls by another
// name.
func moved(err error, what *domain.Error, path string) error {
	if e, ok := errors.AsType[*domain.Error](err); ok && errors.Is(e, what) {
		return e.Moved(path)
	}
	return err
}
