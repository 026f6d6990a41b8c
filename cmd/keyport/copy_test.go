package main_test

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// at returns the settings of a Keyport on a database. Clients know all of them by one
// address, and one key seals their keys.
func at(url string) []string {
	return []string{"KEYPORT_PUBLIC_URL=http://moved.example", "KEYPORT_MASTER_KEY=" + oldMaster, "KEYPORT_DIALECTS=fleet=/fleet", "KEYPORT_DATABASE_URL=" + url}
}

const shipRecords = "/v1/collections/ships/records"

// A traveller has all that Keyport ever gave it, and comes with it elsewhere.
type traveller struct {
	grant, gone process.Grant // gone was signed out
	key         string        // an access key
	list, next  string        // of ships, and where the list goes on
	rest        []string      // which ships come then
	etag        string        // of record
	record      record
	revocations string // where they go on
	stream      string // the id of the last event
}

type shipsPage struct {
	Items []record
	Next  string
}

func (p shipsPage) ids() (ids []string) {
	for _, r := range p.Items {
		ids = append(ids, r.ID)
	}
	return ids
}

// setOut has Keyport give all that it gives.
func setOut(t *testing.T, k *process.Keyport) *traveller {
	t.Helper()
	v, ctx := visit(t, k), t.Context()
	var u traveller
	var err error
	if u.gone, err = v.SignIn(ctx, "admin", k.AdminPassword); err == nil {
		u.grant, err = v.SignIn(ctx, "admin", k.AdminPassword)
	}
	if err != nil {
		t.Fatal(err)
	}
	v.token = u.grant.AccessToken
	var key struct{ Secret string }
	v.want(201, "POST", "/v1/me/keys", map[string]any{"name": "traveller", "scopes": []string{"tokens:introspect"}}, &key)
	u.key = key.Secret
	u.record.Data.Model = "Traveller"
	v.want(201, "POST", shipRecords, ship(u.record.Data.Model), &u.record, "Idempotency-Key", "travel-1")
	v.want(200, "PATCH", shipRecords+"/"+u.record.ID, map[string]any{"data": map[string]any{"crew": 10}}, nil, "If-Match", "*")
	u.etag = v.want(200, "GET", shipRecords+"/"+u.record.ID, nil, nil).Header.Get("ETag")
	var page shipsPage
	u.list = shipRecords + "?limit=7&sort=-length,model"
	v.want(200, "GET", u.list, nil, &page)
	u.next = page.Next
	v.want(200, "GET", u.list+"&cursor="+u.next, nil, &page)
	u.rest = page.ids()
	u.stream = u.watch(t, k, "")
	v.want(200, "GET", "/v1/revocations", nil, &struct{ Next *string }{&u.revocations})
	if err := v.SignOut(ctx, u.gone.AccessToken); err != nil {
		t.Fatal(err)
	}
	v.want(200, "PATCH", shipRecords+"/"+u.record.ID, map[string]any{"data": map[string]any{"length": 83}}, nil, "If-Match", u.etag)
	u.etag = v.want(200, "GET", shipRecords+"/"+u.record.ID, nil, nil).Header.Get("ETag")
	return &u
}

// watch watches the ships, behind an event, until there is one, and returns its id. With
// none it returns the id of the beginning.
func (u *traveller) watch(t *testing.T, k *process.Keyport, after string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", k.URL+shipRecords+":watch", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+u.grant.AccessToken)
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer a.Body.Close()
	if a.StatusCode != 200 {
		t.Fatalf("watching: %s", a.Status)
	}
	id := ""
	for lines := bufio.NewScanner(a.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case name == "id":
			id = value
		case name == "data" && strings.Contains(value, u.record.ID) && strings.Contains(value, `"length":83`):
			return id
		}
		if after == "" && id != "" {
			return id
		}
	}
	t.Fatal("the stream ended")
	return ""
}

