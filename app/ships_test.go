package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// The list of ships that fleet shows is made of many pages, and is in the order of
// numbers, whichever ships went away.
func TestFleetListsShipsOfAllPagesOnce(t *testing.T) {
	w := worldOf(t, "fleet")
	send := func(method, target, token, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		return rec
	}
	var in struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(send("POST", "/auth/login", "", `{"username":"user","password":"password"}`).Body.Bytes(), &in); err != nil {
		t.Fatal(err)
	}
	const more = 450 // more than two pages
	for range more {
		if a := send("POST", "/api/ships", in.Token, `{"affiliation":"","category":"","crew":1,"length":1,"manufacturer":"","model":"","roles":[],"ship_class":""}`); a.Code != http.StatusCreated {
			t.Fatal(a.Code, a.Body)
		}
	}
	if a := send("DELETE", "/api/ships/200", in.Token, ""); a.Code != http.StatusNoContent {
		t.Fatal(a.Code, a.Body)
	}
	var ships []struct {
		ID int `json:"id"`
	}
	if err := json.Unmarshal(send("GET", "/api/ships", "", "").Body.Bytes(), &ships); err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, s := range ships {
		if want++; want == 200 {
			want++
		}
		if s.ID != want {
			t.Fatalf("got the ship %d, want %d", s.ID, want)
		}
	}
	if want != 15+more {
		t.Errorf("the last ship is %d", want)
	}
}
