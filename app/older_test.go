package app_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhoSignsUpInOneHouseSignsInAtAll(t *testing.T) {
	onEachStreet(t, func(w *street) {
		for _, up := range houses {
			name := "ada of " + strings.Trim(up.name, "/")
			w.signUp(up, name)
			for _, in := range houses {
				w.opens("a token of "+in.name+", of an account of "+up.name, w.signIn(in, name).access, true, w.here, w.there)
			}
		}
		w.signUp(houseOf("signup"), "ada@example.com")
		for _, in := range houses {
			if in.name == "signup" || in.name == "/v1" {
				w.opens("a token by an e-mail address", w.signIn(in, "ada@example.com").access, true, w.here)
			} else {
				w.want(w.here, 401, in.signIn("ada@example.com", longEnough))
			}
		}
	})
}

// A resident is somebody with a session of each house, and a token of skeleton's that
// was bought with another.
type resident struct {
	id    string
	user  string          // the path of fleet's user
	rings map[string]ring // by the names of houses, and bought
}

const bought = "skeleton, bought"

// settle signs up at fleet, and in at every house.
func (w *street) settle(name string) resident {
	w.t.Helper()
	a := w.want(w.here, 201, houseOf("fleet").signUp(name, longEnough))
	p := resident{user: a.Header().Get("Location"), rings: make(map[string]ring)}
	for _, h := range houses {
		p.rings[h.name] = w.signIn(h, name)
	}
	p.rings[bought] = ringOf(w.t, w.want(w.here, 200, request{"GET /older/skeleton/api/token", "Authorization: Basic " + p.rings["skeleton"].access + ":x", ""}))
	var me struct{ ID string }
	if err := json.Unmarshal(w.want(w.here, 200, houseOf("/v1").show(p.rings["/v1"].access)).Body.Bytes(), &me); err != nil {
		w.t.Fatal(err)
	}
	p.id = me.ID
	return p
}

func TestASessionThatIsEndedInOneHouseIsEndedInAll(t *testing.T) {
	type ending struct {
		name string
		do   func(w *street, p resident) (int, request)
		left []string // the sessions that go on
	}
	bearing := func(status int, line, who, body string) func(*street, resident) (int, request) {
		return func(_ *street, p resident) (int, request) {
			return status, request{strings.ReplaceAll(line, "{user}", p.user), "Authorization: Bearer " + p.rings[who].access, body}
		}
	}
	byRoot := func(status int, line, body string) func(*street, resident) (int, request) {
		return func(w *street, p resident) (int, request) {
			return status, request{strings.ReplaceAll(line, "{id}", p.id), "Authorization: Bearer " + w.root().access, body}
		}
	}
	endings := []ending{
		{"all sessions in /v1", bearing(204, "DELETE /v1/sessions", "signup", ""), nil},
		{"all but one in /v1", bearing(204, "DELETE /v1/sessions?except=current", "library", ""), []string{"library"}},
		{"another password in /v1", bearing(204, "PUT /v1/me/password", "skeleton", object("current", longEnough, "new", "another fifteen")), []string{"skeleton", bought}},
		{"another password in fleet", bearing(200, "PUT {user}", "fleet", object("name", "someone else", "password", "1234")), []string{"fleet"}},
		{"the end of the account in /v1", bearing(204, "DELETE /v1/me", "/v1", ""), nil},
		{"the end of the account in fleet", bearing(204, "DELETE {user}", "library", ""), nil},
		{"a suspension", byRoot(200, "PATCH /v1/accounts/{id}", object("status", "suspended")), nil},
		{"the end of the account by an administrator", byRoot(204, "DELETE /v1/accounts/{id}", ""), nil},
	}
	all := []string{"/v1", "fleet", "skeleton", bought, "signup", "library"}
	for _, h := range houses {
		left := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == h.name || h.name == "skeleton" && name == bought })
		endings = append(endings, ending{"one session of " + h.name, bearing(204, "DELETE /v1/sessions/current", h.name, ""), left})
	}
	onEachStreet(t, func(w *street) {
		for i, end := range endings {
			p := w.settle(fmt.Sprint("ada ", i))
			status, q := end.do(w, p)
			if a := q.at(w.here); a.Code != status {
				w.t.Fatalf("%s: %d %s", end.name, a.Code, a.Body)
			}
			replicas := w.heard()
			for _, name := range all {
				good := slices.Contains(end.left, name)
				w.opens(end.name+": the token of "+name, p.rings[name].access, good, replicas...)
				if name == "fleet" {
					want := map[bool]int{true: 200, false: 401}[good]
					for _, r := range replicas {
						w.want(r, want, request{"POST /fleet/auth/refresh", "Authorization: Bearer " + p.rings[name].refresh, ""})
					}
				}
			}
			if w.t.Failed() {
				return
			}
		}
	})
}