// arrive comes with all of it, and goes on as if nothing had happened.
func (u *traveller) arrive(t *testing.T, k *process.Keyport) {
	t.Helper()
	v, ctx := visit(t, k), t.Context()
	v.token = u.grant.AccessToken
	v.want(200, "GET", "/v1/me", nil, nil)
	next, err := v.Refresh(ctx, u.grant.RefreshToken)
	if err != nil {
		t.Fatal("the session: ", err)
	}
	u.grant, v.token = next, next.AccessToken
	for what, r := range map[string]process.Request{
		"its access token":  {Method: "GET", Path: "/v1/me", Token: u.gone.AccessToken},
		"its refresh token": process.Refreshing(u.gone.RefreshToken),
	} {
		if a, err := v.Send(ctx, r); err != nil || a.Status != 401 && a.Status != 400 {
			t.Errorf("a session that was ended: %s gets %s, %v", what, a, err)
		}
	}
	var page shipsPage
	v.want(200, "GET", u.list+"&cursor="+u.next, nil, &page)
	if got := strings.Join(page.ids(), " "); got != strings.Join(u.rest, " ") {
		t.Errorf("the list goes on with %s, want %s", got, u.rest)
	}
	v.want(304, "GET", shipRecords+"/"+u.record.ID, nil, nil, "If-None-Match", u.etag)
	var again record
	if a := v.want(201, "POST", shipRecords, ship(u.record.Data.Model), &again, "Idempotency-Key", "travel-1"); a.Header.Get("Idempotency-Replayed") != "true" || again.ID != u.record.ID {
		t.Errorf("what was asked for once is done again: %s, want %s", again.ID, u.record.ID)
	}
	v.want(200, "GET", shipRecords+"?q=nebulon", nil, &page)
	if len(page.Items) != 1 {
		t.Errorf("%d ships are found by a word, want 1", len(page.Items))
	}
	u.watch(t, k, u.stream)
	v.token = u.key
	var told struct{ Items, Changes []map[string]any }
	a := v.want(200, "GET", "/v1/revocations?cursor="+u.revocations, nil, &told)
	if !strings.Contains(string(a.Body), u.gone.Session) {
		t.Errorf("whoever goes on hears %s, and not of session %s", a.Body, u.gone.Session)
	}
}

