package jose_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

// known is an RSA key that tests can sign with as they please.
var known = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// openWith opens a keyring that signs by the algorithm; by RS256, with the known
// key.
func openWith(t testing.TB, a domain.Algorithm) *jose.Keyring {
	t.Helper()
	c := config()
	c.Algorithm = a
	if a == domain.RS256 {
		k := domain.Key{ID: newID(), Use: "sign", Number: 1, Algorithm: a, Created: noon, Signs: noon}
		if _, err := c.Store.Keys().Settle(t.Context(), jose.Seal(c.Master, k, x509.MarshalPKCS1PrivateKey(known()))); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, c)
}

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	ok(t, err)
	return b
}

func TestEachAlgorithmSignsWhatOthersVerify(t *testing.T) {
	members := map[domain.Algorithm][]string{
		"ES256": {"alg", "crv", "kid", "kty", "use", "x", "y"},
		"EdDSA": {"alg", "crv", "kid", "kty", "use", "x"},
		"RS256": {"alg", "e", "kid", "kty", "n", "use"},
	}
	for _, a := range domain.SigningAlgorithms() {
		t.Run(string(a), func(t *testing.T) {
			k := openWith(t, a)
			token := issue(t, k, claims())
			header, _, _ := parts(t, token)
			if want := `{"alg":"` + string(a) + `","kid":"` + published(t, k)[0] + `","typ":"at+jwt"}`; header != want {
				t.Errorf("got the header %s, want %s", header, want)
			}
			var raw struct {
				Keys []map[string]string `json:"keys"`
			}
			ok(t, json.Unmarshal([]byte(keySet(t, k)), &raw))
			var names []string
			for name := range raw.Keys[0] {
				names = append(names, name)
			}
			slices.Sort(names)
			if !slices.Equal(names, members[a]) {
				t.Errorf("got the members %q, want %q", names, members[a])
			}
			set, err := jwk.ParseString(keySet(t, k))
			ok(t, err)
			key, _ := set.Key(0)
			if _, err := jws.Verify([]byte(token), jws.WithKey(jwa.SignatureAlgorithm(a), key)); err != nil {
				t.Error(err)
			}
			for _, when := range []string{"at first", "once more"} {
				if got, err := k.Tokens().Verify(t.Context(), token); err != nil || !same(got, claims()) {
					t.Errorf("%s: got %+v, %v", when, got, err)
				}
			}
		})
	}
}

func TestNoCharacterOfATokenCanBeChangedWhateverItsAlgorithm(t *testing.T) {
	for _, a := range []domain.Algorithm{"EdDSA", "RS256"} {
		k := openWith(t, a)
		token := issue(t, k, claims())
		for i := range token {
			for _, changed := range []string{flip(token, i), token[:i] + token[i+1:], token[:i] + "." + token[i+1:]} {
				if changed == token {
					continue
				}
				if _, err := k.Tokens().Verify(t.Context(), changed); err == nil {
					t.Errorf("%s: changed at %d it was taken", a, i)
				}
			}
		}
	}
}

// A key ring that keeps keys of all algorithms is not to be misled about which is
// whose.
func TestAHeaderWithTheAlgorithmOfAnotherKeyIsRefusedBeforeTheSignatureIsChecked(t *testing.T) {
	c, clock := timed()
	var k *jose.Keyring
	kids := make(map[domain.Algorithm]string)
	for _, a := range domain.SigningAlgorithms() {
		c.Algorithm = a
		k = open(t, c)
		clock.Advance(c.Ahead)
		kids[a] = signerOf(t, k)
	}
	header, payload, _ := parts(t, issue(t, k, claims()))
	for _, key := range domain.SigningAlgorithms() {
		own := strings.NewReplacer("RS256", string(key), kids["RS256"], kids[key]).Replace(header)
		token, err := jose.ForgeBy(k, kids[key], own, payload)
		ok(t, err)
		if _, err := k.Tokens().Verify(t.Context(), token); err != nil {
			t.Errorf("%s: the header as it stands: %v", key, err)
		}
		for _, alg := range []string{"ES256", "EdDSA", "RS256", "HS256", "none", "PS256", "Ed25519", "RS512"} {
			if alg == string(key) {
				continue
			}
			other := strings.Replace(own, `"alg":"`+string(key), `"alg":"`+alg, 1)
			for _, signer := range domain.SigningAlgorithms() {
				token, err := jose.ForgeBy(k, kids[signer], other, payload)
				ok(t, err)
				refused(t, k, token, 0)
			}
		}
		// The right header, and a signature of another key.
		for _, signer := range domain.SigningAlgorithms() {
			if signer == key {
				continue
			}
			token, err := jose.ForgeBy(k, kids[signer], own, payload)
			ok(t, err)
			if _, err := k.Tokens().Verify(t.Context(), token); err == nil {
				t.Errorf("%s signed as %s, and was taken", signer, key)
			}
		}
	}
}

