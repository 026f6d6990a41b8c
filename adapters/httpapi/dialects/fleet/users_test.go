package fleet_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/httpapi/dialects/fleet"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

const taken = `{"error":"Bad Request","message":"User already exists."}`

func TestUserFieldsAreReadAsMarshmallowReadsThem(t *testing.T) {
	const badName = `{"name":["Not a valid user name: it may have up to 64 visible characters, no @ and no colon, and no space at either end."]}`
	w := newWorld(t)
	w.signUp(t, "ada lovelace")
	for _, c := range []struct{ name, body, message string }{
		{"nothing at all", `{}`, `{"name":["Missing data for required field."],"password":["Missing data for required field."]}`},
		{"a password that is missing", `{"name":"bob"}`, `{"password":["Missing data for required field."]}`},
		{"too short both", `{"name":"b","password":"abc"}`, `{"name":["Shorter than minimum length 2."],"password":["Shorter than minimum length 4."]}`},
		{"characters are counted, not bytes", `{"name":"é","password":"éàü"}`, `{"name":["Shorter than minimum length 2."],"password":["Shorter than minimum length 4."]}`},
		{"four characters that are three once composed", `{"name":"bob","password":"e\u0301ab"}`, `{"password":["Shorter than minimum length 4."]}`},
		{"wrong types", `{"name":1,"password":["1234"]}`, `{"name":["Not a valid string."],"password":["Not a valid string."]}`},
		{"null", `{"name":null,"password":null}`, `{"name":["Field may not be null."],"password":["Field may not be null."]}`},
		{"unknown fields", `{"name":"bob","password":"1234","admin":true,"roles":["admin"]}`, `{"admin":["Unknown field."],"roles":["Unknown field."]}`},
		{"an id of zero", `{"id":0,"name":"bob","password":"1234"}`, `{"id":["Must be greater than or equal to 1."]}`},
		{"an id that is a word", `{"id":"x","name":"bob","password":"1234"}`, `{"id":["Not a valid integer."]}`},
		{"an array", `[]`, `{"_schema":["Invalid input type."]}`},
		{"a text", `"bob"`, `{"_schema":["Invalid input type."]}`},
		{"null for all", `null`, `{"_schema":["Invalid input type."]}`},
		{"a name with a colon", `{"name":"a:b","password":"1234"}`, badName},
		{"an address for a name", `{"name":"ada@example.com","password":"1234"}`, badName},
		{"a name of 65 characters", `{"name":"` + strings.Repeat("b", 65) + `","password":"1234"}`, badName},
		{"a password beyond all bounds", `{"name":"bob","password":"` + strings.Repeat("b", 1025) + `"}`, `{"password":["Longer than maximum length 1024."]}`},
		{"broken JSON", `{"name":"bob"`, `"The request cannot be read."`},
		{"a form", `name=bob&password=1234`, `"The request cannot be read."`},
		{"bad UTF-8", "{\"name\":\"b\xff\",\"password\":\"1234\"}", `"The request cannot be read."`},
		{"a NUL", `{"name":"bob","password":"12\u000034"}`, `"The request cannot be read."`},
		{"half a surrogate pair", `{"name":"bob","password":"12\ud80034"}`, `"The request cannot be read."`},
		{"a name that is taken", `{"name":"ada lovelace","password":"1234"}`, `"User already exists."`},
		{"a name that differs in case alone", `{"name":"Ada Lovelace","password":"1234"}`, `"User already exists."`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.send(t, "POST", "/api/users", "", c.body).is(t, 400, `{"error":"Bad Request","message":`+c.message+`}`)
		})
	}
	t.Run("an id", func(t *testing.T) {
		w.send(t, "POST", "/api/users", "", `{"id":7,"name":"bob","password":"1234"}`).is(t, 400, `{"error":"Bad Request"}`)
	})
	t.Run("nothing", func(t *testing.T) {
		w.send(t, "POST", "/api/users", "", "").is(t, 400, `{"error":"Bad Request","message":"The request cannot be read."}`)
	})
	t.Run("nobody came of all that", func(t *testing.T) {
		w.send(t, "GET", "/api/users", "", "").is(t, 200, `[{"id":1,"name":"ada lovelace"}]`)
	})
}

func TestABodyIsReadWhateverItsMediaType(t *testing.T) {
	w := newWorld(t)
	for i, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "nonsense;;"} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/users", strings.NewReader(`{"name":"user `+string(rune('a'+i))+`","password":"1234"}`))
		if media != "" {
			r.Header.Set("Content-Type", media)
		}
		if a := w.do(r); a.Code != 201 {
			t.Errorf("%q: %d %s", media, a.Code, a.text)
		}
	}
}

func TestABodyBeyondAllBoundsIsNotRead(t *testing.T) {
	w := newWorld(t)
	a := w.send(t, "POST", "/api/users", "", `{"name":"`+strings.Repeat("b", 1<<20)+`"}`)
	a.is(t, 413, `{"error":"Request Entity Too Large","message":"That is larger than Keyport takes."}`)
}

