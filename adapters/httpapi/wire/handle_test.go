package wire_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

func TestAnErrorIsToldByTheDialectAndNothingElseIs(t *testing.T) {
	for _, fails := range []bool{false, true} {
		told := 0
		h := wire.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			if fails {
				return domain.ErrLoginTaken
			}
			w.WriteHeader(http.StatusCreated)
			return nil
		}, func(w http.ResponseWriter, _ *http.Request, err error) {
			told++
			if !errors.Is(err, domain.ErrLoginTaken) {
				t.Errorf("it was told %v", err)
			}
			w.WriteHeader(http.StatusAccepted)
		})
		w := httptest.NewRecorder()
		h(w, httptest.NewRequest(http.MethodPost, "/", nil))
		if want := map[bool]int{false: http.StatusCreated, true: http.StatusAccepted}[fails]; w.Code != want || (told == 1) != fails {
			t.Errorf("status %d, told %d times", w.Code, told)
		}
	}
}

func TestAnOlderAPIHasItsOwnStatuses(t *testing.T) {
	theirs := map[int]int{http.StatusConflict: http.StatusBadRequest, http.StatusUnsupportedMediaType: http.StatusTeapot}
	for _, c := range []struct {
		name   string
		err    error
		status int
		retry  string
	}{
		{"where they differ", domain.ErrLoginTaken, http.StatusBadRequest, ""},
		{"where they differ for what HTTP alone knows", wire.WrongType, http.StatusTeapot, ""},
		{"and else ours", domain.ErrTooLarge, http.StatusRequestEntityTooLarge, ""},
		{"and says when to try again", domain.ErrBusy, http.StatusServiceUnavailable, "1"},
		{"and hides an accident", errors.New("disk on fire"), http.StatusInternalServerError, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			p := wire.Translated(w, httptest.NewRequest(http.MethodGet, "/", nil), c.err, theirs)
			if p.Status != c.status || w.Header().Get("Retry-After") != c.retry {
				t.Errorf("status %d, retry after %q", p.Status, w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestASentenceTellsWhatIsWanted(t *testing.T) {
	for want, err := range map[string]error{
		"That login is already taken.": domain.ErrLoginTaken,
		"The request can be read, but what it says is not usable: want this; crew: want that; want all.": domain.ErrInvalid.At("/data/<b>", "x", "want this").At("/data/crew", "x", "want that").At("", "x", "want all"),
		"That is not a usable login: email: want a name.":                                                wire.Moved(domain.ErrInvalidLogin.At("/username", "x", "want a name"), "/email"),
		wire.WrongType.Detail: wire.Moved(wire.WrongType, "/email"),
	} {
		p := wire.Translated(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), err, nil)
		if got := p.Sentence(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
