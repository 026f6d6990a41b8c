package wire

import (
	"errors"
	"net/http"
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// Handle makes f a handler whose errors say tells. Where f returns one it has
// written nothing.
func Handle(f func(http.ResponseWriter, *http.Request) error, say func(http.ResponseWriter, *http.Request, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			say(w, r, err)
		}
	}
}

// Translated says err in the words of HTTP as ProblemOf does, for an older API
// that has other statuses for some: theirs by ours. It tells when to try again,
// where that is due, and leaves the body to the caller.
func Translated(w http.ResponseWriter, r *http.Request, err error, statuses map[int]int) Problem {
	p := ProblemOf(r.Context(), err)
	if after := p.Header().Get("Retry-After"); after != "" {
		w.Header().Set("Retry-After", after)
	}
	if theirs, differs := statuses[p.Status]; differs {
		p.Status = theirs
	}
	return p
}

// Sentence returns the detail and what is wanted of each input at fault, for an
// older API whose errors are one text. An input is called by the last step of its
// pointer, if that is a plain word, so that no markup comes back to its sender.
func (p Problem) Sentence() string {
	if len(p.Errors) == 0 {
		return p.Detail
	}
	wanted := make([]string, len(p.Errors))
	for i, f := range p.Errors {
		wanted[i] = f.Detail
		if input := f.Pointer[strings.LastIndexByte(f.Pointer, '/')+1:]; plain(input) {
			wanted[i] = input + ": " + f.Detail
		}
	}
	return strings.TrimSuffix(p.Detail, ".") + ": " + strings.Join(wanted, "; ") + "."
}

func plain(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return (c < 'a' || c > 'z') && c != '_' })
}

// Moved returns err, which blames the input at path for all that it blames: an
// older API calls inputs by other names than a noun does.
func Moved(err error, path string) error {
	if e, known := errors.AsType[*domain.Error](err); known {
		return e.Moved(path)
	}
	return err
}

// Say answers with a message alone, as older APIs do.
func Say(w http.ResponseWriter, status int, text string) {
	Write(w, status, struct {
		Message string `json:"message"`
	}{text})
}

// RefuseToken answers a request without a living token, which travels in a header of
// its own. The scheme in the challenge is the nearest that has a name (RFC 6750).
func RefuseToken(w http.ResponseWriter, text string) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	Say(w, http.StatusUnauthorized, text)
}
