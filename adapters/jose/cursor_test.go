package jose_test

import (
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

func TestACursorOpensInItsOwnScopeAlone(t *testing.T) {
	k := open(t, config()).Cursors()
	alphabet := regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	rapid.Check(t, func(t *rapid.T) {
		scope, place := rapid.String().Draw(t, "scope"), rapid.StringN(0, -1, jose.MaxPlace).Draw(t, "place")
		text := k.Seal(scope, place)
		if !alphabet.MatchString(text) || len(text) > 1024 {
			t.Fatalf("got %q", text)
		}
		if got, err := k.Open(scope, text); err != nil || got != place {
			t.Fatalf("got %q, %v, want %q", got, err, place)
		}
		other := rapid.String().Draw(t, "other")
		if got, err := k.Open(other, text); other != scope && (!errors.Is(err, domain.ErrInvalidCursor) || got != "") {
			t.Fatalf("in scope %q: got %q, %v, want ErrInvalidCursor", other, got, err)
		}
	})
}

func TestACursorShowsNothingOfItsPlace(t *testing.T) {
	k := open(t, config()).Cursors()
	place := strings.Repeat("a place", 10)
	text := k.Seal("ships", place)
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || strings.Contains(string(b), "place") || text == k.Seal("ships", place) {
		t.Errorf("it shows: %q, %v", b, err)
	}
}

func TestScopeAndPlaceDoNotRunTogether(t *testing.T) {
	k := open(t, config()).Cursors()
	if got, err := k.Open("ab", k.Seal("a", "bc")); !errors.Is(err, domain.ErrInvalidCursor) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAnAlteredCursorIsRefused(t *testing.T) {
	ring := open(t, config())
	k := ring.Cursors()
	text := k.Seal("ships", "170") // 48 bytes: nothing to spare
	spare := k.Seal("ships", "1")  // 46 bytes: four bits to spare
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	cases := map[string]string{
		"nothing":                             "",
		"a tag alone":                         text[3:],
		"less than a tag":                     text[8:],
		"one character more":                  text + "A",
		"padding":                             spare + "=",
		"a line break after":                  text + "\n",
		"a line break within":                 text[:8] + "\n" + text[8:],
		"a NUL after":                         text + "\x00",
		"the standard alphabet":               text[:8] + "+/" + text[10:],
		"spare bits":                          spare[:len(spare)-1] + string(alphabet[strings.IndexByte(alphabet, spare[len(spare)-1])|1]),
		"a mebibyte":                          strings.Repeat("A", 1<<20),
		"a genuine one, but beyond the bound": k.Seal("ships", strings.Repeat("a", jose.MaxPlace+1)),
		"a refresh token":                     ring.Refresh().Issue(domain.RefreshToken{Session: claims().Session}).Reveal(),
	}
	for i := range text {
		cases["character "+string(rune('a'+i))] = flip(text, i)
	}
	for name, altered := range cases {
		t.Run(name, func(t *testing.T) {
			if got, err := k.Open("ships", altered); !errors.Is(err, domain.ErrInvalidCursor) || got != "" {
				t.Errorf("got %q, %v, want ErrInvalidCursor", got, err)
			}
		})
	}
	if got, err := k.Open("ships", k.Seal("ships", strings.Repeat("a", jose.MaxPlace))); err != nil || len(got) != jose.MaxPlace {
		t.Errorf("the longest place: got %d bytes, %v", len(got), err)
	}
}
