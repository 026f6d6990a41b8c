package v1

import (
	"bytes"
	"io"
	"net/http"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

// strictBodies lets only strict JSON through to what reads bodies, before
// anything else is done with the request: its type, its size, its grammar.
func strictBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost && r.Method != http.MethodPut && r.Method != http.MethodPatch {
			next.ServeHTTP(w, r)
			return
		}
		body, err := strictBody(w, r)
		if err != nil {
			wire.ProblemOf(r.Context(), err).Write(w)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func strictBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	media := wire.MediaType(r)
	if media != "application/json" && (media != "application/merge-patch+json" || r.Method != http.MethodPatch) {
		return nil, wire.WrongType
	}
	body, err := wire.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	return body, wire.CheckJSON(body)
}