// digests returns what a copy tells of each table.
func digests(t *testing.T, out string) string {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^\w+ +\d+ +[0-9a-f]{64}$`).FindAllString(out, -1)
	if len(lines) != 16 {
		t.Fatalf("want the digests of 16 tables:\n%s", out)
	}
	return strings.Join(lines, "\n")
}

// TestCopy carries everything from SQLite to PostgreSQL and back, and clients with it.
func TestCopy(t *testing.T) {
	dir := t.TempDir()
	first, second, third := "sqlite:"+dir+"/first.db", pgtest.Database(t, nil), "sqlite:"+dir+"/third.db"
	k := start(t, at(first), "serve", "--demo", "--dir", dir)
	u := setOut(t, k)

	// Nobody need stop for it.
	while := printed(t, at(first), "copy", first, "sqlite:"+dir+"/while.db")
	if code, err := k.Stop(); err != nil || code != 0 {
		t.Fatalf("it ended with %d, %v", code, err)
	}
	there := digests(t, printed(t, at(first), "copy", first, second))
	if got := digests(t, while); got != there {
		t.Errorf("copied while it served:\n%s\nand when it did not:\n%s", got, there)
	}
	if out := printed(t, at(first), "copy", second, third); digests(t, out) != there || strings.Contains(out, password(second)) {
		t.Errorf("there:\n%s\nand back:\n%s", there, out)
	}
	if out := digests(t, printed(t, at(first), "copy", second, third)); out != there {
		t.Errorf("a copy that is finished, once more:\n%s", out)
	}
	if err := os.Remove(dir + "/third.db"); err != nil {
		t.Fatal(err)
	}

	k = start(t, at(second), "serve")
	u.arrive(t, k)
	if _, err := command(t, at(first), "", "copy", first, second); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a copy into what has gone on by itself: %v", err)
	}
	if code, err := k.Stop(); err != nil || code != 0 {
		t.Fatalf("it ended with %d, %v", code, err)
	}
	printed(t, at(first), "copy", second, third)
	u.arrive(t, start(t, at(third), "serve"))
}

// password returns the password in a URL.
func password(url string) string {
	_, rest, _ := strings.Cut(url, "//")
	user, _, _ := strings.Cut(rest, "@")
	_, secret, _ := strings.Cut(user, ":")
	return secret
}

// TestACopyThatIsKilledGoesOn kills a copy again and again, a little later each time,
// until one comes to its end.
func TestACopyThatIsKilledGoesOn(t *testing.T) {
	dir := t.TempDir()
	from := "sqlite:" + dir + "/from.db"
	k := start(t, at(from), "serve", "--demo", "--dir", dir)
	admin, err := visit(t, k).SignIn(t.Context(), "admin", k.AdminPassword)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for n := range 2500 {
		lines.WriteString(`{"data":{"affiliation":"Empire","category":"Probes","ship_class":"Probe","model":"Probe ` + string(rune('a'+n%26)) + `","manufacturer":"A yard","crew":1,"length":2,"roles":["Scout"]}}` + "\n")
	}
	if done, err := visit(t, k).Import(t.Context(), admin.AccessToken, "ships", strings.NewReader(lines.String())); err != nil || done.Stored != 2500 {
		t.Fatalf("imported %+v, %v", done, err)
	}
	if code, err := k.Stop(); err != nil || code != 0 {
		t.Fatalf("it ended with %d, %v", code, err)
	}
	want := digests(t, printed(t, at(from), "copy", from, "sqlite:"+dir+"/whole.db"))
	for name, to := range map[string]string{"SQLite": "sqlite:" + dir + "/to.db", "PostgreSQL": pgtest.Database(t, nil)} {
		t.Run("into "+name, func(t *testing.T) {
			kills, refused := 0, false
			for patience := 40 * time.Millisecond; ; patience += patience / 3 {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				c := exec.CommandContext(ctx, binary, "copy", from, to)
				c.Env = append(os.Environ(), at(from)...)
				out, err := c.CombinedOutput()
				killed := ctx.Err() != nil
				cancel()
				if err == nil {
					if got := digests(t, string(out)); got != want {
						t.Errorf("in the end there are\n%s\nwant\n%s", got, want)
					}
					break
				}
				// A connection of one that was killed may hold the lock a moment longer.
				if !killed && !strings.Contains(string(out), "in use") {
					t.Fatalf("%v\n%s", err, out)
				}
				kills++
				if _, err := command(t, at(to), "", "keys", "list"); err != nil && strings.Contains(err.Error(), "not finished") {
					refused = true
				}
			}
			if kills == 0 || !refused {
				t.Errorf("it was killed %d times; nobody may use what is half done: %t", kills, refused)
			}
			if got := digests(t, printed(t, at(from), "copy", to, "sqlite:"+dir+"/"+name+".db")); got != want {
				t.Errorf("and back there are\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestACopyIsRefusedWhereItCannotBeOne(t *testing.T) {
	dir := t.TempDir()
	from := "sqlite:" + dir + "/from.db"
	start(t, at(from), "serve", "--demo", "--dir", dir)
	for _, test := range []struct {
		name     string
		env      []string
		from, to string
		want     string
	}{
		{"onto itself", at(from), from, from, "the same database"},
		{"onto itself by another path", at(from), from, "sqlite:" + dir + "/../" + filepath.Base(dir) + "/from.db", "the same database"},
		{"from nothing", at(from), "sqlite:" + dir + "/none.db", "sqlite:" + dir + "/to.db", "no database of this release"},
		{"with another master key", append(at(from), "KEYPORT_MASTER_KEY="+newMaster), from, "sqlite:" + dir + "/to.db", "does not fit"},
		{"with no master key", append(at(from), "KEYPORT_MASTER_KEY="), from, "sqlite:" + dir + "/to.db", "set KEYPORT_MASTER_KEY"},
		{"to what is no URL", at(from), from, "to.db", "TO: want sqlite:PATH or postgres://"},
		{"to a server that is away", at(from), from, "postgres://ada:hunter2@127.0.0.1:1/keyport?connect_timeout=2", "TO: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := command(t, test.env, "", "copy", test.from, test.to)
			if err == nil || !strings.Contains(out, test.want) || strings.Contains(out, "hunter2") {
				t.Errorf("want %q:\n%v\n%s", test.want, err, out)
			}
		})
	}
	other := "sqlite:" + dir + "/other.db"
	start(t, at(other), "serve")
	if out, err := command(t, at(from), "", "copy", from, other); err == nil || !strings.Contains(out, "in use") {
		t.Errorf("into a database on which a Keyport runs: %v\n%s", err, out)
	}
}