func TestLocationIsAPathBelowTheBase(t *testing.T) {
	w := newWorld(t)
	w.Handler = fleet.New(fleet.Config{Services: w.Services, Base: "/fleet"})
	r := httptest.NewRequestWithContext(t.Context(), "POST", "http://evil.example/api/users", strings.NewReader(`{"name":"ada","password":"password"}`))
	r.Header.Set("X-Forwarded-Proto", "https")
	if at := w.do(r).Header().Get("Location"); at != "/fleet/api/users/1" {
		t.Errorf("the user is at %q", at)
	}
}

func TestNobodyButThoseOfThisDialectIsShown(t *testing.T) {
	w := newWorld(t)
	w.signUp(t, "ada")
	login, err := domain.ParseUsername("grace")
	ok(t, err)
	_, err = w.Accounts.Register(t.Context(), accounts.Registration{Logins: []domain.Login{login}, Password: domain.NewPassword("password"), Least: 4})
	ok(t, err)
	grace := w.signIn(t, "grace")
	const onlyAda = `[{"id":1,"name":"ada"}]`
	w.send(t, "GET", "/api/users", "", "").is(t, 200, onlyAda)
	w.send(t, "GET", "/api/users/2", "", "").is(t, 404, `{"error":"Not Found"}`)
	w.send(t, "DELETE", "/api/users/1", grace.access, "").is(t, 403, `{"error":"Forbidden"}`)
	w.send(t, "DELETE", "/api/users/2", grace.access, "").is(t, 403, `{"error":"Forbidden"}`)
	w.send(t, "GET", "/api/users", "", "").is(t, 200, onlyAda)
	w.signUp(t, "bob")
	w.send(t, "GET", "/api/users/2", "", "").is(t, 200, `{"id":2,"name":"bob"}`)
}

func TestANameOfAnotherIsNotTakenOver(t *testing.T) {
	w := newWorld(t)
	ada := w.user(t, "ada")
	w.signUp(t, "bob")
	for _, name := range []string{"bob", "BOB"} {
		w.send(t, "PUT", "/api/users/1", ada.access, `{"name":"`+name+`","password":"another"}`).is(t, 400, taken)
	}
	w.signIn(t, "ada")
	w.signIn(t, "bob")
}

func TestAChangeOfPasswordKeepsTheSessionThatAskedAndEndsTheOthers(t *testing.T) {
	w := newWorld(t)
	one := w.user(t, "ada")
	other := w.signIn(t, "ada")
	w.send(t, "PUT", "/api/users/1", one.access, `{"id":1,"name":"Ada Lovelace","password":"1234"}`).is(t, 200, `{"id":1,"name":"Ada Lovelace"}`)
	w.send(t, "POST", "/auth/login", "", `{"username":"ada","password":"password"}`).is(t, 401, `{"error":"Unauthorized","message":"Username or password invalid."}`)
	w.send(t, "POST", "/auth/login", "", `{"username":"ada lovelace","password":"1234"}`).is(t, 401, `{"error":"Unauthorized","message":"Username or password invalid."}`)
	if a := w.send(t, "POST", "/auth/login", "", `{"username":"Ada Lovelace","password":"1234"}`); a.Code != 200 {
		t.Error("the new name and password sign in:", a.Code, a.text)
	}
	w.send(t, "POST", "/auth/refresh", other.refresh, "").is(t, 401, revoked)
	w.send(t, "POST", "/api/ships", other.access, "{}").is(t, 401, revoked)
	if a := w.send(t, "POST", "/auth/refresh", one.refresh, ""); a.Code != 200 {
		t.Error("the session that asked goes on:", a.Code, a.text)
	}
	w.send(t, "PUT", "/api/users/1", one.access, `{"id":2,"name":"ada","password":"1234"}`).is(t, 400, `{"error":"Bad Request","message":"Request data id has to match resource id."}`)
	w.send(t, "PUT", "/api/users/01", one.access, `{"id":"1","name":"ada","password":"1234"}`).is(t, 200, `{"id":1,"name":"ada"}`)
}

func TestTokensOfADeletedUserAreWorthNothingEvenIfAnotherSignsUp(t *testing.T) {
	w := newWorld(t)
	ada := w.user(t, "ada")
	a := w.send(t, "DELETE", "/api/users/1", ada.access, "")
	a.is(t, 204, "")
	if media := a.Header().Get("Content-Type"); media != "text/html; charset=utf-8" {
		t.Errorf("nothing came as %q", media)
	}
	if a := w.send(t, "POST", "/api/users", "", `{"name":"ada","password":"password"}`); a.text != `{"id":2,"name":"ada"}` {
		t.Errorf("the next user is %s", a.text)
	}
	for _, target := range []string{"/api/users/1", "/api/users/2", "/api/ships/1"} {
		w.send(t, "PUT", target, ada.access, `{"name":"mallory","password":"password"}`).is(t, 401, revoked)
		w.send(t, "DELETE", target, ada.access, "").is(t, 401, revoked)
	}
	w.send(t, "POST", "/api/ships", ada.access, "{}").is(t, 401, revoked)
	const unknown = `{"error":"Unauthorized","message":"Unknown user."}`
	w.send(t, "POST", "/auth/refresh", ada.refresh, "").is(t, 401, unknown)
	w.send(t, "GET", "/api/users/1", "", "").is(t, 404, `{"error":"Not Found"}`)
	w.send(t, "GET", "/api/users", "", "").is(t, 200, `[{"id":2,"name":"ada"}]`)
}
