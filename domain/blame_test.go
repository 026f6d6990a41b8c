package domain_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

// blames fails the test unless err is want and blames inputs at exactly these
// places, each written as "path code".
func blames(t testing.TB, err error, want *domain.Error, places ...string) {
	t.Helper()
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Code != want.Code || e.Kind != want.Kind {
		t.Errorf("got %v, want %s", err, want.Code)
		return
	}
	var got []string
	for _, f := range e.Fields {
		got = append(got, f.Path+" "+f.Code)
		if f.Problem == "" {
			t.Errorf("%s: it does not say what is wanted at %q", e.Code, f.Path)
		}
	}
	if !slices.Equal(got, places) {
		t.Errorf("%s blames %q, want %q", e.Code, got, places)
	}
}

// document reads a document that is known to be good.
func document(t testing.TB, text string) domain.Document {
	t.Helper()
	d, err := domain.ParseDocument([]byte(text))
	if err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
	return d
}
