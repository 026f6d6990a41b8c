package main_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// audience is what the verifiers below call themselves.
const audience = "https://api.example"

// A bearer is somebody who signed in at a Keyport that was just started.
type bearer struct {
	*process.Keyport
	account, token string
}

func newBearer(t *testing.T, algorithm string) bearer {
	t.Helper()
	k := start(t, []string{"KEYPORT_AUDIENCE=" + audience, "KEYPORT_SIGNING_ALG=" + algorithm}, "serve")
	v := visit(t, k)
	var account struct{ ID string }
	v.want(201, "POST", "/v1/accounts", map[string]string{"username": "ada", "password": "fifteen characters"}, &account)
	grant, err := v.SignIn(t.Context(), "ada", "fifteen characters")
	if err != nil {
		t.Fatal(err)
	}
	return bearer{k, account.ID, grant.AccessToken}
}

// tampered returns the token with a role more, under the old signature.
func (b bearer) tampered(t *testing.T) string {
	t.Helper()
	parts := strings.Split(b.token, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || len(parts) != 3 || !bytes.Contains(claims, []byte(`"roles":[]`)) {
		t.Fatalf("a token of %d parts, with %s, %v", len(parts), claims, err)
	}
	claims = bytes.Replace(claims, []byte(`"roles":[]`), []byte(`"roles":["admin"]`), 1)
	parts[1] = base64.RawURLEncoding.EncodeToString(claims)
	return strings.Join(parts, ".")
}

// algorithms are what KEYPORT_SIGNING_ALG may be.
var algorithms = []string{oidc.ES256, oidc.EdDSA, oidc.RS256}

// TestGoOIDCVerifies lets coreos/go-oidc find all that it needs at the issuer.
func TestGoOIDCVerifies(t *testing.T) {
	for _, a := range algorithms {
		t.Run(a, func(t *testing.T) { goOIDCVerifies(t, newBearer(t, a), a) })
	}
}

func goOIDCVerifies(t *testing.T, b bearer, algorithm string) {
	ctx := t.Context()
	provider, err := oidc.NewProvider(ctx, b.URL)
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		KeySet        string  `json:"jwks_uri"`
		RevocationMax float64 `json:"keyport_revocation_max"`
	}
	if err := provider.Claims(&found); err != nil {
		t.Fatal(err)
	}
	if found.RevocationMax != 5 {
		t.Errorf("a revoked token is said to be taken for %v seconds, want the default", found.RevocationMax)
	}
	token, err := provider.Verifier(&oidc.Config{ClientID: audience}).Verify(ctx, b.token)
	if err != nil {
		t.Fatal(err)
	}
	if token.Subject != b.account || token.Issuer != b.URL {
		t.Errorf("it reads %+v, and the account is %s", token, b.account)
	}
	inAnHour := func() time.Time { return time.Now().Add(time.Hour) }
	for _, test := range []struct {
		name, token string
		verifier    *oidc.IDTokenVerifier
		want        string
	}{
		{"a tampered token", b.tampered(t), provider.Verifier(&oidc.Config{ClientID: audience}), "signature"},
		{"another audience", b.token, provider.Verifier(&oidc.Config{ClientID: "https://another.example"}), "audience"},
		{"an hour late", b.token, provider.Verifier(&oidc.Config{ClientID: audience, Now: inAnHour}), "expired"},
		{"another issuer", b.token, oidc.NewVerifier("https://another.example", oidc.NewRemoteKeySet(ctx, found.KeySet), &oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{algorithm}}), "issued by a different provider"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.verifier.Verify(ctx, test.token); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want an error about %q", err, test.want)
			}
		})
	}
}

// TestJoseVerifies lets the npm package jose do the same, in a process of its own.
func TestJoseVerifies(t *testing.T) {
	folder := jose(t)
	for _, a := range algorithms {
		t.Run(a, func(t *testing.T) { joseVerifies(t, newBearer(t, a), folder) })
	}
}

func joseVerifies(t *testing.T, b bearer, folder string) {
	question, err := json.Marshal(map[string]string{"issuer": b.URL, "audience": audience, "genuine": b.token, "tampered": b.tampered(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	verify := exec.CommandContext(ctx, "node", "verify.js")
	verify.Dir, verify.Stdin = folder, bytes.NewReader(question)
	var said strings.Builder
	verify.Stderr = &said
	out, err := verify.Output()
	if err != nil {
		t.Fatalf("node verify.js: %v\n%s", err, &said)
	}
	var got map[string]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := map[string]string{
		"genuine":              b.account,
		"tampered":             "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
		"from another issuer":  "ERR_JWT_CLAIM_VALIDATION_FAILED",
		"for another audience": "ERR_JWT_CLAIM_VALIDATION_FAILED",
		"of another type":      "ERR_JWT_CLAIM_VALIDATION_FAILED",
		"an hour late":         "ERR_JWT_EXPIRED",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// jose returns a folder with the package in it, as the lock file has it.
func jose(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("there is no %s here; type: make node", program)
		}
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join("testdata", "jose"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm cannot get what cmd/keyport/testdata/jose/package-lock.json names (does it reach its registry? npm ping tells): %v\n%s", err, out)
	}
	return folder
}