func TestAnHMACWithAPublicKeyIsNoSignature(t *testing.T) {
	for _, a := range domain.SigningAlgorithms() {
		k := openWith(t, a)
		header, payload, _ := parts(t, issue(t, k, claims()))
		set, err := jwk.ParseString(keySet(t, k))
		ok(t, err)
		key, _ := set.Key(0)
		var raw any
		ok(t, key.Raw(&raw))
		der, err := x509.MarshalPKIXPublicKey(raw)
		ok(t, err)
		var members struct{ Keys []json.RawMessage }
		ok(t, json.Unmarshal([]byte(keySet(t, k)), &members))
		for name, secret := range map[string][]byte{
			"the JWK Set": []byte(keySet(t, k)), "the JWK": members.Keys[0], "DER": der,
			"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "nothing": nil,
		} {
			t.Run(string(a)+" with "+name, func(t *testing.T) {
				sum := func(header string, size int) string {
					h := hmac.New(sha256.New, secret)
					h.Write([]byte(encode(header) + "." + encode(payload)))
					return encode(header) + "." + encode(payload) + "." + encode(string(slices.Repeat(h.Sum(nil), size/32)))
				}
				refused(t, k, sum(strings.Replace(header, string(a), "HS256", 1), 32), 0)
				refused(t, k, sum(header, 32), 0)
				for _, size := range []int{64, 256} { // as long as signatures are
					if _, err := k.Tokens().Verify(t.Context(), sum(header, size)); err == nil {
						t.Errorf("it was taken with %d bytes", size)
					}
				}
			})
		}
	}
}

func TestASignatureOfEdDSAThatIsNotOursIsRefused(t *testing.T) {
	k := openWith(t, domain.EdDSA)
	header, payload, text := parts(t, issue(t, k, claims()))
	signature := bytesOf(t, text)
	r, s := signature[:32], signature[32:]
	little := func(n *big.Int) []byte {
		b := n.FillBytes(make([]byte, 32))
		slices.Reverse(b)
		return b
	}
	number := func(little []byte) *big.Int {
		b := slices.Clone(little)
		slices.Reverse(b)
		return new(big.Int).SetBytes(b)
	}
	l, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	one := big.NewInt(1)
	identity := append([]byte{1}, make([]byte, 31)...)
	order8, err := hex.DecodeString("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
	ok(t, err)
	zero, ones := make([]byte, 32), slices.Repeat([]byte{0xff}, 32)
	for name, c := range map[string]struct {
		r, s    []byte
		checked int64
	}{
		"nothing":                    {nil, nil, 0},
		"63 bytes":                   {r, s[:31], 0},
		"65 bytes":                   {r, append(s[:32:32], 0), 0},
		"R alone":                    {r, nil, 0},
		"S with the order added":     {r, little(new(big.Int).Add(number(s), l)), 0},
		"S with it added twice":      {r, little(new(big.Int).Add(number(s), new(big.Int).Lsh(l, 1))), 0},
		"S the order":                {r, little(l), 0},
		"S all ones":                 {r, ones, 0},
		"S with its highest bit set": {r, append(s[:31:31], s[31]|0x80), 0},
		"S the greatest":             {r, little(new(big.Int).Sub(l, one)), 1},
		"S one more":                 {r, little(new(big.Int).Add(number(s), one)), 1},
		"S negated":                  {r, little(new(big.Int).Sub(l, number(s))), 1},
		"S zero":                     {r, zero, 1},
		"all zero":                   {zero, zero, 1},
		"R the identity, S zero":     {identity, zero, 1},
		"R of order eight, S zero":   {order8, zero, 1},
		"R all ones":                 {ones, s, 1},
		"R with its sign changed":    {append(r[:31:31], r[31]^0x80), s, 1},
		"R and S changed round":      {little(number(s)), zero, 1},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, k, encode(header)+"."+encode(payload)+"."+encode(string(c.r)+string(c.s)), c.checked)
		})
	}
}

func TestASignatureOfRS256ThatIsNotOursIsRefused(t *testing.T) {
	k := openWith(t, domain.RS256)
	key := known()
	// One that is still below 2^2048 when the modulus is added to it.
	var header, payload string
	var signature []byte
	var more *big.Int
	for more == nil || more.BitLen() > 2048 {
		c := claims()
		c.TokenID = newID()
		var text string
		header, payload, text = parts(t, issue(t, k, c))
		signature = bytesOf(t, text)
		more = new(big.Int).Add(new(big.Int).SetBytes(signature), key.N)
	}
	signed := []byte(encode(header) + "." + encode(payload))
	fill := func(n *big.Int) []byte { return n.FillBytes(make([]byte, 256)) }
	digest, long := sha256.Sum256(signed), sha512.Sum512(signed)
	pss, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	ok(t, err)
	otherHash, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA512, long[:])
	ok(t, err)
	bare, err := rsa.SignPKCS1v15(rand.Reader, key, 0, digest[:])
	ok(t, err)
	one := big.NewInt(1)
	for name, c := range map[string]struct {
		signature []byte
		checked   int64
	}{
		"nothing":                     {nil, 0},
		"a zero before it":            {append([]byte{0}, signature...), 0},
		"a zero after it":             {append(signature[:256:256], 0), 0},
		"without its first byte":      {signature[1:], 0},
		"without its last byte":       {signature[:255], 0},
		"the modulus added":           {fill(more), 0},
		"the modulus":                 {fill(key.N), 0},
		"all ones":                    {slices.Repeat([]byte{0xff}, 256), 0},
		"twice":                       {append(signature[:256:256], signature...), 0},
		"zero":                        {make([]byte, 256), 1},
		"one":                         {fill(one), 1},
		"one less than the modulus":   {fill(new(big.Int).Sub(key.N, one)), 1},
		"negated":                     {fill(new(big.Int).Sub(key.N, new(big.Int).SetBytes(signature))), 1},
		"by PSS":                      {pss, 1},
		"with another hash":           {otherHash, 1},
		"without the name of a hash":  {bare, 1},
		"of 64 bytes, as one of P256": {make([]byte, 64), 0},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, k, string(signed)+"."+encode(string(c.signature)), c.checked)
		})
	}
	if _, err := k.Tokens().Verify(t.Context(), string(signed)+"."+encode(string(signature))); err != nil {
		t.Errorf("the token as it stands: %v", err)
	}
}