// A refresh token of fleet is good for a refresh at fleet, and for nothing else; what
// tries it elsewhere does not end it.
func TestFleetsRefreshTokensAreGoodAtFleetAlone(t *testing.T) {
	onEachStreet(t, func(w *street) {
		token := w.settle("ada").rings["fleet"].refresh
		if !strings.HasPrefix(token, "kpl_") {
			w.t.Fatalf("%s is no lasting token", token)
		}
		ship := object("model", "Firefly")
		hashed := w.hashes.n.Load()
		for _, q := range []struct {
			status int
			request
		}{
			{400, request{"POST /v1/token", "", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}.Encode()}},
			{400, request{"POST /v1/token", "", object("grant_type", "refresh_token", "refresh_token", token)}},
			{401, request{"GET /v1/me", "Authorization: Bearer " + token, ""}},
			{401, request{"DELETE /v1/sessions/current", "Authorization: Bearer " + token, ""}},
			{401, request{"DELETE /v1/me", "Authorization: Bearer " + token, ""}},
			{401, request{"POST /v1/token/introspect", "Authorization: Bearer " + token, "token=" + token}},
			{422, request{"DELETE /fleet/auth/logout", "Authorization: Bearer " + token, ""}},
			{422, request{"DELETE /fleet/api/users/3", "Authorization: Bearer " + token, ""}},
			{422, request{"PUT /fleet/api/users/3", "Authorization: Bearer " + token, object("name", "ada", "password", "1234")}},
			{422, request{"POST /fleet/api/ships", "Authorization: Bearer " + token, ship}},
			{422, request{"PUT /fleet/api/ships/1", "Authorization: Bearer " + token, ship}},
			{422, request{"DELETE /fleet/api/ships/1", "Authorization: Bearer " + token, ""}},
			{401, request{"GET /older/skeleton/api/resource", "Authorization: Basic " + token + ":x", ""}},
			{401, request{"GET /older/skeleton/api/token", "Authorization: Basic " + token + ":" + longEnough, ""}},
			{401, request{"GET /signup-api/user", "x-access-token: " + token, ""}},
			{401, request{"GET /lib_2/users", "x-access-tokens: " + token, ""}},
			{401, request{"GET /lib_2/authors", "x-access-tokens: " + token, ""}},
			{401, request{"DELETE /lib_2/authors/1", "x-access-tokens: " + token, ""}},
		} {
			for _, r := range []replica{w.here, w.there} {
				w.want(r, q.status, q.request)
			}
		}
		if more := w.hashes.n.Load() - hashed; more != 0 {
			w.t.Errorf("%d hashes were computed for a token", more)
		}
		w.want(w.here, 200, request{"POST /fleet/auth/refresh", "Authorization: Bearer " + token, ""})
	})
}

// What is no access token of a session opens no older API, however much it may do in
// /v1, and costs no hash; there it is as good as before.
func TestTokensOfV1AreNoneOfOlderAPIs(t *testing.T) {
	onEachStreet(t, func(w *street) {
		p := w.settle("ada")
		a := w.want(w.here, 201, request{
			"POST /v1/me/keys", "Authorization: Bearer " + p.rings["/v1"].access,
			`{"name":"a script","scopes":["account:read","records:read","records:write"]}`,
		})
		var key struct{ Secret string }
		if err := json.Unmarshal(a.Body.Bytes(), &key); err != nil {
			w.t.Fatal(err)
		}
		refresh := p.rings["/v1"].refresh
		hashed := w.hashes.n.Load()
		for _, token := range []string{refresh, key.Secret} {
			for _, r := range []replica{w.here, w.there} {
				for _, h := range houses[1:] {
					if a := h.show(token).at(r); a.Code != 401 && a.Code != 422 {
						w.t.Errorf("%.4s in %s: %d %s", token, h.name, a.Code, a.Body)
					}
				}
				for _, line := range []string{"POST /fleet/auth/refresh", "DELETE /fleet/auth/logout", "DELETE /fleet/auth/logout2"} {
					w.want(r, 422, request{line, "Authorization: Bearer " + token, ""})
				}
				w.want(r, 401, request{"GET /older/skeleton/api/token", "Authorization: Basic " + token + ":x", ""})
				w.want(r, 401, request{"GET /older/skeleton/api/token", "Authorization: Basic " + token + ":" + longEnough, ""})
			}
		}
		if more := w.hashes.n.Load() - hashed; more != 0 {
			w.t.Errorf("%d hashes were computed for tokens", more)
		}
		w.want(w.here, 200, houseOf("/v1").show(key.Secret))
		w.want(w.here, 200, request{"POST /v1/token", "", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}.Encode()})
	})
}

