package jose_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

const (
	ours    = "https://keyport.example"
	service = "https://api.example"
)

// config is good as it stands: an empty store, a fresh master key, and a clock
// that stands at noon.
func config() jose.Config {
	return jose.Config{
		Store: new(fake.Store), Master: jose.NewMaster(), Issuer: ours, Audience: service,
		Turn: 30 * 24 * time.Hour, Ahead: time.Hour, SessionMax: 90 * 24 * time.Hour,
		NewID: newID, Now: fake.NewClock(noon).Now,
	}
}

func newID() string { return "key-" + uuid.Must(uuid.NewV7()).String() }

func open(t testing.TB, c jose.Config) *jose.Keyring {
	t.Helper()
	k, err := jose.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// claims are good as they stand.
func claims() domain.Claims {
	return domain.Claims{
		Subject: "01900001-0000-7000-8000-000000000001", Session: "01900002-0000-7000-8000-000000000001",
		TokenID: "01900003-0000-7000-8000-000000000001", Authority: 7, Roles: []domain.Role{"admin", "editor"},
		SignedIn: noon.Add(-time.Hour), Issued: noon, Expires: noon.Add(10 * time.Minute),
	}
}

func issue(t testing.TB, k *jose.Keyring, c domain.Claims) string {
	t.Helper()
	token, err := k.Tokens().Issue(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

func same(a, b domain.Claims) bool {
	return a.Subject == b.Subject && a.Session == b.Session && a.TokenID == b.TokenID && a.Authority == b.Authority &&
		slices.Equal(a.Roles, b.Roles) && a.SignedIn.Equal(b.SignedIn) && a.Issued.Equal(b.Issued) && a.Expires.Equal(b.Expires)
}

func TestReplicasThatOpenAnEmptyStoreAtOnceAgree(t *testing.T) {
	c := config()
	rings := make([]*jose.Keyring, 8)
	var replicas sync.WaitGroup
	for i := range rings {
		replicas.Go(func() {
			k, err := jose.Open(t.Context(), c)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(k.Close)
			rings[i] = k
		})
	}
	replicas.Wait()
	if t.Failed() {
		return
	}
	refresh := domain.RefreshToken{Session: claims().Session, Counter: 3}
	for i, from := range rings {
		token, text, cursor := issue(t, from, claims()), from.Refresh().Issue(refresh), from.Cursors().Seal("ships", "17")
		for j, to := range rings {
			if got, err := to.Tokens().Verify(t.Context(), token); err != nil || !same(got, claims()) {
				t.Errorf("replica %d on an access token of %d: got %+v, %v", j, i, got, err)
			}
			if got, err := to.Refresh().Verify(text.Reveal()); err != nil || got != refresh {
				t.Errorf("replica %d on a refresh token of %d: got %+v, %v", j, i, got, err)
			}
			if got, err := to.Cursors().Open("ships", cursor); err != nil || got != "17" {
				t.Errorf("replica %d on a cursor of %d: got %q, %v", j, i, got, err)
			}
		}
	}
}

func TestKeysOutliveTheProcess(t *testing.T) {
	c := config()
	first := open(t, c)
	token, before := issue(t, first, claims()), keySet(t, first)
	first.Close()
	second := open(t, c)
	if _, err := second.Tokens().Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	if after := keySet(t, second); after != before {
		t.Errorf("got the key set %s, want %s", after, before)
	}
}

func TestTwoStoresHaveNothingInCommon(t *testing.T) {
	one, two := open(t, config()), open(t, config())
	if _, err := two.Tokens().Verify(t.Context(), issue(t, one, claims())); !errors.Is(err, domain.ErrInvalidToken) {
		t.Errorf("an access token: got %v, want ErrInvalidToken", err)
	}
	text := one.Refresh().Issue(domain.RefreshToken{Session: claims().Session})
	if _, err := two.Refresh().Verify(text.Reveal()); !errors.Is(err, domain.ErrInvalidToken) {
		t.Errorf("a refresh token: got %v, want ErrInvalidToken", err)
	}
	if _, err := two.Cursors().Open("ships", one.Cursors().Seal("ships", "17")); !errors.Is(err, domain.ErrInvalidCursor) {
		t.Errorf("a cursor: got %v, want ErrInvalidCursor", err)
	}
}

func TestAnotherMasterKeyOpensNothingAndSaysSo(t *testing.T) {
	c := config()
	open(t, c)
	genuine := c.Master
	c.Master = jose.NewMaster()
	if _, err := jose.Open(t.Context(), c); !errors.Is(err, jose.ErrMasterKey) {
		t.Errorf("got %v, want ErrMasterKey", err)
	}
	c.Master = genuine
	open(t, c)
}

// altered is a store whose keys are not what was put into it.
type altered struct {
	ports.Store
	alter func(domain.Key) domain.Key
}

func (a altered) Keys() ports.Keys { return alteredKeys{a.Store.Keys(), a.alter} }

type alteredKeys struct {
	ports.Keys
	alter func(domain.Key) domain.Key
}

func (a alteredKeys) List(ctx context.Context) ([]domain.Key, error) {
	list, err := a.Keys.List(ctx)
	for i := range list {
		list[i] = a.alter(list[i])
	}
	return list, err
}

func TestASealedKeyIsGoodForNothingElse(t *testing.T) {
	c := config()
	sound := c.Store
	open(t, c)
	refresh := keysOf(t, sound, "refresh")[0]
	for name, alter := range map[string]func(domain.Key) domain.Key{
		"another id":                func(k domain.Key) domain.Key { k.ID += "x"; return k },
		"no id":                     func(k domain.Key) domain.Key { k.ID = ""; return k },
		"another use":               func(k domain.Key) domain.Key { k.Use += "x"; return k },
		"another algorithm":         func(k domain.Key) domain.Key { k.Algorithm = "none"; return k },
		"the secret of another use": func(k domain.Key) domain.Key { k.Sealed = refresh.Sealed; k.ID = refresh.ID; return k },
		"one bit flipped":           func(k domain.Key) domain.Key { k.Sealed[30] ^= 1; return k },
		"its last byte missing":     func(k domain.Key) domain.Key { k.Sealed = k.Sealed[:len(k.Sealed)-1]; return k },
		"nothing but a nonce":       func(k domain.Key) domain.Key { k.Sealed = k.Sealed[:24]; return k },
		"nothing":                   func(k domain.Key) domain.Key { k.Sealed = nil; return k },
	} {
		t.Run(name, func(t *testing.T) {
			c.Store = altered{sound, func(k domain.Key) domain.Key {
				if k.Use == "cursor" {
					return alter(k)
				}
				return k
			}}
			if k, err := jose.Open(t.Context(), c); err == nil {
				k.Close()
				t.Error("it was opened")
			}
		})
	}
}

// As a later Keyport might leave them behind.
func TestAKeyThatIsSealedRightButIsNotWhatWeUseIsRefused(t *testing.T) {
	sound := bytes.Repeat([]byte{1}, 32)
	for name, k := range map[string]struct {
		key    domain.Key
		secret []byte
	}{
		"another algorithm":        {domain.Key{ID: "a", Use: "sign", Algorithm: "ES384"}, sound},
		"the algorithm of secrets": {domain.Key{ID: "a", Use: "sign", Algorithm: "HS256"}, sound},
		"a secret of another kind": {domain.Key{ID: "a", Use: "refresh", Algorithm: "ES256"}, sound},
		"no id":                    {domain.Key{Use: "sign", Algorithm: "ES256"}, sound},
		"an id without end":        {domain.Key{ID: strings.Repeat("a", 129), Use: "sign", Algorithm: "ES256"}, sound},
		"a scalar of zero":         {domain.Key{ID: "a", Use: "sign", Algorithm: "ES256"}, make([]byte, 32)},
		"a short seed":             {domain.Key{ID: "a", Use: "sign", Algorithm: "EdDSA"}, sound[:31]},
		"a long seed":              {domain.Key{ID: "a", Use: "sign", Algorithm: "EdDSA"}, append(sound[:32:32], 1)},
		"no number of RSA":         {domain.Key{ID: "a", Use: "sign", Algorithm: "RS256"}, sound},
		"an RSA key of 1024 bits":  {domain.Key{ID: "a", Use: "sign", Algorithm: "RS256"}, rsaKey(t, 1024)},
		"an RSA key of 3072 bits":  {domain.Key{ID: "a", Use: "sign", Algorithm: "RS256"}, rsaKey(t, 3072)},
		"a short secret":           {domain.Key{ID: "a", Use: "refresh", Algorithm: "HS256"}, sound[:31]},
		"no secret":                {domain.Key{ID: "a", Use: "cursor", Algorithm: "HS256"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := config()
			k.key.Number = 1
			settle(t, c.Store, jose.Seal(c.Master, k.key, k.secret))
			if ring, err := jose.Open(t.Context(), c); err == nil {
				ring.Close()
				t.Error("it was opened")
			}
		})
	}
	c := config()
	for i, a := range []domain.Algorithm{"ES256", "EdDSA", "RS256"} {
		secret := sound
		if a == "RS256" {
			secret = rsaKey(t, 2048)
		}
		settle(t, c.Store, jose.Seal(c.Master, domain.Key{ID: "key of " + string(a), Use: "sign", Number: i + 1, Algorithm: a, Created: noon, Signs: noon}, secret))
	}
	settle(t, c.Store, domain.Key{ID: "b", Use: "a use of a later Keyport", Number: 1, Algorithm: "HS512", Sealed: sound})
	open(t, c)
}

// rsaKey returns an RSA key as it is sealed.
func rsaKey(t *testing.T, bits int) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return x509.MarshalPKCS1PrivateKey(key)
}

func settle(t *testing.T, s ports.Store, k domain.Key) {
	t.Helper()
	if settled, err := s.Keys().Settle(t.Context(), k); err != nil || settled.ID != k.ID {
		t.Fatalf("got %+v, %v", settled, err)
	}
}

// keysOf returns the stored keys of a use.
func keysOf(t testing.TB, s ports.Store, use string) []domain.Key {
	t.Helper()
	list, err := s.Keys().List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(list, func(k domain.Key) bool { return k.Use != use })
}

func TestAStoreThatFailsIsSaidToHaveFailed(t *testing.T) {
	for after := range 9 {
		var asked atomic.Int64
		c := config()
		c.Store = &fake.Store{Fault: func(string) (bool, error) {
			if asked.Add(1) > int64(after) {
				return false, domain.ErrUnavailable
			}
			return false, nil
		}}
		k, err := jose.Open(t.Context(), c)
		if err == nil {
			k.Close()
			if after < 8 { // to list, begin, settle four times, list, and list once more
				t.Errorf("after %d calls: it was opened", after)
			}
		} else if !errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("after %d calls: got %v, want ErrUnavailable", after, err)
		}
	}
}

func TestAConfigThatLacksSomethingIsRefused(t *testing.T) {
	for name, take := range map[string]func(*jose.Config){
		"a store":                 func(c *jose.Config) { c.Store = nil },
		"a master":                func(c *jose.Config) { c.Master = jose.Master{} },
		"an issuer":               func(c *jose.Config) { c.Issuer = "" },
		"an audience":             func(c *jose.Config) { c.Audience = "" },
		"ids":                     func(c *jose.Config) { c.NewID = nil },
		"a clock":                 func(c *jose.Config) { c.Now = nil },
		"an algorithm that signs": func(c *jose.Config) { c.Algorithm = "HS256" },
		"time ahead":              func(c *jose.Config) { c.Ahead = 0 },
		"a time that goes on":     func(c *jose.Config) { c.Turn = -1 },
		"an end of sessions":      func(c *jose.Config) { c.SessionMax = 0 },
	} {
		c := config()
		take(&c)
		if _, err := jose.Open(t.Context(), c); err == nil {
			t.Errorf("without %s: it was opened", name)
		}
	}
}

func TestAMasterKeyIsReadAsHexAndAsBase64URL(t *testing.T) {
	digits := strings.Repeat("0123456789abcdef", 4)
	want, err := jose.ParseMaster(domain.NewSecret(digits))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{want.Text().Reveal(), strings.ToUpper(digits), " " + digits + "\r\n", want.Text().Reveal() + "\n"} {
		if got, err := jose.ParseMaster(domain.NewSecret(text)); err != nil || got.Text() != want.Text() {
			t.Errorf("%q: got %q, %v", text, got.Text().Reveal(), err)
		}
	}
	for _, text := range []string{
		"", " ", "secret", digits[:63], digits + "0", digits[:62] + "gg", want.Text().Reveal() + "=", want.Text().Reveal()[:42],
		want.Text().Reveal()[:42] + "+", digits[:32] + "\n" + digits[32:],
	} {
		if m, err := jose.ParseMaster(domain.NewSecret(text)); err == nil || !m.IsZero() {
			t.Errorf("%q was read", text)
		} else if text != "" && strings.Contains(err.Error(), text) && strings.TrimSpace(text) != "" {
			t.Errorf("%q is told by the error", text)
		}
	}
	if a, b := jose.NewMaster(), jose.NewMaster(); a.Text() == b.Text() {
		t.Error("two fresh ones are the same")
	}
}

func TestAMasterKeyPrintsAsSecret(t *testing.T) {
	m := jose.NewMaster()
	type hidden struct{ m jose.Master }
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%o", "%c", "%U", "%t"} {
		if got := fmt.Sprintf(format, m); got != "[secret]" {
			t.Errorf("%s: got %s", format, got)
		}
		if got := fmt.Sprintf(format, &m); got != "[secret]" {
			t.Errorf("%s of a pointer: got %s", format, got)
		}
		if got := fmt.Sprintf(format, struct{ M jose.Master }{m}); !strings.Contains(got, "[secret]") {
			t.Errorf("%s in a struct: got %s", format, got)
		}
		if one, two := fmt.Sprintf(format, hidden{jose.NewMaster()}), fmt.Sprintf(format, hidden{m}); one != two {
			t.Errorf("%s in a struct that hides it: got %s and %s, which differ by the key", format, one, two)
		}
	}
	if text, err := m.MarshalText(); string(text) != "[secret]" || err != nil {
		t.Errorf("got %s, %v", text, err)
	}
	if got := m.LogValue().String(); got != "[secret]" {
		t.Errorf("got %s", got)
	}
}
