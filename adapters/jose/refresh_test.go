package jose_test

import (
	"encoding/base64"
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

func TestARefreshTokenIsOpaqueTextThatNamesItsSession(t *testing.T) {
	k := open(t, config()).Refresh()
	pattern := regexp.MustCompile(`^kpr_[A-Za-z0-9_-]{82}$`)
	rapid.Check(t, func(t *rapid.T) {
		want := domain.RefreshToken{
			Session: domain.SessionID(rapid.StringMatching(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).Draw(t, "session")),
			Counter: domain.Counter(rapid.Int64Range(0, math.MaxInt64).Draw(t, "counter")),
		}
		text := k.Issue(want)
		if !pattern.MatchString(text.Reveal()) {
			t.Fatalf("got %s", text.Reveal())
		}
		if again := k.Issue(want); again != text {
			t.Fatalf("got %s and %s for one token", text.Reveal(), again.Reveal())
		}
		if got, err := k.Verify(text.Reveal()); err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

func TestTokensThatDifferHaveOtherTexts(t *testing.T) {
	k := open(t, config()).Refresh()
	one := domain.RefreshToken{Session: claims().Session, Counter: 1}
	two := domain.RefreshToken{Session: claims().Session, Counter: 2}
	other := domain.RefreshToken{Session: "01900002-0000-7000-8000-000000000002", Counter: 1}
	if k.Issue(one) == k.Issue(two) || k.Issue(one) == k.Issue(other) {
		t.Error("two tokens have one text")
	}
}

func TestAnAlteredRefreshTokenIsRefused(t *testing.T) {
	ring := open(t, config())
	k := ring.Refresh()
	text := k.Issue(domain.RefreshToken{Session: claims().Session, Counter: 1}).Reveal()
	body := strings.TrimPrefix(text, "kpr_")
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	version := append([]byte{2}, raw[1:]...)
	cases := map[string]string{
		"nothing":                "",
		"the prefix alone":       "kpr_",
		"no prefix":              body,
		"the prefix in capitals": "KPR_" + body,
		"the prefix twice":       "kpr_" + text,
		"another prefix":         "kpk_" + body,
		"another version":        "kpr_" + base64.RawURLEncoding.EncodeToString(version),
		"one byte more":          "kpr_" + base64.RawURLEncoding.EncodeToString(append(raw, 0)),
		"one byte less":          "kpr_" + base64.RawURLEncoding.EncodeToString(raw[:len(raw)-1]),
		"no MAC":                 "kpr_" + base64.RawURLEncoding.EncodeToString(raw[:29]),
		"all zero":               "kpr_" + strings.Repeat("A", 82),
		"padding":                text + "==",
		"a line break after":     text + "\n",
		"a line break within":    text[:40] + "\n" + text[41:],
		"a space before":         " " + text,
		"a NUL after":            text + "\x00",
		"the standard alphabet":  text[:40] + "+/" + text[42:],
		"a mebibyte":             "kpr_" + strings.Repeat("A", 1<<20),
		"an access token":        issue(t, ring, claims()),
		"a cursor":               ring.Cursors().Seal("", string(raw[:29])),
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, text[len(text)-1])
	for bit := range 4 { // the bits of the last character that no byte uses
		cases["spare bit "+string(rune('0'+bit))] = text[:len(text)-1] + string(alphabet[last|1<<bit])
	}
	for i := range raw {
		flipped := append([]byte(nil), raw...)
		flipped[i] ^= 1 << (i % 8)
		cases["a bit of byte "+string(rune('0'+i/10))+string(rune('0'+i%10))] = "kpr_" + base64.RawURLEncoding.EncodeToString(flipped)
	}
	for name, altered := range cases {
		t.Run(name, func(t *testing.T) {
			if altered == text {
				t.Fatal("it is not altered")
			}
			if got, err := k.Verify(altered); !errors.Is(err, domain.ErrInvalidToken) || got != (domain.RefreshToken{}) {
				t.Errorf("got %+v, %v, want ErrInvalidToken", got, err)
			}
		})
	}
}
