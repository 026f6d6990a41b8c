package jose_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

func newReader(t testing.TB) *jose.Reader {
	r := jose.NewReader(ours, service, fake.NewClock(noon).Now)
	t.Cleanup(r.Close)
	return r
}

// readerOf returns a Reader that has learnt k's keys.
func readerOf(t testing.TB, k *jose.Keyring) *jose.Reader {
	t.Helper()
	r := newReader(t)
	ok(t, r.Learn([]byte(keySet(t, k))))
	return r
}

func takes(t testing.TB, r *jose.Reader, token string) {
	t.Helper()
	for range 2 { // the second time it is remembered
		if got, err := r.Verify(t.Context(), token); err != nil || !same(got, claims()) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

func takesNot(t testing.TB, r *jose.Reader, token string) {
	t.Helper()
	if got, err := r.Verify(t.Context(), token); !errors.Is(err, domain.ErrInvalidToken) || !same(got, domain.Claims{}) {
		t.Errorf("got %+v, %v, want ErrInvalidToken", got, err)
	}
}

func TestAReaderTakesTokensOfTheKeysThatItHasLearnt(t *testing.T) {
	for _, a := range domain.SigningAlgorithms() {
		k := openWith(t, a)
		token := issue(t, k, claims())
		r := newReader(t)
		if takesNot(t, r, token); r.Knows(token) {
			t.Errorf("%s: it knows a key before it has learnt one", a)
		}
		ok(t, r.Learn([]byte(keySet(t, k))))
		if takes(t, r, token); !r.Knows(token) {
			t.Errorf("%s: it does not know the key", a)
		}
		if got, want := r.Stats(), (jose.Stats{Signatures: 1, Recalled: 1, Remembered: 1}); got != want {
			t.Errorf("%s: got %+v, want %+v", a, got, want)
		}
	}
}

func TestAReaderIsForOneIssuerAndOneAudience(t *testing.T) {
	k := open(t, config())
	token := issue(t, k, claims())
	for _, of := range [][2]string{{ours + "/", service}, {ours, ours}, {service, ours}} {
		r := jose.NewReader(of[0], of[1], fake.NewClock(noon).Now)
		defer r.Close()
		ok(t, r.Learn([]byte(keySet(t, k))))
		takesNot(t, r, token)
	}
}

func TestAReaderForgetsTheKeysThatASetLacks(t *testing.T) {
	one, two := open(t, config()), openWith(t, domain.EdDSA)
	token, other := issue(t, one, claims()), issue(t, two, claims())
	r := readerOf(t, one)
	takes(t, r, token)
	ok(t, r.Learn([]byte(keySet(t, two))))
	takesNot(t, r, token) // though it was remembered
	takes(t, r, other)
	if r.Knows(token) || !r.Knows(other) {
		t.Error("it knows the old key, or not the new one")
	}
	ok(t, r.Learn([]byte(`{"keys":[]}`)))
	takesNot(t, r, other)
}

func TestAReaderRemembersTokensWhileTheirKeyStaysTheSame(t *testing.T) {
	k := open(t, config())
	token := issue(t, k, claims())
	r := readerOf(t, k)
	takes(t, r, token)
	ok(t, r.Learn([]byte(keySet(t, k))))
	takes(t, r, token)
	if got := r.Stats().Signatures; got != 1 {
		t.Errorf("%d signatures were checked, want 1", got)
	}
	// Another key under the same name is another key.
	other := keyOf(t, open(t, config()))
	other["kid"] = kidOf(t, token)
	ok(t, r.Learn(setOf(t, other)))
	takesNot(t, r, token)
}

func TestAKeyThatAReaderRetiredIsNotLearntAgain(t *testing.T) {
	k := open(t, config())
	token := issue(t, k, claims())
	r := readerOf(t, k)
	takes(t, r, token)
	r.Retire(kidOf(t, token))
	takesNot(t, r, token)
	ok(t, r.Learn([]byte(keySet(t, k)))) // an old copy, from a cache
	takesNot(t, r, token)
	if !r.Knows(token) {
		t.Error("it would have the keys fetched again for a key that was retired")
	}
	// Retiring keeps to its bound, and forgets the oldest first.
	for i := range 1000 {
		r.Retire(fmt.Sprint("other ", i))
		r.Retire(strings.Repeat("a", 129))
	}
	if r.Knows(token) {
		t.Error("the oldest of 1001 is still in mind")
	}
}

func TestAReaderKnowsWhetherOtherKeysWouldHelp(t *testing.T) {
	k := open(t, config())
	r := readerOf(t, k)
	token := issue(t, k, claims())
	header, payload, signature := parts(t, token)
	kid := kidOf(t, token)
	with := func(old, now string) string {
		return encode(strings.Replace(header, old, now, 1)) + "." + encode(payload) + "." + signature
	}
	for name, c := range map[string]struct {
		token string
		want  bool
	}{
		"the token":                       {token, true},
		"a token with a bad signature":    {flip(token, len(token)-3), true},
		"a token of a key that is new":    {with(kid, "new"), false},
		"one by another algorithm":        {with(`ES256","kid":"`+kid, `RS256","kid":"new`), false},
		"one by an algorithm that is not": {with(`ES256","kid":"`+kid, `none","kid":"new`), true},
		"one by HMAC":                     {with(`ES256","kid":"`+kid, `HS256","kid":"new`), true},
		"a kid without end":               {with(kid, strings.Repeat("a", 129)), true},
		"an empty kid":                    {with(kid, ""), true},
		"another typ":                     {with("at+jwt", "JWT"), true},
		"nothing":                         {"", true},
		"no token":                        {"ada", true},
		"a refresh token":                 {k.Refresh().Issue(domain.RefreshToken{Session: claims().Session}).Reveal(), true},
		"a mebibyte":                      {strings.Repeat("A", 1<<20), true},
	} {
		if got := r.Knows(c.token); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}

// keyOf returns the first JWK of a set, to be changed.
func keyOf(t testing.TB, k *jose.Keyring) map[string]any {
	t.Helper()
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	ok(t, json.Unmarshal([]byte(keySet(t, k)), &set))
	return set.Keys[0]
}

func setOf(t testing.TB, keys ...any) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	ok(t, err)
	return text
}

func TestASetThatIsNotToBeTrustedIsRefusedAndChangesNothing(t *testing.T) {
	k := open(t, config())
	token := issue(t, k, claims())
	r := readerOf(t, k)
	key := func(changes ...any) map[string]any {
		m := keyOf(t, k)
		for i := 0; i < len(changes); i += 2 {
			m[changes[i].(string)] = changes[i+1]
		}
		return m
	}
	many := make([]any, 101)
	for i := range many {
		many[i] = key("kid", fmt.Sprint(i))
	}
	sets := map[string][]byte{
		"nothing":                         nil,
		"null":                            []byte("null"),
		"an array":                        []byte("[]"),
		"no keys":                         []byte("{}"),
		"keys null":                       []byte(`{"keys":null}`),
		"keys an object":                  []byte(`{"keys":{}}`),
		"a key that is a number":          []byte(`{"keys":[1]}`),
		"two values":                      append(setOf(t, key()), "{}"...),
		"keys twice":                      []byte(`{"keys":[],"keys":[]}`),
		"a member of a key twice":         []byte(`{"keys":[{"kty":"EC","kty":"RSA"}]}`),
		"bad UTF-8":                       []byte("{\"keys\":[],\"a\":\"\xff\"}"),
		"cut off":                         setOf(t, key())[:40],
		"a page of HTML":                  []byte("<!doctype html>"),
		"more than 64 KiB":                append(setOf(t, key()), strings.Repeat(" ", 64<<10)...),
		"more than 100 keys":              setOf(t, many...),
		"a kid twice":                     setOf(t, key(), key()),
		"the kid of a key of another use": setOf(t, key(), key("use", "enc")),
		"a symmetric key":                 setOf(t, key(), map[string]any{"kty": "oct", "kid": "s", "k": "AAAA"}),
		"nested without end":              []byte(`{"keys":[` + strings.Repeat(`{"a":`, 20000)),
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		sets["a key with "+name] = setOf(t, key(name, "AAAA"))
		sets["a key with "+name+" null"] = setOf(t, key(name, nil))
	}
	for name, set := range sets {
		t.Run(name, func(t *testing.T) {
			if err := r.Learn(set); err == nil {
				t.Errorf("it was learnt: %.200s", set)
			}
			takes(t, r, token)
		})
	}
	ok(t, r.Learn(setOf(t, many[:100]...)))
	takesNot(t, r, token)
}

func TestAReaderLeavesOutKeysThatAreNotItsKind(t *testing.T) {
	rings := make(map[domain.Algorithm]*jose.Keyring)
	var sound []any
	for _, a := range domain.SigningAlgorithms() {
		rings[a] = openWith(t, a)
		sound = append(sound, keyOf(t, rings[a]))
	}
	n := bytesOf(t, keyOf(t, rings["RS256"])["n"].(string))
	even := append(n[:255:255], n[255]&0xfe)
	for a, changes := range map[domain.Algorithm]map[string]map[string]any{
		"ES256": {
			"no kid": {"kid": nil}, "kid a number": {"kid": 1}, "kid empty": {"kid": ""}, "kid without end": {"kid": strings.Repeat("a", 129)},
			"no alg": {"alg": nil}, "another alg": {"alg": "ES384"}, "the alg of another kind": {"alg": "EdDSA"},
			"for encryption": {"use": "enc"}, "use in capitals": {"use": "SIG"},
			"another kty": {"kty": "OKP"}, "another curve": {"crv": "P-384"}, "no curve": {"crv": nil},
			"no y": {"y": nil}, "not on the curve": {"y": encode(strings.Repeat("\x01", 32))}, "at infinity": {"x": encode(strings.Repeat("\x00", 32)), "y": encode(strings.Repeat("\x00", 32))},
			"x short": {"x": encode(strings.Repeat("\x01", 31))}, "x padded": {"x": "AAAA="}, "x a number": {"x": 1},
		},
		"EdDSA": {
			"no x": {"x": nil}, "x long": {"x": encode(strings.Repeat("\x01", 33))}, "another curve": {"crv": "Ed448"}, "X25519": {"crv": "X25519"},
			"another kty": {"kty": "EC"}, "the alg of another kind": {"alg": "ES256"}, "the newer name": {"alg": "Ed25519"},
		},
		"RS256": {
			"no n": {"n": nil}, "no e": {"e": nil}, "e three": {"e": "Aw"}, "e one": {"e": "AQ"}, "e in two texts": {"e": "AAEAAQ"},
			"1024 bits": {"n": encode(string(n[:128]))}, "2047 bits": {"n": encode("\x7f" + string(n[1:]))}, "even": {"n": encode(string(even))},
			"a zero before": {"n": encode("\x00" + string(n))}, "4104 bits": {"n": encode(string(slices.Repeat(n, 3)[:513]))},
			"PS256": {"alg": "PS256"}, "RS512": {"alg": "RS512"}, "another kty": {"kty": "EC"}, "line breaks": {"n": encode(string(n))[:9] + "\n" + encode(string(n))[9:]},
		},
	} {
		for name, change := range changes {
			t.Run(string(a)+", "+name, func(t *testing.T) {
				odd := keyOf(t, rings[a])
				for member, value := range change {
					if odd[member] = value; value == nil {
						delete(odd, member)
					}
				}
				r := newReader(t)
				ok(t, r.Learn(setOf(t, odd)))
				token := issue(t, rings[a], claims())
				takesNot(t, r, token)
				kid, named := odd["kid"].(string)
				if header, payload, signature := parts(t, token); named && kid != "" && len(kid) <= 128 && r.Knows(encode(header)+"."+encode(payload)+"."+signature) {
					t.Error("it knows the key")
				}
				// The others of the set are none the worse for it.
				odd["kid"] = "odd"
				ok(t, r.Learn(setOf(t, append(sound[:3:3], odd, map[string]any{"kty": "of a later time", "kid": "x", "z": []int{1}})...)))
				for _, k := range rings {
					takes(t, r, issue(t, k, claims()))
				}
			})
		}
	}
}

func TestManyMayReadWhileOneLearns(t *testing.T) {
	one, two := open(t, config()), openWith(t, domain.EdDSA)
	both := setOf(t, keyOf(t, one), keyOf(t, two))
	token, retired := issue(t, one, claims()), published(t, two)[0]
	r := readerOf(t, one)
	var callers sync.WaitGroup
	for i := range 4 {
		callers.Go(func() {
			for range 200 {
				switch i {
				case 0:
					if err := r.Learn(both); err != nil {
						t.Error(err)
					}
				case 1:
					r.Retire(retired)
				default:
					if _, err := r.Verify(t.Context(), token); err != nil || !r.Knows(token) {
						t.Errorf("got %v", err)
					}
				}
			}
		})
	}
	callers.Wait()
}

func TestAReaderFollowsAKeyringThatTurns(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	r := jose.NewReader(ours, service, clock.Now)
	defer r.Close()
	for range 5 {
		ok(t, r.Learn([]byte(keySet(t, k))))
		_, err := k.Rotate(t.Context())
		ok(t, err)
		clock.Advance(c.Ahead - time.Second)
		old := issue(t, k, claims())
		takes(t, r, old)
		ok(t, r.Learn([]byte(keySet(t, k))))
		clock.Advance(time.Second)
		takes(t, r, issue(t, k, claims()))
		takes(t, r, old)
	}
}