// The logout of fleet ends one access token, of whichever house, and no more.
func TestALogoutEndsOneTokenEverywhere(t *testing.T) {
	onEachStreet(t, func(w *street) {
		p := w.settle("ada")
		refreshing := request{"POST /fleet/auth/refresh", "Authorization: Bearer " + p.rings["fleet"].refresh, ""}
		second := ringOf(w.t, w.want(w.here, 200, refreshing))
		for _, name := range []string{"fleet", "skeleton"} {
			token := p.rings[name].access
			w.opens("a token before its logout", token, true, w.here, w.there)
			w.want(w.here, 200, request{"DELETE /fleet/auth/logout", "Authorization: Bearer " + token, ""})
			w.opens("a token of "+name+" after its logout", token, false, w.here)
			w.opens("a token of "+name+" after its logout", token, false, w.heard()...)
			for _, r := range []replica{w.here, w.there} {
				w.want(r, 401, request{"DELETE /fleet/auth/logout", "Authorization: Bearer " + token, ""})
				w.want(r, 401, request{"GET /older/skeleton/api/token", "Authorization: Basic " + token + ":x", ""})
			}
		}
		w.opens("another token of the session", second.access, true, w.here, w.there)
		w.opens("a token that was bought", p.rings[bought].access, true, w.here, w.there)
		w.opens("a token of another session", p.rings["library"].access, true, w.here, w.there)
		w.want(w.there, 200, refreshing)
	})
}

// The other logout of fleet ends a refresh token alone. Its session is over with the
// last of its access tokens.
func TestTheOtherLogoutEndsTheRefreshTokenAlone(t *testing.T) {
	onEachStreet(t, func(w *street) {
		p := w.settle("ada")
		token := p.rings["fleet"]
		bearer := "Authorization: Bearer " + token.refresh
		second := ringOf(w.t, w.want(w.here, 200, request{"POST /fleet/auth/refresh", bearer, ""}))
		w.want(w.here, 200, request{"DELETE /fleet/auth/logout2", bearer, ""})
		for _, r := range w.heard() {
			for _, line := range []string{"POST /fleet/auth/refresh", "DELETE /fleet/auth/logout2"} {
				if a := w.want(r, 401, request{line, bearer, ""}); !strings.Contains(a.Body.String(), "Token has been revoked") {
					w.t.Errorf("%s: %s", line, a.Body)
				}
			}
			w.opens("the access token of a refresh token that ended", token.access, true, r)
			w.opens("another access token of it", second.access, true, r)
		}
		sessions := func() int {
			a := w.want(w.here, 200, request{"GET /v1/sessions", "Authorization: Bearer " + ringOf(w.t, w.want(w.here, 201, houseOf("/v1").signIn("ada", longEnough))).access, ""})
			return strings.Count(a.Body.String(), `"id"`)
		}
		before := sessions()
		w.clock.Advance(15 * time.Minute)
		w.heard()
		w.opens("an access token at its end", token.access, false, w.here, w.there)
		if after := sessions(); after != before { // one more by the sign-in, one less by the end
			w.t.Errorf("there are %d sessions, and %d after the end of one and a sign-in", before, after)
		}
	})
}

// listed is a list of fleet, as ids and names.
func (w *street) listed(r replica, path string) []numbered {
	w.t.Helper()
	var list []numbered
	if err := json.Unmarshal(w.want(r, 200, request{"GET " + path, "", ""}).Body.Bytes(), &list); err != nil {
		w.t.Fatal(err)
	}
	return list
}

// A numbered is a user or a ship of fleet.
type numbered struct {
	ID          int64
	Name, Model string
}

