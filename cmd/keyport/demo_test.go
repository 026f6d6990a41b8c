package main_test

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// ports are where the demo has the older APIs, unless others are there.
var ports = map[string]string{"fleet": "5000", "skeleton": "5001", "signup": "5002", "library": "5003"}

// occupy listens on the demo's ports until the test ends, and returns the names of
// the older APIs that have theirs taken from them. Where somebody else listens there,
// it is not known until when.
func occupy(t *testing.T) (taken map[string]bool) {
	t.Helper()
	taken = make(map[string]bool)
	for dialect, port := range ports {
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			t.Cleanup(func() { _ = l.Close() })
			taken[dialect] = true
		}
	}
	return taken
}

// tableOf starts a demo, and returns what it prints of where everything is. The demo
// ends with the test.
func tableOf(t *testing.T, env ...string) string {
	t.Helper()
	demo := exec.Command(binary, "serve", "--demo", "--dir", t.TempDir())
	demo.Env = append(slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "KEYPORT_") }),
		append([]string{"KEYPORT_HTTP_ADDR=127.0.0.1:0", "KEYPORT_OPS_ADDR=127.0.0.1:0", "KEYPORT_LOG_LEVEL=error"}, env...)...)
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	})
	var table strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		table.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "  stop it with Ctrl-C") {
			break
		}
	}
	return table.String()
}

// A port that is taken never stops the demo: it says where the older API stands
// instead, and why, and there it does.
func TestTheDemoYieldsItsPorts(t *testing.T) {
	start(t, nil, "serve") // which builds the binary
	taken := occupy(t)
	table := tableOf(t)
	at := regexp.MustCompile(`Keyport's demo is at (http://127\.0\.0\.1:\d+)`).FindStringSubmatch(table)
	if at == nil {
		t.Fatalf("the demo does not say where it is:\n%s", table)
	}
	for dialect, path := range map[string]string{"fleet": "/api/users/1", "skeleton": "/api/users/1", "signup": "/user", "library": "/users"} {
		row := regexp.MustCompile(`(?m)^  ` + dialect + ` +(http://\S+)(?:  \((.*)\))?$`).FindStringSubmatch(table)
		if row == nil {
			t.Errorf("%s is not in\n%s", dialect, table)
			continue
		}
		own, yielded := "http://127.0.0.1:"+ports[dialect], at[1]+"/"+dialect
		why := "127.0.0.1:" + ports[dialect] + " is taken by another program"
		if got := row[1:]; !slices.Equal(got, []string{yielded, why}) && (taken[dialect] || !slices.Equal(got, []string{own, ""})) {
			t.Errorf("%s is at %q", dialect, got)
		}
		want := map[string]int{"fleet": 200, "skeleton": 400, "signup": 401, "library": 401}[dialect]
		visitorOf(t, row[1]).want(want, "GET", path, nil, nil)
	}
}

// visitorOf returns a visitor of whatever answers at base.
func visitorOf(t *testing.T, base string) *visitor {
	t.Helper()
	v := &visitor{t: t, Client: process.NewClient(base)}
	t.Cleanup(v.Close)
	return v
}

// What KEYPORT_DIALECTS says is where the demo has them, and nowhere else.
func TestSettingsWinOverTheDemos(t *testing.T) {
	for _, test := range []struct {
		name, setting string
		want          map[string]string // by name; what follows the public listener's address
	}{
		{"one at a path", "fleet=/mine", map[string]string{"fleet": "/mine"}},
		{"two at paths", "fleet=/mine,library=/books", map[string]string{"fleet": "/mine", "library": "/books"}},
		{"none", "", map[string]string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := start(t, []string{"KEYPORT_DIALECTS=" + test.setting}, "serve", "--demo", "--dir", t.TempDir())
			want := make(map[string]string)
			for dialect, path := range test.want {
				want[dialect] = k.URL + path
			}
			if !maps.Equal(k.Older, want) {
				t.Errorf("the older APIs are at %v, want %v", k.Older, want)
			}
			v := visit(t, k)
			for dialect := range ports {
				if test.want[dialect] != "/"+dialect {
					v.want(404, "GET", "/"+dialect+"/api/users", nil, nil)
				}
			}
			if path, there := test.want["fleet"]; there {
				v.want(200, "GET", path+"/api/users", nil, nil)
			}
		})
	}
}

