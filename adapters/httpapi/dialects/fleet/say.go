package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// A refusal is an answer that is no success, in the form of this dialect.
type refusal struct {
	status  int
	phrase  string // error; "" stands for the phrase of the status
	message any    // a text, or what is wrong by the names of fields; nil: none
}

// Error returns the phrase: a refusal can be returned as the error that it tells.
func (f refusal) Error() string { return cmp.Or(f.phrase, http.StatusText(f.status)) }

// sayings are the failures of services that have words of their own here.
var sayings = map[string]refusal{
	domain.ErrLoginTaken.Code:         {status: http.StatusBadRequest, message: "User already exists."},
	domain.ErrInvalidCredentials.Code: {status: http.StatusUnauthorized, message: "Username or password invalid."},
	domain.ErrAccountSuspended.Code:   {status: http.StatusForbidden, message: domain.ErrAccountSuspended.Detail},
	domain.ErrUnauthenticated.Code:    noToken,
	domain.ErrInvalidToken.Code:       revoked,
}

// statuses are where this dialect differs from Keyport.
var statuses = map[int]int{http.StatusUnprocessableEntity: http.StatusBadRequest}

// wordless are the statuses that come without a message.
var wordless = map[int]bool{
	http.StatusForbidden:           true,
	http.StatusNotFound:            true,
	http.StatusInternalServerError: true,
}

// say answers with err.
func say(w http.ResponseWriter, r *http.Request, err error) {
	f, told := errors.AsType[refusal](err)
	if !told {
		f = refusalOf(w, r, err)
	}
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	body := map[string]any{"error": f.Error()}
	if f.message != nil {
		body["message"] = f.message
	}
	wire.Write(w, f.status, body)
}

// refusalOf puts what a service, or the reading of a body, says into the words of
// this dialect, and tells when to try again where that is due.
func refusalOf(w http.ResponseWriter, r *http.Request, err error) refusal {
	p := wire.Translated(w, r, err, statuses)
	e, known := errors.AsType[*domain.Error](err)
	if known {
		if f, ok := sayings[e.Code]; ok {
			return f
		}
	}
	f := refusal{status: p.Status}
	switch {
	case known && e.Kind == domain.Invalid && len(e.Fields) > 0:
		f.message = blame(e.Fields)
	case !wordless[f.status]:
		f.message = p.Detail
	}
	return f
}

// names are the fields that the services call by other names.
var names = map[string]string{"": "_schema", "username": "name"}

// faults are the texts for what the services find wrong, by code. What is not here is
// said in their own words.
var faults = map[string]string{
	"not-an-object":       noObject,
	"number-out-of-range": isTooLarge,
	"invalid-username":    "Not a valid user name: it may have up to 64 visible characters, no @ and no colon, and no space at either end.",
	"too-short":           tooShort(leastPassword),
	"too-long":            fmt.Sprintf("Longer than maximum length %d.", domain.MaxPassword),
}

// blame says what is wrong by the names of fields.
func blame(fields []domain.Field) map[string][]string {
	wrong := make(map[string][]string)
	for _, f := range fields {
		path := strings.TrimPrefix(strings.TrimPrefix(f.Path, "/data"), "/")
		name, _, _ := strings.Cut(path, "/")
		if other, ok := names[name]; ok {
			name = other
		}
		wrong[name] = append(wrong[name], cmp.Or(faults[f.Code], f.Problem))
	}
	return wrong
}
