package password_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/domain"
)

// A tale is what was traced: "+name" where it began, "-name" where it ended, and "!name"
// where it failed.
type tale []string

func (s *tale) span(ctx context.Context, name string) (context.Context, func(error)) {
	*s = append(*s, "+"+name)
	return ctx, func(err error) {
		if err != nil {
			name = "!" + name
		} else {
			name = "-" + name
		}
		*s = append(*s, name)
	}
}

func TestTheWaitIsTracedApartFromTheHash(t *testing.T) {
	var told tale
	h := password.New(password.Config{Cost: cheap, Span: told.span})
	hash := hashed(t, h, "correct horse battery staple")
	matches(t, h, "correct horse battery staple", hash)
	once := []string{"+password.wait", "-password.wait", "+password.hash", "-password.hash"}
	if want := slices.Concat(once, once); !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
	told = nil
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(gone, domain.NewPassword("correct horse battery staple")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if want := []string{"+password.wait", "!password.wait"}; !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
}
