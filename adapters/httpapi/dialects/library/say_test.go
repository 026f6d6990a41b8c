package library

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

func TestErrorsAreSaidAsAMessage(t *testing.T) {
	const challenge = `Basic realm="login required"`
	said := func(text string) string { return `{"message":"` + text + "\"}\n" }
	for _, c := range []struct {
		name             string
		err              error
		status           int
		challenge, retry string
		body             string
	}{
		{"no token", domain.ErrUnauthenticated, 401, "Bearer", "", said("a valid token is missing")},
		{"a dead token", domain.ErrInvalidToken, 401, "Bearer", "", said("token is invalid")},
		{"wrong credentials", domain.ErrInvalidCredentials, 401, challenge, "", "could not verify"},
		{"a suspension", domain.ErrAccountSuspended, 401, challenge, "", "could not verify"},
		{"an author that there is not", domain.ErrNumberNotFound, 200, "", "", said("author does not exist")},
		{"another's author", domain.ErrRecordNotFound, 200, "", "", said("author does not exist")},
		{"a name that is taken", domain.ErrLoginTaken, 409, "", "", said("That login is already taken.")},
		{"an author that is there", domain.NotUnique("book"), 409, "", "", said("Another record has the same value in a field that must be unique: book: another record has this value.")},
		{"no JSON", domain.ErrMalformed, 400, "", "", "<!doctype html>\n<html lang=en>\n<title>400 Bad Request</title>\n<h1>Bad Request</h1>\n"},
		{"another type", wire.WrongType, 400, "", "", said(wire.WrongType.Detail)},
		{"an author that cannot be", domain.ErrInvalidRecord, 400, "", "", said("The data does not fit the collection's schema.")},
		{"too much", domain.ErrTooLarge, 413, "", "", said("That is larger than Keyport takes.")},
		{"a rule that forbids it", domain.ErrNotAllowed, 403, "", "", said("You may not do that.")},
		{"too many at once", domain.ErrBusy, 503, "", "1", said("Too many sign-ins at once.")},
		{"a store that is away", domain.ErrUnavailable, 503, "", "1", said("The store cannot be reached at the moment.")},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			say(w, httptest.NewRequest(http.MethodGet, "/", nil), c.err)
			h := w.Header()
			if w.Code != c.status || w.Body.String() != c.body || h.Get("WWW-Authenticate") != c.challenge || h.Get("Retry-After") != c.retry {
				t.Errorf("%d %q %v", w.Code, w.Body, h)
			}
			if once := h.Get("WWW.Authentication"); (once == `Basic realm: "login required"`) != (c.challenge == challenge) {
				t.Errorf("what once stood for a challenge: %q", once)
			}
		})
	}
}

func TestAnAuthorOfOtherTypesIsShownAsFarAsTheyAreRight(t *testing.T) {
	d, err := domain.ParseDocument([]byte(`{"name":"Sam","book":1,"booker_prize":"yes","born":1970}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := viewAuthor(7, d.Tree()), (author{ID: 7, Name: "Sam"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
