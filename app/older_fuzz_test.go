package app_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/tokens"
)

func FuzzFleet(f *testing.F)    { fuzzOlder(f, "fleet") }
func FuzzSkeleton(f *testing.F) { fuzzOlder(f, "skeleton") }
func FuzzSignup(f *testing.F)   { fuzzOlder(f, "signup") }
func FuzzLibrary(f *testing.F)  { fuzzOlder(f, "library") }

// A question is a request to an older API, as a fuzzer makes one up. In headers a
// placeholder stands for a token that is good, and Basic credentials are written as
// name:password.
type question struct{ method, path, mediaType, authorization, token, body string }

// fuzzOlder asks an older API whatever there is to ask, beginning with what its
// transcripts do: nothing makes a 5xx, all is answered in the dialect's own manner,
// and no answer tells a secret.
func fuzzOlder(f *testing.F, dialect string) {
	for _, q := range questions(f, dialect) {
		f.Add(q.method, q.path, q.mediaType, q.authorization, q.token, q.body)
	}
	f.Add("BREW", "/", "", "", "", "")
	f.Add("BREW", "/login", "message/coffeepot", "", "", "start")
	f.Fuzz(func(t *testing.T, method, path, mediaType, authorization, token, body string) {
		target, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") || !isMethod(method) || len(body) > 1<<16 {
			return
		}
		w := newSecretive(t, dialect)
		q := question{method, path, mediaType, w.recalled(authorization), w.recalled(token), body}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Method, r.URL, r.Host = method, target, strangeHost
		r.Header.Set("Content-Type", mediaType)
		r.Header.Set("Authorization", encoded(q.authorization))
		for _, name := range []string{"X-Access-Token", "X-Access-Tokens"} {
			if token != "" {
				r.Header.Set(name, q.token)
			}
		}
		a := httptest.NewRecorder()
		w.ServeHTTP(a, r)
		if wrong := w.wrong(q, a); wrong != "" {
			t.Errorf("%s:\n%+v\n%d %v\n%s", wrong, q, a.Code, a.Header(), a.Body)
		}
	})
}

// questions returns the requests of the dialect's transcripts.
func questions(tb testing.TB, dialect string) (all []question) {
	tb.Helper()
	files, err := filepath.Glob("testdata/" + dialect + "/*.http")
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for _, block := range regexp.MustCompile(`(?m)(^>.*\n)+`).FindAllString(string(script), -1) {
			text := regexp.MustCompile(`(?m)^> ?`).ReplaceAllString(block, "")
			head, body, _ := strings.Cut(text, "\n\n")
			first, fields, _ := strings.Cut(head, "\n")
			q := question{body: strings.TrimSuffix(body, "\n")}
			q.method, q.path, _ = strings.Cut(strings.TrimSpace(first), " ")
			if body != "" {
				q.mediaType = "application/json"
			}
			for field := range strings.Lines(fields) {
				name, value, _ := strings.Cut(field, ":")
				value = strings.TrimSpace(value)
				switch strings.ToLower(name) {
				case "content-type":
					q.mediaType = value
				case "authorization":
					q.authorization = value
				case "x-access-token", "x-access-tokens":
					q.token = value
				}
			}
			all = append(all, q)
		}
	}
	if len(all) < 20 {
		tb.Fatalf("the transcripts of %s ask %d questions; there are more", dialect, len(all))
	}
	return all
}

// Who asks has heard of neither.
const (
	strangeHost    = "qj5vt0wz.invalid"
	strangePassage = "qj5vt0wz is nobody's word"
)

// A secretive is a world where somebody has a password that nobody else knows, and
// others have tokens: "secret" is an administrator's.
type secretive struct {
	world
	hashes []string
	tokens map[string]string // by the names of placeholders
}

func newSecretive(t *testing.T, dialect string) secretive {
	t.Helper()
	w, p := parts(t)
	s := app.Services(defaults(), p)
	if err := app.LoadDemo(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	q := secretive{world: w, tokens: make(map[string]string)}
	q.Handler = app.Apart(defaults(), p, s, dialect)
	ids := []domain.AccountID{register(t, s, "secretive"), register(t, s, "root", domain.Administrator)}
	reusable := grantOf(t, s, "user", "password", tokens.Terms{Renewal: domain.Reusable})
	q.tokens["token"], q.tokens["access_token"] = reusable.Access.Reveal(), reusable.Access.Reveal()
	q.tokens["refresh_token"] = reusable.Refresh.Reveal()
	q.tokens["secret"] = grantOf(t, s, "root", strangePassage, tokens.Terms{}).Access.Reveal()
	for _, id := range ids {
		c, err := w.store.Accounts().Credential(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		q.hashes = append(q.hashes, c.Hash.Reveal())
	}
	return q
}

// register opens an account whose password is strangePassage.
func register(t *testing.T, s wire.Services, name string, roles ...domain.Role) domain.AccountID {
	t.Helper()
	login, err := domain.ParseUsername(name)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Accounts.Register(t.Context(), accounts.Registration{Logins: []domain.Login{login}, Roles: roles, Password: domain.NewPassword(strangePassage)})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// grantOf signs in on the terms.
func grantOf(t *testing.T, s wire.Services, name, password string, terms tokens.Terms) domain.Grant {
	t.Helper()
	login, err := domain.ParseUsername(name)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := s.Accounts.Authenticate(t.Context(), login, domain.NewPassword(password))
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Tokens.OpenOn(t.Context(), proof.Account, proof.Credential, domain.Client{}, terms)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// recalled puts tokens for placeholders.
func (w secretive) recalled(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(s string) string { return w.tokens[placeholder.FindStringSubmatch(s)[1]] })
}

// manners are the types in which older APIs answer.
var manners = []string{"application/json", "text/html; charset=utf-8"}

// wrong says what is wrong with an answer, or "".
func (w secretive) wrong(q question, a *httptest.ResponseRecorder) string {
	text, media := a.Body.String(), a.Header().Get("Content-Type")
	var told strings.Builder
	_ = a.Header().Write(&told)
	told.WriteString(text)
	tells := func(s string) bool {
		asked := q.path + q.mediaType + q.authorization + q.token + q.body
		return strings.Contains(told.String(), s) && !strings.Contains(asked, s)
	}
	switch {
	case a.Code >= 500:
		return "it is at its wits' end"
	case !slices.Contains(manners, media):
		return "it answers as " + media
	case media == "application/json" && (!jsontext.Value(text).IsValid() || !strings.HasSuffix(text, "\n") || strings.Count(text, "\n") != 1):
		return "its JSON is not one line of JSON"
	case a.Code == http.StatusUnauthorized && a.Header().Get("WWW-Authenticate") == "":
		return "a 401 without a challenge"
	case a.Code == http.StatusMethodNotAllowed && a.Header().Get("Allow") == "":
		return "a 405 that does not say what is allowed"
	case strings.Contains(told.String(), strangeHost):
		return "it believes the Host header"
	case tells(strangePassage), slices.ContainsFunc(w.hashes, tells), tells("fake:0:"):
		return "it tells a secret"
	}
	return ""
}
