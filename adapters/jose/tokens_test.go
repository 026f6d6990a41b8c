package jose_test

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

func keySet(t testing.TB, k *jose.Keyring) string {
	t.Helper()
	set, err := k.Tokens().KeySet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(set)
}

func TestATokenIsAnAccessTokenByRFC9068(t *testing.T) {
	k := open(t, config())
	part := strings.Split(issue(t, k, claims()), ".")
	if len(part) != 3 {
		t.Fatalf("got %d parts, want 3", len(part))
	}
	var set struct {
		Keys []struct{ Kid string } `json:"keys"`
	}
	if err := json.Unmarshal([]byte(keySet(t, k)), &set); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`{"alg":"ES256","kid":"` + set.Keys[0].Kid + `","typ":"at+jwt"}`,
		`{"iss":"https://keyport.example","sub":"01900001-0000-7000-8000-000000000001","aud":"https://api.example",` +
			`"exp":1893586200,"iat":1893585600,"jti":"01900003-0000-7000-8000-000000000001",` +
			`"sid":"01900002-0000-7000-8000-000000000001","av":7,"roles":["admin","editor"],"auth_time":1893582000}`,
	} {
		got, err := base64.RawURLEncoding.DecodeString(part[i])
		if err != nil || string(got) != want {
			t.Errorf("part %d: got %s, %v\nwant %s", i+1, got, err, want)
		}
	}
}

func TestTheKeySetVerifiesTokensAndHoldsNothingPrivate(t *testing.T) {
	k := open(t, config())
	text := keySet(t, k)
	var raw struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		t.Fatal(err)
	}
	if len(raw.Keys) != 1 {
		t.Fatalf("got %d keys, want 1: %s", len(raw.Keys), text)
	}
	for _, name := range []string{"kty", "crv", "x", "y", "kid", "use", "alg"} {
		if raw.Keys[0][name] == "" {
			t.Errorf("%s is missing: %s", name, text)
		}
		delete(raw.Keys[0], name)
	}
	if len(raw.Keys[0]) != 0 {
		t.Errorf("got more members than there should be: %v", raw.Keys[0])
	}
	set, err := jwk.ParseString(text)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := set.Key(0)
	for range 32 { // the lesser s is one of two, by chance
		if _, err := jws.Verify([]byte(issue(t, k, claims())), jws.WithKey(jwa.ES256, key)); err != nil {
			t.Fatal(err)
		}
	}
	// What is handed out is the caller's to keep.
	set1, _ := k.Tokens().KeySet(t.Context())
	clear(set1)
	if got := keySet(t, k); got != text {
		t.Errorf("after a caller wrote into it: got %q", got)
	}
}

