package jose_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// forge signs any header and payload with k's genuine key.
func forge(t testing.TB, k *jose.Keyring, header, payload string) string {
	t.Helper()
	token, err := jose.Forge(k, header, payload)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// parts returns the three parts of a token, the first two decoded.
func parts(t rapid.TB, token string) (header, payload, signature string) {
	t.Helper()
	part := strings.Split(token, ".")
	h, err1 := base64.RawURLEncoding.DecodeString(part[0])
	p, err2 := base64.RawURLEncoding.DecodeString(part[1])
	if len(part) != 3 || err1 != nil || err2 != nil {
		t.Fatalf("%s is no token", token)
	}
	return string(h), string(p), part[2]
}

// refused fails t unless Verify refuses the token, as often as it is shown, after
// the given number of signatures checked each time.
func refused(t *testing.T, k *jose.Keyring, token string, signatures int64) {
	t.Helper()
	before := k.Stats()
	for range 2 {
		if c, err := k.Tokens().Verify(t.Context(), token); !errors.Is(err, domain.ErrInvalidToken) || !same(c, domain.Claims{}) {
			t.Errorf("got %+v, %v, want ErrInvalidToken\n%.300s", c, err, token)
		}
	}
	after := k.Stats()
	if got := after.Signatures - before.Signatures; got != 2*signatures {
		t.Errorf("got %d signatures checked, want %d\n%.300s", got, 2*signatures, token)
	}
	if after.Remembered != before.Remembered {
		t.Errorf("it is remembered\n%.300s", token)
	}
}

// Each of these headers is signed with the genuine key, so that nothing but the
// header can be why it is refused.
func TestAHeaderThatIsNotExactlyOursIsRefusedBeforeTheSignatureIsChecked(t *testing.T) {
	k := open(t, config())
	header, payload, _ := parts(t, issue(t, k, claims()))
	var own struct{ Kid string }
	if err := json.Unmarshal([]byte(header), &own); err != nil {
		t.Fatal(err)
	}
	with := func(members string) string { return strings.TrimSuffix(header, "}") + "," + members + "}" }
	replace := func(old, now string) string {
		if !strings.Contains(header, old) {
			t.Fatalf("%s is not in %s", old, header)
		}
		return strings.Replace(header, old, now, 1)
	}
	kid := `"kid":"` + own.Kid + `"`
	for name, h := range map[string]string{
		"none":                    replace("ES256", "none"),
		"None":                    replace("ES256", "None"),
		"NONE":                    replace("ES256", "NONE"),
		"nOnE":                    replace("ES256", "nOnE"),
		"no algorithm":            replace(`"alg":"ES256",`, ""),
		"an empty algorithm":      replace("ES256", ""),
		"algorithm null":          replace(`"ES256"`, "null"),
		"an array of algorithms":  replace(`"ES256"`, `["ES256"]`),
		"algorithm in lower case": replace("ES256", "es256"),
		"HS256":                   replace("ES256", "HS256"),
		"ES384":                   replace("ES256", "ES384"),
		"ES256K":                  replace("ES256", "ES256K"),
		"RS256":                   replace("ES256", "RS256"),
		"EdDSA":                   replace("ES256", "EdDSA"),
		"dir, as in a JWE":        replace("ES256", "dir"),

		"no kid":                    replace(kid+",", ""),
		"kid null":                  replace(kid, `"kid":null`),
		"an empty kid":              replace(kid, `"kid":""`),
		"kid a number":              replace(kid, `"kid":1`),
		"kid an object":             replace(kid, `"kid":{}`),
		"kid a path":                replace(kid, `"kid":"../../../../dev/null"`),
		"kid SQL":                   replace(kid, `"kid":"' OR 1=1 --"`),
		"kid with a NUL after":      replace(kid, `"kid":"`+own.Kid+`\u0000"`),
		"kid with a space after":    replace(kid, `"kid":"`+own.Kid+` "`),
		"kid in capitals":           replace(kid, `"kid":"`+strings.ToUpper(own.Kid)+`"`),
		"kid without its last byte": replace(kid, `"kid":"`+own.Kid[:len(own.Kid)-1]+`"`),
		"kid a URL":                 replace(kid, `"kid":"https://evil.example/key"`),

		"no typ":             replace(`,"typ":"at+jwt"`, ""),
		"typ null":           replace(`"at+jwt"`, "null"),
		"typ JWT":            replace("at+jwt", "JWT"),
		"typ in capitals":    replace("at+jwt", "AT+JWT"),
		"typ with a prefix":  replace("at+jwt", "application/at+jwt"),
		"typ of a logout":    replace("at+jwt", "logout+jwt"),
		"typ with a NUL":     replace("at+jwt", `at+jwt\u0000`),
		"typ with its space": replace("at+jwt", "at+jwt "),

		"a jwk":                   with(`"jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`),
		"a jku":                   with(`"jku":"https://evil.example/jwks.json"`),
		"an x5u":                  with(`"x5u":"https://evil.example/cert.pem"`),
		"an x5c":                  with(`"x5c":["AAAA"]`),
		"an x5t":                  with(`"x5t":"AAAA"`),
		"an empty crit":           with(`"crit":[]`),
		"an unknown crit":         with(`"crit":["exp"],"exp":1`),
		"crit null":               with(`"crit":null`),
		"b64 true":                with(`"b64":true`),
		"b64 false":               with(`"b64":false,"crit":["b64"]`),
		"zip":                     with(`"zip":"DEF"`),
		"cty":                     with(`"cty":"JWT"`),
		"enc, as in a JWE":        with(`"enc":"A128GCM"`),
		"a member of its own":     with(`"x":1`),
		"a member without a name": with(`"":1`),

		"alg twice":              with(`"alg":"ES256"`),
		"alg twice, none first":  replace(`{`, `{"alg":"none",`),
		"alg twice, in capitals": with(`"ALG":"none"`),
		"kid twice":              with(kid),
		"alg escaped, as twice":  with(`"\u0061lg":"none"`),
		"names in capitals":      replace(`"alg"`, `"Alg"`),

		"nothing":               "",
		"null":                  "null",
		"an array":              "[" + header + "]",
		"two values":            header + header,
		"text after":            header + "x",
		"a NUL after":           header + "\x00",
		"a byte order mark":     "\ufeff" + header,
		"bad UTF-8":             replace("at+jwt", "at+jwt\xff"),
		"a lone surrogate":      replace("at+jwt", `at+jwt\ud800`),
		"a comma at the end":    replace("}", ",}"),
		"a comment":             replace("{", "{/**/"),
		"a thousand brackets":   strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
		"a thousand levels":     with(`"x":` + strings.Repeat(`{"x":`, 300) + "1" + strings.Repeat("}", 300)),
		"single quotes":         strings.ReplaceAll(header, `"`, "'"),
		"cut off in the middle": header[:len(header)/2],
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, k, forge(t, k, h, payload), 0)
		})
	}
	if _, err := k.Tokens().Verify(t.Context(), forge(t, k, header, payload)); err != nil {
		t.Errorf("the header as it stands: %v", err)
	}
}

