package jose_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

// Whatever it is given, Verify takes nothing but what Issue made.
func FuzzAccessToken(f *testing.F) {
	k := open(f, config())
	genuine := issue(f, k, claims())
	header, payload, signature := parts(f, genuine)
	f.Add(genuine)
	f.Add("..")
	f.Add(genuine + "\n")
	f.Add(encode(`{"alg":"none"}`) + "." + encode(payload) + ".")
	f.Add(encode(strings.TrimSuffix(header, "}")+`,"crit":["exp"]}`) + "." + encode(payload) + "." + signature)
	f.Add(encode(header) + "." + encode(`{"exp":9223372036854775808}`) + "." + signature)
	f.Add(encode(header) + "." + encode(strings.Repeat("[", 1000)) + "." + signature)
	f.Fuzz(func(t *testing.T, token string) {
		c, err := k.Tokens().Verify(t.Context(), token)
		switch {
		case token == genuine:
			if err != nil || !same(c, claims()) {
				t.Errorf("the genuine one: got %+v, %v", c, err)
			}
		case !errors.Is(err, domain.ErrInvalidToken) || !same(c, domain.Claims{}):
			t.Errorf("%q: got %+v, %v, want ErrInvalidToken", token, c, err)
		}
	})
}

// Whatever is signed, Verify takes it only if it would be issued, and gives back
// what was issued.
func FuzzSignedClaims(f *testing.F) {
	k := open(f, config())
	header, payload, _ := parts(f, issue(f, k, claims()))
	f.Add(header, payload)
	f.Add(header, " "+payload+" ")
	f.Add(strings.Replace(header, "ES256", "none", 1), payload)
	f.Add(header, strings.Replace(payload, "1893586200", "-0", 1))
	f.Add(header, strings.Replace(payload, `["admin","editor"]`, `["editor","admin","admin"]`, 1))
	f.Fuzz(func(t *testing.T, header, payload string) {
		token := forge(t, k, header, payload)
		c, err := k.Tokens().Verify(t.Context(), token)
		if err != nil {
			if !errors.Is(err, domain.ErrInvalidToken) {
				t.Errorf("%s . %s: got %v, want ErrInvalidToken", header, payload, err)
			}
			return
		}
		again, err := k.Tokens().Verify(t.Context(), issue(t, k, c))
		if err != nil || !same(again, c) {
			t.Errorf("%s . %s: got %+v, which was issued and became %+v, %v", header, payload, c, again, err)
		}
	})
}

// Whatever a Reader is given to learn, it takes a token only by the token's own
// key, and what it refuses to learn changes nothing.
func FuzzLearn(f *testing.F) {
	tokens := make(map[string]map[string]any) // and the key of each
	var keys []any
	for _, a := range domain.SigningAlgorithms() {
		k := openWith(f, a)
		key := keyOf(f, k)
		keys = append(keys, key)
		tokens[issue(f, k, claims())] = key
	}
	sound := setOf(f, keys...)
	f.Add(sound)
	for _, key := range keys {
		f.Add(setOf(f, key))
		f.Add(setOf(f, key, key))
	}
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA","kid":"a","alg":"HS256"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"","e":"AQAB","kid":"a","alg":"RS256"},{"kty":"EC","crv":"P-256","x":"","y":"","kid":"b","alg":"ES256"}]}`))
	f.Fuzz(func(t *testing.T, set []byte) {
		r := newReader(t)
		ok(t, r.Learn(sound))
		refused := r.Learn(set) != nil
		var text struct {
			Keys []map[string]any `json:"keys"`
		}
		if err := json.Unmarshal(set, &text); err != nil && !refused {
			t.Fatalf("%q was learnt", set)
		}
		for token, key := range tokens {
			there := refused || slices.ContainsFunc(text.Keys, func(k map[string]any) bool {
				return k["kid"] == key["kid"] && k["alg"] == key["alg"] && k["x"] == key["x"] && k["n"] == key["n"]
			})
			if _, err := r.Verify(t.Context(), token); err == nil && !there || err != nil && refused {
				t.Errorf("%q: refused %t, and then the token by %v: %v", set, refused, key["alg"], err)
			}
			r.Knows(string(set))
		}
	})
}

func FuzzRefreshToken(f *testing.F) {
	k := open(f, config())
	genuine := k.Refresh().Issue(domain.RefreshToken{Session: claims().Session, Counter: 1}).Reveal()
	f.Add(genuine)
	f.Add("kpr_")
	f.Add(genuine + "\n")
	f.Add("kpr_" + strings.Repeat("A", 82))
	f.Fuzz(func(t *testing.T, text string) {
		got, err := k.Refresh().Verify(text)
		if err != nil {
			if text == genuine || !errors.Is(err, domain.ErrInvalidToken) {
				t.Errorf("%q: got %v", text, err)
			}
			return
		}
		if text != genuine {
			t.Errorf("%q was taken as %+v", text, got)
		}
	})
}

// Whatever it is given, Reveal takes nothing but what Conceal made for that scope.
func FuzzReveal(f *testing.F) {
	k := open(f, config())
	genuine := k.Vault().Conceal("receipts", []byte("answer"))
	f.Add("receipts", genuine)
	f.Add("receipt", genuine)
	f.Add("receipts", genuine[:len(genuine)-1])
	f.Add("receipts", genuine[:45])
	f.Add("receipts", append(genuine[:5:5], make([]byte, 40)...))
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, scope string, concealed []byte) {
		got, err := k.Vault().Reveal(scope, concealed)
		own := scope == "receipts" && bytes.Equal(concealed, genuine)
		switch {
		case err != nil && (own || got != nil || !errors.Is(err, domain.ErrInvalidToken)):
			t.Errorf("%x in %q: got %q, %v", concealed, scope, got, err)
		case err == nil && (!own || string(got) != "answer"):
			t.Errorf("%x in %q was revealed as %q", concealed, scope, got)
		}
	})
}

func FuzzCursor(f *testing.F) {
	k := open(f, config())
	genuine := k.Cursors().Seal("ships", "17")
	f.Add("ships", genuine)
	f.Add("ship", genuine)
	f.Add("", "")
	f.Add("ships", strings.Repeat("A", 22))
	f.Fuzz(func(t *testing.T, scope, text string) {
		got, err := k.Cursors().Open(scope, text)
		if err != nil {
			if scope == "ships" && text == genuine || !errors.Is(err, domain.ErrInvalidCursor) {
				t.Errorf("%q in %q: got %v", text, scope, err)
			}
			return
		}
		if scope != "ships" || text != genuine {
			t.Errorf("%q in %q was opened as %q", text, scope, got)
		}
	})
}