func TestNumbersAreTheSameOnReplicasAndNeverUsedAgain(t *testing.T) {
	onEachStreet(t, func(w *street) {
		fleet, skeleton, library := houseOf("fleet"), houseOf("skeleton"), houseOf("library")
		at := func(r replica, h house, name string) string {
			w.t.Helper()
			return w.want(r, h.signedUp, h.signUp(name, longEnough)).Header().Get("Location")
		}
		same := func(path string) []numbered {
			w.t.Helper()
			here, there := w.listed(w.here, path), w.listed(w.there, path)
			if diff := cmp.Diff(here, there); diff != "" {
				w.t.Errorf("%s differs between replicas:\n%s", path, diff)
			}
			return here
		}
		for i, r := range []replica{w.here, w.there, w.there, w.here} {
			if got, want := at(r, fleet, fmt.Sprint("user ", i)), fmt.Sprint("/fleet/api/users/", 3+i); got != want {
				w.t.Errorf("user %d is at %s, want %s", i, got, want)
			}
			if got, want := at(r, skeleton, fmt.Sprint("skeleton ", i)), fmt.Sprint("/older/skeleton/api/users/", 1+i); got != want {
				w.t.Errorf("user %d of skeleton is at %s, want %s", i, got, want)
			}
		}
		want := []numbered{{1, "user", ""}, {2, "guest", ""}, {3, "user 0", ""}, {4, "user 1", ""}, {5, "user 2", ""}, {6, "user 3", ""}}
		if diff := cmp.Diff(want, same("/fleet/api/users")); diff != "" {
			w.t.Error(diff)
		}

		// The last number is not given again, in any series.
		last := w.signIn(fleet, "user 3").access
		w.want(w.there, 204, request{"DELETE /fleet/api/users/6", "Authorization: Bearer " + last, ""})
		w.want(w.here, 404, request{"GET /fleet/api/users/6", "", ""})
		if got := at(w.here, fleet, "user 3"); got != "/fleet/api/users/7" {
			w.t.Errorf("after a deletion the next user is at %s", got)
		}
		same("/fleet/api/users")
		last = w.signIn(houseOf("/v1"), "skeleton 3").access
		w.want(w.here, 204, request{"DELETE /v1/me", "Authorization: Bearer " + last, ""})
		if got := at(w.there, skeleton, "skeleton 3"); got != "/older/skeleton/api/users/5" {
			w.t.Errorf("after a deletion the next user of skeleton is at %s", got)
		}

		// Ships and authors that came in by another door are numbered when they are shown,
		// on whichever replica first.
		token := w.signIn(fleet, "user 0").access
		bearer := "Authorization: Bearer " + token
		ship := func(model string) string {
			return `{"affiliation":"Independent","category":"Transports","ship_class":"Freighter","model":"` + model + `","manufacturer":"A yard","crew":9,"length":82,"roles":[]}`
		}
		for _, model := range []string{"A", "B", "C"} {
			w.want(w.here, 201, request{"POST /v1/collections/ships/records", bearer, `{"data":` + ship(model) + `}`})
		}
		shown := w.listed(w.there, "/fleet/api/ships")
		if tail := shown[15:]; !slices.Equal(tail, []numbered{{16, "", "A"}, {17, "", "B"}, {18, "", "C"}}) {
			w.t.Errorf("the ships of /v1 are %v", tail)
		}
		same("/fleet/api/ships")
		w.want(w.there, 204, request{"DELETE /fleet/api/ships/18", bearer, ""})
		made := w.want(w.here, 201, request{"POST /fleet/api/ships", bearer, ship("D")})
		if got := made.Header().Get("Location"); got != "/fleet/api/ships/19" {
			w.t.Errorf("after a deletion the next ship is at %s", got)
		}
		for _, r := range []replica{w.here, w.there} {
			w.want(r, 404, request{"GET /fleet/api/ships/18", "", ""})
		}
		same("/fleet/api/ships")

		w.signUp(library, "sam")
		header := "x-access-tokens: " + w.signIn(library, "sam").access
		author := func(book string) string { return object("name", "Of "+book, "country", "Nowhere", "book", book) }
		authors := func(r replica) string {
			w.t.Helper()
			return w.want(r, 200, request{"GET /lib_2/authors", header, ""}).Body.String()
		}
		w.want(w.here, 200, request{"POST /lib_2/author", header, author("A")})
		w.want(w.there, 200, request{"POST /lib_2/author", header, author("B")})
		if here, there := authors(w.here), authors(w.there); here != there || !strings.Contains(here, `"id":2`) {
			w.t.Errorf("the authors are %s, and on the other replica %s", here, there)
		}
		w.want(w.there, 200, request{"DELETE /lib_2/authors/2", header, ""})
		w.want(w.here, 200, request{"POST /lib_2/author", header, author("C")})
		if list := authors(w.there); strings.Contains(list, `"id":2`) || !strings.Contains(list, `"id":3`) {
			w.t.Errorf("after a deletion the authors are %s", list)
		}
	})
}