// Only the demo's own ports are yielded. What somebody has asked for is refused where
// it cannot be had.
func TestPortsThatAreAskedForAreNotYielded(t *testing.T) {
	k := start(t, nil, "serve")
	taken := strings.TrimPrefix(k.URL, "http://")
	for _, args := range [][]string{{"serve"}, {"serve", "--demo", "--dir", t.TempDir()}} {
		_, err := process.Start(t.Context(), process.Options{
			Binary: binary, Args: args, Env: []string{"KEYPORT_DIALECTS=fleet=" + taken}, Dir: t.TempDir(),
		})
		want := taken + " is taken by another program: set KEYPORT_DIALECTS to another address"
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
}

// What somebody who knows the older APIs finds at the demo, on the first day and on
// the next.
func TestNumbersOfTheDemo(t *testing.T) {
	env := []string{"KEYPORT_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "keyport.db"), "KEYPORT_DIALECTS=fleet=127.0.0.1:0,skeleton=127.0.0.1:0"}
	known := []numbered{{1, "user", ""}, {2, "guest", ""}}
	for day, name := range []string{"miguel", "susan"} {
		k := start(t, env, "serve", "--demo", "--dir", t.TempDir())
		fleet, skeleton := visitorOf(t, k.Older["fleet"]), visitorOf(t, k.Older["skeleton"])
		var users, ships []numbered
		fleet.want(200, "GET", "/api/users", nil, &users)
		if diff := cmp.Diff(known, users); diff != "" {
			t.Errorf("users on day %d:\n%s", day+1, diff)
		}
		fleet.want(200, "GET", "/api/ships", nil, &ships)
		if len(ships) != 15+day || ships[0].Model != "T-65 X-Wing" || ships[14].Model != "GR-75 Medium Transport" {
			t.Errorf("ships on day %d: %+v", day+1, ships)
		}
		for i, ship := range ships {
			if ship.ID != int64(i+1) {
				t.Errorf("ship %d has the number %d", i+1, ship.ID)
			}
		}
		var pair struct {
			Access string `json:"access_token"`
		}
		for name, password := range map[string]string{"user": "password", "guest": "guest"} {
			fleet.want(200, "POST", "/auth/login", map[string]string{"username": name, "password": password}, &pair)
		}
		fleet.token = pair.Access
		var made numbered
		a := fleet.want(201, "POST", "/api/ships", map[string]any{
			"affiliation": "Independent", "category": "Transports", "ship_class": "Freighter", "model": fmt.Sprint("Firefly ", day),
			"manufacturer": "A yard", "crew": 9, "length": 82, "roles": []string{"Transport"},
		}, &made)
		if at := fmt.Sprint("/api/ships/", 16+day); made.ID != int64(16+day) || a.Header.Get("Location") != at {
			t.Errorf("the next ship has the number %d at %s, want %s", made.ID, a.Header.Get("Location"), at)
		}
		a = skeleton.want(201, "POST", "/api/users", map[string]string{"username": name, "password": "python"}, nil)
		if at := fmt.Sprint("/api/users/", day+1); a.Header.Get("Location") != at {
			t.Errorf("%s is at %s, want %s", name, a.Header.Get("Location"), at)
		}
		if code, err := k.Stop(); err != nil || code != 0 {
			t.Fatalf("it ended with %d, %v", code, err)
		}
	}
}

// A numbered is a user or a ship of fleet.
type numbered struct {
	ID          int64
	Name, Model string
}