func TestATokenIsGivenBackAsItWasIssued(t *testing.T) {
	k := open(t, config())
	for name, change := range map[string]func(*domain.Claims){
		"as it stands":             func(*domain.Claims) {},
		"no roles":                 func(c *domain.Claims) { c.Roles = nil },
		"one role":                 func(c *domain.Claims) { c.Roles = []domain.Role{"admin"} },
		"av 0":                     func(c *domain.Claims) { c.Authority = 0 },
		"the greatest av":          func(c *domain.Claims) { c.Authority = math.MaxInt64 },
		"expired long ago":         func(c *domain.Claims) { c.Expires = time.Unix(1, 0) },
		"expires in the year 9999": func(c *domain.Claims) { c.Expires = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) },
		"quotes and angles in jti": func(c *domain.Claims) { c.TokenID = `"<&>\` + "\u2028\n" },
	} {
		t.Run(name, func(t *testing.T) {
			want := claims()
			change(&want)
			token := issue(t, k, want)
			for _, when := range []string{"at first", "once more"} {
				if got, err := k.Tokens().Verify(t.Context(), token); err != nil || !same(got, want) {
					t.Errorf("%s: got %+v, %v\nwant %+v", when, got, err, want)
				}
			}
		})
	}
}

func TestClaimsThatVerifyWouldNotTakeAreNotIssued(t *testing.T) {
	k := open(t, config())
	for name, change := range map[string]func(*domain.Claims){
		"no subject":            func(c *domain.Claims) { c.Subject = "" },
		"no session":            func(c *domain.Claims) { c.Session = "" },
		"no token id":           func(c *domain.Claims) { c.TokenID = "" },
		"a long token id":       func(c *domain.Claims) { c.TokenID = strings.Repeat("a", 129) },
		"bad UTF-8":             func(c *domain.Claims) { c.TokenID = "\xff" },
		"a role that is none":   func(c *domain.Claims) { c.Roles = []domain.Role{"Admin"} },
		"an av below 0":         func(c *domain.Claims) { c.Authority = -1 },
		"no expiry":             func(c *domain.Claims) { c.Expires = time.Time{} },
		"an expiry beyond 9999": func(c *domain.Claims) { c.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			c := claims()
			change(&c)
			if _, err := k.Tokens().Issue(t.Context(), c); err == nil {
				t.Error("it was issued")
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Tokens().Issue(ctx, claims()); !errors.Is(err, context.Canceled) {
		t.Errorf("when the caller has gone: got %v, want context.Canceled", err)
	}
}

func TestATokenThatIsRememberedIsNotCheckedAgain(t *testing.T) {
	k := open(t, config())
	token := issue(t, k, claims())
	for range 100 {
		if got, err := k.Tokens().Verify(t.Context(), token); err != nil || !same(got, claims()) {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if got, want := k.Stats(), (jose.Stats{Signatures: 1, Recalled: 99, Remembered: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatACallerDoesToTheRolesIsNotRemembered(t *testing.T) {
	k := open(t, config())
	token := issue(t, k, claims())
	for range 3 {
		got, err := k.Tokens().Verify(t.Context(), token)
		if err != nil || !same(got, claims()) {
			t.Fatalf("got %+v, %v", got, err)
		}
		got.Roles[1] = "owner-of-all"
	}
}

func TestATokenIsForgottenWhenItExpires(t *testing.T) {
	c := config()
	clock := fake.NewClock(noon)
	c.Now = clock.Now
	k := open(t, c)
	token := issue(t, k, claims())
	verify := func(signatures int64) {
		t.Helper()
		if _, err := k.Tokens().Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		if got := k.Stats().Signatures; got != signatures {
			t.Errorf("got %d signatures checked, want %d", got, signatures)
		}
	}
	verify(1)
	clock.Advance(10*time.Minute - time.Second)
	verify(1)
	clock.Advance(time.Second)
	verify(2)
	verify(3) // what is dead is not remembered
}

func TestARefusalIsNotRemembered(t *testing.T) {
	k := open(t, config())
	token := issue(t, k, claims())
	other := issue(t, open(t, config()), claims())
	forged := token[:strings.LastIndexByte(token, '.')] + other[strings.LastIndexByte(other, '.'):]
	for range 2 {
		if _, err := k.Tokens().Verify(t.Context(), forged); !errors.Is(err, domain.ErrInvalidToken) {
			t.Fatalf("got %v, want ErrInvalidToken", err)
		}
	}
	if got, want := k.Stats(), (jose.Stats{Signatures: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := k.Tokens().Verify(t.Context(), token); err != nil {
		t.Errorf("the genuine one: %v", err)
	}
}

// Of the two signatures that anybody can make of one, only ours is taken.
func TestTheOtherSpellingOfASignatureIsRefused(t *testing.T) {
	k := open(t, config())
	set, err := jwk.ParseString(keySet(t, k))
	if err != nil {
		t.Fatal(err)
	}
	key, _ := set.Key(0)
	var public ecdsa.PublicKey
	if err := key.Raw(&public); err != nil {
		t.Fatal(err)
	}
	token := issue(t, k, claims())
	at := strings.LastIndexByte(token, '.') + 1
	signature, err := base64.RawURLEncoding.DecodeString(token[at:])
	if err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).SetBytes(signature[32:])
	s.Sub(public.Params().N, s).FillBytes(signature[32:])
	other := token[:at] + base64.RawURLEncoding.EncodeToString(signature)
	if _, err := jws.Verify([]byte(other), jws.WithKey(jwa.ES256, key)); err != nil {
		t.Fatalf("it is no signature at all: %v", err)
	}
	if _, err := k.Tokens().Verify(t.Context(), other); !errors.Is(err, domain.ErrInvalidToken) {
		t.Errorf("got %v, want ErrInvalidToken", err)
	}
}

func TestManyCallersMayCheckAtOnce(t *testing.T) {
	k := open(t, config())
	tokens := make([]string, 16)
	for i := range tokens {
		c := claims()
		c.Authority = int64(i)
		tokens[i] = issue(t, k, c)
	}
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for n := range 10 * len(tokens) {
				i := n % len(tokens)
				if c, err := k.Tokens().Verify(t.Context(), tokens[i]); err != nil || c.Authority != int64(i) {
					t.Errorf("got %+v, %v", c, err)
				}
			}
		})
	}
	callers.Wait()
}

func TestARememberedCheckAllocatesNoMoreThanTheRoles(t *testing.T) {
	k := open(t, config())
	for name, c := range map[string]struct {
		roles []domain.Role
		most  float64
	}{
		"without roles": {nil, 0},
		"with roles":    {claims().Roles, 1},
	} {
		t.Run(name, func(t *testing.T) {
			made := claims()
			made.Roles = c.roles
			token := issue(t, k, made)
			ctx := t.Context()
			got := testing.AllocsPerRun(100, func() {
				if _, err := k.Tokens().Verify(ctx, token); err != nil {
					t.Fatal(err)
				}
			})
			if got > c.most {
				t.Errorf("got %v allocations, want %v at most", got, c.most)
			}
		})
	}
}