// What is open to all, and what an administrator sees, is of who signed up there.
func TestListsShowNobodyFromElsewhere(t *testing.T) {
	onEachStreet(t, func(w *street) {
		for _, h := range houses {
			w.signUp(h, "of "+strings.Trim(h.name, "/"))
		}
		root := w.root().access
		shown := map[string]string{
			"fleet":   w.want(w.here, 200, request{"GET /fleet/api/users", "", ""}).Body.String(),
			"signup":  w.want(w.here, 200, houseOf("signup").show(root)).Body.String(),
			"library": w.want(w.here, 200, houseOf("library").show(root)).Body.String(),
		}
		for n := range 10 {
			for dialect, path := range map[string]string{"fleet": "/fleet/api/users/", "skeleton": "/older/skeleton/api/users/"} {
				if a := (request{fmt.Sprint("GET ", path, n), "", ""}).at(w.here); a.Code == 200 {
					shown[dialect] += a.Body.String()
				}
			}
		}
		for dialect, text := range shown {
			for _, h := range houses {
				if name := `"of ` + strings.Trim(h.name, "/") + `"`; strings.Contains(text, name) != (dialect == h.name) {
					w.t.Errorf("%s shows %s", dialect, text)
				}
			}
			if strings.Contains(text, `"admin"`) && dialect != "library" {
				w.t.Errorf("%s shows the administrator: %s", dialect, text)
			}
		}
		for _, dialect := range []string{"signup", "library"} {
			h := houseOf(dialect)
			a := w.want(w.here, 200, h.show(w.signIn(h, "of v1").access))
			if text := a.Body.String(); strings.Count(text, `"public_id"`) != 1 || !strings.Contains(text, `"of v1"`) {
				w.t.Errorf("%s shows somebody else than who asks: %s", dialect, text)
			}
		}
	})
}

// Who is unknown is told what somebody with a wrong password is told, and after as
// many hashes; so is who is spelled in another way, and who is suspended.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	onEachStreet(t, func(w *street) {
		p := w.settle("ada")
		w.signUp(houseOf("signup"), "ada@example.com")
		w.signUp(houseOf("/v1"), "suspended")
		var me struct{ ID string }
		asked := w.want(w.here, 200, houseOf("/v1").show(w.signIn(houseOf("/v1"), "suspended").access))
		if err := json.Unmarshal(asked.Body.Bytes(), &me); err != nil {
			w.t.Fatal(err)
		}
		w.want(w.here, 200, request{"PATCH /v1/accounts/" + me.ID, "Authorization: Bearer " + w.root().access, object("status", "suspended")})
		ask := func(q request) (answer string, hashes int64) {
			before := w.hashes.n.Load()
			a := q.at(w.here)
			a.Header().Del("X-Request-Id")
			text := a.Body.String()
			var problem struct{ Instance string }
			if json.Unmarshal([]byte(text), &problem) == nil && problem.Instance != "" {
				text = strings.ReplaceAll(text, problem.Instance, "")
			}
			return fmt.Sprintln(a.Code, a.Header(), text), w.hashes.n.Load() - before
		}
		signIns := make(map[string]func(name, password string) request)
		for _, h := range houses {
			signIns[h.name] = h.signIn
		}
		signIns["skeleton's resource"] = func(name, password string) request {
			return request{"GET /older/skeleton/api/resource", "Authorization: Basic " + name + ":" + password, ""}
		}
		signIns["library by GET"] = func(name, password string) request {
			return request{"GET /lib_2/login", "Authorization: Basic " + name + ":" + password, ""}
		}
		for house, signIn := range signIns {
			const wrong = "fifteen charactars"
			others := []request{signIn("nobody", longEnough), signIn("nobody", wrong), signIn("suspended", wrong)}
			if house != "/v1" {
				others = append(others, signIn("Ada", longEnough), signIn("ADA", wrong))
			}
			if house == "signup" {
				others = append(others, signIn("ada@example.com", wrong), signIn("nobody@example.com", longEnough), signIn("Ada@example.com", longEnough))
			}
			want, hashes := ask(signIn("ada", wrong))
			if hashes != 1 || !strings.HasPrefix(want, "401 ") {
				w.t.Errorf("%s: a wrong password costs %d hashes, and the answer is %s", house, hashes, want)
			}
			for _, q := range others {
				if got, n := ask(q); got != want || n != hashes {
					w.t.Errorf("%s: to %+v, after %d hashes, the answer is %s, and to a wrong password, after %d, %s", house, q, n, got, hashes, want)
				}
			}
		}
		w.opens("a token of who was asked for", p.rings["fleet"].access, true, w.here)
	})
}
