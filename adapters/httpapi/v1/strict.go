package v1

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// strict lets only strict queries and strict JSON through, before anything else is
// done with the request: its parameters, its type, its size, its grammar.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := strictQuery(r.URL.RawQuery)
		if err == nil && takesBody(r.Method) {
			r, err = strictBody(w, r)
		}
		if err != nil {
			wire.ProblemOf(r.Context(), err).Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// strictParameters is strict for what reads its body by itself.
func strictParameters(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := strictQuery(r.URL.RawQuery); err != nil {
			wire.ProblemOf(r.Context(), err).Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// strictQuery wants parameters that can be decoded, each once.
func strictQuery(query string) error {
	if query == "" {
		return nil
	}
	params, err := url.ParseQuery(query)
	if err != nil {
		return domain.ErrMalformed.At("", "malformed-query", "want parameters in percent-encoding").Because(err)
	}
	for name, values := range params {
		for _, text := range append(values, name) {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return domain.ErrMalformed.At("", "malformed-query", "want UTF-8 without NUL")
			}
		}
	}
	return once(params)
}

// once fails with domain.ErrInvalid if a parameter is repeated.
func once(params url.Values) error {
	for name, values := range params {
		if len(values) > 1 {
			return domain.ErrInvalid.At(wire.Clip(name), "repeated", "want each parameter once")
		}
	}
	return nil
}

func takesBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// strictBody wants one JSON value, and returns the request with its body to be read
// again.
func strictBody(w http.ResponseWriter, r *http.Request) (*http.Request, error) {
	media := wire.MediaType(r)
	if media != "application/json" && (media != "application/merge-patch+json" || r.Method != http.MethodPatch) {
		return r, wire.WrongType
	}
	body, err := wire.ReadBody(w, r)
	if err != nil {
		return r, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if _, named := r.Header[retryHeader]; named && r.Method == http.MethodPost {
		r = attempted(w, r, body)
	}
	return r, wire.CheckJSON(body)
}
