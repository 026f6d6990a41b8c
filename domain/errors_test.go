package domain_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

func TestEachPromisedFailureCanBeTold(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := make(map[string]bool)
	for _, e := range domain.Errors() {
		if !slug.MatchString(e.Code) || seen[e.Code] {
			t.Errorf("%q is no slug, or is there twice", e.Code)
		}
		seen[e.Code] = true
		for _, sentence := range []string{e.Detail, e.Remedy} {
			if !strings.HasSuffix(sentence, ".") || strings.ToUpper(sentence[:1]) != sentence[:1] {
				t.Errorf("%s: %q is no sentence", e.Code, sentence)
			}
		}
		if e.Fields != nil || errors.Unwrap(e) != nil {
			t.Errorf("%s blames something before anything happened", e.Code)
		}
	}
	if len(seen) < 30 {
		t.Errorf("there are only %d", len(seen))
	}
	list := domain.Errors()
	list[0] = nil
	if domain.Errors()[0] == nil {
		t.Error("the list can be written to from outside")
	}
}

func TestEachKindHasANameOfItsOwn(t *testing.T) {
	seen := make(map[string]bool)
	for _, k := range domain.Kinds() {
		if k.Error() == "" || seen[k.Error()] {
			t.Errorf("%d is called %q", k, k.Error())
		}
		seen[k.Error()] = true
	}
	if domain.Kinds()[0] != domain.Internal || domain.Kind(0) != domain.Internal {
		t.Error("an error that nobody classified is not ours")
	}
}

func TestAnErrorIsItsKindAndItsCode(t *testing.T) {
	blamed := domain.ErrLoginTaken.At("/username", "taken", "choose another")
	for _, err := range []error{domain.ErrLoginTaken, blamed, fmt.Errorf("registering: %w", blamed), blamed.Because(context.Canceled), blamed.Moved("/login")} {
		if !errors.Is(err, domain.ErrLoginTaken) || !errors.Is(err, domain.Conflict) {
			t.Errorf("%v is not what it was", err)
		}
		if errors.Is(err, domain.ErrNotUnique) || errors.Is(err, domain.NotFound) || errors.Is(err, context.Canceled) {
			t.Errorf("%v is something else", err)
		}
	}
}

func TestACauseIsForOperatorsAlone(t *testing.T) {
	err := domain.ErrInvalidCredentials.Because(domain.ErrAccountNotFound)
	if errors.Is(err, domain.NotFound) || errors.Unwrap(err) != nil {
		t.Error("whoever asks can read the cause")
	}
	if got, want := err.Error(), "invalid-credentials: The login or the password is wrong.: account-not-found: There is no such account."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err.Detail != domain.ErrInvalidCredentials.Detail {
		t.Errorf("the caller reads %q", err.Detail)
	}
	if got := domain.ErrInvalidCredentials.Error(); got != "invalid-credentials: The login or the password is wrong." {
		t.Errorf("the promise itself was changed: %q", got)
	}
}

func TestBlameIsAddedToACopy(t *testing.T) {
	one := domain.ErrInvalid.At("/a", "first", "want a")
	two := one.At("/b", "second", "want b")
	three := one.At("/c", "third", "want c")
	moved := two.Moved("/login")
	blames(t, domain.ErrInvalid, domain.ErrInvalid)
	blames(t, one, domain.ErrInvalid, "/a first")
	blames(t, two, domain.ErrInvalid, "/a first", "/b second")
	blames(t, three, domain.ErrInvalid, "/a first", "/c third")
	blames(t, moved, domain.ErrInvalid, "/login first", "/login second")
}