// Each of these payloads is signed with the genuine key.
func TestClaimsThatAreNotExactlyOursAreRefusedBeforeTheSignatureIsChecked(t *testing.T) {
	k := open(t, config())
	header, payload, _ := parts(t, issue(t, k, claims()))
	changed := map[string]string{
		"another issuer":          `"iss":"https://keyport.example/"`,
		"an issuer in capitals":   `"iss":"https://KEYPORT.example"`,
		"an empty issuer":         `"iss":""`,
		"an array of issuers":     `"iss":["https://keyport.example"]`,
		"another audience":        `"aud":"https://other.example"`,
		"an array of audiences":   `"aud":["https://api.example"]`,
		"two audiences":           `"aud":["https://api.example","https://other.example"]`,
		"an empty audience":       `"aud":""`,
		"sub empty":               `"sub":""`,
		"sub a number":            `"sub":1`,
		"sub no UUID":             `"sub":"ada"`,
		"sub in capitals":         `"sub":"01900001-0000-7000-8000-00000000000A"`,
		"sub with a NUL":          `"sub":"01900001-0000-7000-8000-00000000000\u0000"`,
		"sid empty":               `"sid":""`,
		"sid SQL":                 `"sid":"' OR 1=1 --"`,
		"jti empty":               `"jti":""`,
		"jti a number":            `"jti":1`,
		"jti too long":            `"jti":"` + strings.Repeat("a", 129) + `"`,
		"a role twice":            `"roles":["admin","admin"]`,
		"roles a text":            `"roles":"admin"`,
		"roles an object":         `"roles":{"admin":true}`,
		"a role in capitals":      `"roles":["Admin"]`,
		"an empty role":           `"roles":[""]`,
		"a role that is null":     `"roles":[null]`,
		"a role that is a number": `"roles":[1]`,
		"seventeen roles":         `"roles":["a","b","c","d","e","f","g","h","i","j","k","l","m","n","o","p","q"]`,
		"jti bad UTF-8":           "\"jti\":\"\xff\"",
		"jti a lone surrogate":    `"jti":"\udc00"`,
	}
	for _, name := range []string{"exp", "iat", "auth_time", "av"} {
		for _, value := range []string{
			`"1893586200"`, "1893586200.0", "1893586200.5", "1.8935862e9", "1e3", "1E400", "-1", "-0.0", "01", "+1", "0x10", "1_000", "NaN", "Infinity",
			"9223372036854775808", "18446744073709551617", strings.Repeat("9", 400),
			"true", "{}", "[]", "[1893586200]", `""`, `"2030-01-02T12:10:00Z"`,
		} {
			changed[name+" "+value] = fmt.Sprintf("%q:%s", name, value)
		}
	}
	for _, name := range []string{"exp", "iat", "auth_time"} {
		for _, value := range []int64{253402300800, 1<<53 + 1, math.MaxInt64} { // from the year 10000 on
			changed[fmt.Sprint(name, " ", value)] = fmt.Sprintf("%q:%d", name, value)
		}
	}
	tokens := make(map[string]string)
	for name, member := range changed {
		key, _, _ := strings.Cut(member, ":")
		tokens[name] = replaceMember(t, payload, key, member)
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "iat", "jti", "sid", "av", "roles", "auth_time"} {
		key := fmt.Sprintf("%q", name)
		tokens["no "+name] = replaceMember(t, payload, key, "")
		tokens[name+" null"] = replaceMember(t, payload, key, key+":null")
		tokens[name+" twice"] = strings.TrimSuffix(payload, "}") + "," + key + ":null}"
		tokens[name+" in capitals too"] = strings.TrimSuffix(payload, "}") + "," + strings.ToUpper(key) + ":null}"
		tokens[name+" in capitals only"] = strings.Replace(payload, key, strings.ToUpper(key), 1)
	}
	for name, text := range map[string]string{
		"a claim of its own": strings.TrimSuffix(payload, "}") + `,"admin":true}`,
		"nbf":                strings.TrimSuffix(payload, "}") + `,"nbf":1}`,
		"nothing":            "",
		"an empty object":    "{}",
		"null":               "null",
		"a text":             `"` + encode(payload) + `"`,
		"an array":           "[" + payload + "]",
		"two values":         payload + payload,
		"text after":         payload + "x",
		"a NUL after":        payload + "\x00",
		"cut off":            payload[:len(payload)-1],
		"nested deep":        strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500),
	} {
		tokens[name] = text
	}
	for name, text := range tokens {
		t.Run(name, func(t *testing.T) {
			refused(t, k, forge(t, k, header, text), 0)
		})
	}
	// The same claims in another order are no less genuine.
	token := forge(t, k, header, "{"+member(t, payload, `"iss"`)+","+strings.TrimPrefix(replaceMember(t, payload, `"iss"`, ""), "{"))
	if _, err := k.Tokens().Verify(t.Context(), token); err != nil {
		t.Errorf("the payload as it stands: %v", err)
	}
}

// members splits a flat object into its members, name and value.
func members(t *testing.T, object string) []string {
	t.Helper()
	var out []string
	depth, start, quoted := 0, 1, false
	for i := 1; i < len(object)-1; i++ {
		switch c := object[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ',' && depth == 0:
			out = append(out, object[start:i])
			start = i + 1
		}
	}
	return append(out, object[start:len(object)-1])
}

func member(t *testing.T, object, key string) string {
	t.Helper()
	for _, m := range members(t, object) {
		if strings.HasPrefix(m, key+":") {
			return m
		}
	}
	t.Fatalf("%s is not in %s", key, object)
	return ""
}

// replaceMember returns object with another member in place of that of a name,
// or with none.
func replaceMember(t *testing.T, object, key, now string) string {
	t.Helper()
	old := member(t, object, key)
	var kept []string
	for _, m := range members(t, object) {
		switch {
		case m != old:
			kept = append(kept, m)
		case now != "":
			kept = append(kept, now)
		}
	}
	return "{" + strings.Join(kept, ",") + "}"
}

func TestATextThatIsNoTokenIsRefusedBeforeTheSignatureIsChecked(t *testing.T) {
	k := open(t, config())
	token := issue(t, k, claims())
	part := strings.Split(token, ".")
	header, payload, signature := parts(t, token)
	spare := func(s string) string { // sets the last bit, which no byte uses
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		return s[:len(s)-1] + string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])|1])
	}
	// A header and a payload whose texts leave bits to spare.
	loose := func(i int) string {
		h, p := header, payload
		for len(encode(h))%4 == 0 {
			h += " "
		}
		for len(encode(p))%4 == 0 {
			p += " "
		}
		piece := strings.Split(forge(t, k, h, p), ".")
		piece[i] = spare(piece[i])
		return strings.Join(piece, ".")
	}
	for name, text := range map[string]string{
		"nothing":                 "",
		"one dot":                 ".",
		"two dots":                "..",
		"one part":                part[0],
		"two parts":               part[0] + "." + part[1],
		"four parts":              token + "." + part[2],
		"a dot after":             token + ".",
		"a dot before":            "." + token,
		"a JWE of five parts":     strings.Join([]string{encode(`{"alg":"dir","enc":"A128GCM"}`), "", "AAAA", "AAAA", "AAAA"}, "."),
		"no signature":            part[0] + "." + part[1] + ".",
		"no payload":              part[0] + ".." + part[2],
		"no header":               "." + part[1] + "." + part[2],
		"none without signature":  encode(`{"alg":"none","typ":"at+jwt"}`) + "." + part[1] + ".",
		"JSON, general":           `{"payload":"` + part[1] + `","signatures":[{"protected":"` + part[0] + `","signature":"` + part[2] + `"}]}`,
		"JSON, flattened":         `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`,
		"padding of the header":   part[0] + "=." + part[1] + "." + part[2],
		"padding of the payload":  part[0] + "." + part[1] + "=." + part[2],
		"padding of the end":      token + "==",
		"a line break after":      token + "\n",
		"a line break within":     part[0] + "." + part[1][:9] + "\n" + part[1][9:] + "." + part[2],
		"a return in the end":     token[:len(token)-9] + "\r" + token[len(token)-9:],
		"a line break before":     "\n" + token,
		"a space before":          " " + token,
		"a space after":           token + " ",
		"a tab within":            part[0] + "\t." + part[1] + "." + part[2],
		"a NUL after":             token + "\x00",
		"a letter beyond ASCII":   token + "\u00e9",
		"a dot of another script": strings.Replace(token, ".", "\u3002", 1),
		"the standard alphabet":   part[0] + "." + part[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(part[2][:85]) + "+",
		"percent signs":           strings.Replace(token, ".", "%2e", 1),
		"Bearer before":           "Bearer " + token,
		"spare bits in the head":  loose(0),
		"spare bits in the body":  loose(1),
		"spare bits at the end":   loose(2),
		"one character more":      token + "A",
		"one character less":      token[:len(token)-1],
		"a signature of 63 bytes": part[0] + "." + part[1] + "." + encode(strings.Repeat("\x01", 63)),
		"a signature of 65 bytes": part[0] + "." + part[1] + "." + encode(strings.Repeat("\x01", 65)),
		"a signature in DER":      part[0] + "." + part[1] + "." + encode("\x30\x44\x02\x20"+strings.Repeat("\x01", 32)+"\x02\x20"+strings.Repeat("\x01", 32)),
		"r and s zero":            part[0] + "." + part[1] + "." + encode(strings.Repeat("\x00", 64)),
		"r zero":                  part[0] + "." + part[1] + "." + encode(strings.Repeat("\x00", 32)+strings.Repeat("\x01", 32)),
		"s zero":                  part[0] + "." + part[1] + "." + encode(strings.Repeat("\x01", 32)+strings.Repeat("\x00", 32)),
		"r the order":             part[0] + "." + part[1] + "." + encode(string(elliptic.P256().Params().N.Bytes())+strings.Repeat("\x01", 32)),
		"s the order":             part[0] + "." + part[1] + "." + encode(strings.Repeat("\x01", 32)+string(elliptic.P256().Params().N.Bytes())),
		"r and s all ones":        part[0] + "." + part[1] + "." + encode(strings.Repeat("\xff", 64)),
		"4 KiB and a byte":        strings.Repeat("A", 4097),
		"a mebibyte":              strings.Repeat("A", 1<<20),
		"a mebibyte of dots":      strings.Repeat(".", 1<<20),
		"4 KiB of brackets":       encode(strings.Repeat("[", 2000)) + "." + part[1] + "." + part[2],
		"a token that has grown":  encode(header+strings.Repeat(" ", 4096)) + "." + part[1] + "." + signature,
	} {
		t.Run(name, func(t *testing.T) { refused(t, k, text, 0) })
	}
}

func TestASignatureThatIsNotOursIsRefused(t *testing.T) {
	k := open(t, config())
	token := issue(t, k, claims())
	header, payload, signature := parts(t, token)
	text := encode(header) + "." + encode(payload)

	hmacWith := func(key string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(text))
		// HMAC-SHA-256 has 32 bytes; as long as a signature of ES256, with an s that is small.
		return encode("\x01" + string(h.Sum(nil)[1:]) + "\x01" + string(h.Sum(nil)[1:]))
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, stranger, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if n := elliptic.P256().Params().N; s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		s.Sub(n, s)
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])

	other := claims()
	other.Authority++
	_, _, elsewhere := parts(t, issue(t, k, other))
	_, _, replica := parts(t, issue(t, open(t, config()), claims()))
	for name, signature := range map[string]string{
		"of another key with our kid":      encode(string(raw)),
		"of another Keyport":               replica,
		"of another token":                 elsewhere,
		"HMAC with the public key":         hmacWith(keySet(t, k)),
		"HMAC with nothing":                hmacWith(""),
		"r and s one":                      encode(strings.Repeat("\x00", 31) + "\x01" + strings.Repeat("\x00", 31) + "\x01"),
		"r and s changed round, s small":   encode("\x01" + strings.Repeat("\x02", 31) + "\x01" + strings.Repeat("\x03", 31)),
		"with its first character changed": flip(signature, 0),
	} {
		t.Run(name, func(t *testing.T) { refused(t, k, text+"."+signature, 1) })
	}
	if _, err := k.Tokens().Verify(t.Context(), token); err != nil {
		t.Errorf("the token as it stands: %v", err)
	}
	// Claims changed under a genuine signature.
	raised := strings.Replace(payload, `["admin","editor"]`, `["admin","sudo"]`, 1)
	refused(t, k, encode(header)+"."+encode(raised)+"."+signature, 1)
}

// flip returns s with the character at i replaced by another of the alphabet.
func flip(s string, i int) string {
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}

func TestNoCharacterOfATokenCanBeChanged(t *testing.T) {
	k := open(t, config())
	token := issue(t, k, claims())
	for i := range token {
		for _, changed := range []string{flip(token, i), token[:i] + token[i+1:], token[:i] + "." + token[i+1:]} {
			if changed == token {
				continue
			}
			if _, err := k.Tokens().Verify(t.Context(), changed); !errors.Is(err, domain.ErrInvalidToken) {
				t.Errorf("character %d: got %v, want ErrInvalidToken", i, err)
			}
		}
	}
}
