package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A drill that finds nothing has to be one that would find something: what was
// done behind the ledger's back is told, and nothing else is.
func TestTheLedgerFindsWhatIsBroken(t *testing.T) {
	binary, cleanup, err := process.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cleanup(); err != nil {
			t.Error(err)
		}
	}()
	k, err := process.Start(t.Context(), process.Options{
		Binary: binary, Args: []string{"serve", "--demo"}, Dir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := k.Kill(); err != nil {
			t.Error(err)
		}
	}()
	client := k.Client()
	defer client.Close()
	cases := []struct {
		name  string
		fault string // "" for none
		spoil func(t *testing.T, c *crew)
	}{
		{"nothing, where nothing was done", "", func(*testing.T, *crew) {}},
		{"a record that is gone", "a lost record", func(t *testing.T, c *crew) {
			send(t, client, process.Request{Method: http.MethodDelete, Path: ships + "/" + c.ledger.created[1], Token: c.writers[0].grant.AccessToken, Match: "*"})
		}},
		{"a counter that is gone", "a lost record", func(t *testing.T, c *crew) {
			send(t, client, process.Request{Method: http.MethodDelete, Path: ships + "/" + c.ledger.counters[0].id, Token: c.writers[0].grant.AccessToken, Match: "*"})
		}},
		{"a record in part", "a torn record", func(t *testing.T, c *crew) {
			c.patch(t, client, c.ledger.created[1], map[string]any{"length": 77})
		}},
		{"a record that nobody asked for", "a record from nowhere", func(t *testing.T, c *crew) {
			c.add(t, client, shipOf(c.ledger.model(1000), "nobody", 1000))
		}},
		{"a record that was made twice", "a double", func(t *testing.T, c *crew) {
			c.add(t, client, shipOf(c.ledger.model(1), c.writers[0].name, 1))
		}},
		{"an update that is gone", "a lost update", func(_ *testing.T, c *crew) {
			c.ledger.raised(c.ledger.counters[0], 50, "writer 0")
		}},
		{"a revision that two were promised", "a lost update", func(_ *testing.T, c *crew) {
			c.ledger.raised(c.ledger.counters[0], 2, "writer 7")
		}},
		{"an update that nobody made", "an update from nowhere", func(t *testing.T, c *crew) {
			c.patch(t, client, c.ledger.counters[0].id, map[string]any{"crew": 3, "length": 3})
		}},
		{"an update in part", "a torn record", func(t *testing.T, c *crew) {
			c.ledger.maybe(c.ledger.counters[0], 3, "writer 0")
			c.patch(t, client, c.ledger.counters[0].id, map[string]any{"crew": 3})
		}},
		{"an update that was only asked for", "", func(t *testing.T, c *crew) {
			c.ledger.maybe(c.ledger.counters[0], 3, "writer 9")
			s := shipOf(c.ledger.counters[0].model, "writer 9", 3)
			c.patch(t, client, c.ledger.counters[0].id, map[string]any{"manufacturer": s.Manufacturer, "crew": s.Crew, "length": s.Length, "roles": s.Roles})
		}},
		{"a session that lives after its end", "a session back from the dead", func(_ *testing.T, c *crew) {
			c.ledger.dead = append(c.ledger.dead, c.writers[1].grant)
		}},
	}
	for i, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			c, err := newCrew(t.Context(), client, fmt.Sprintf("case%d", i), 2, 1)
			if err != nil {
				t.Fatal(err)
			}
			w := c.writers[0]
			if !w.create(client) || !w.patch(client) || !w.refresh(client) {
				t.Fatal(c.ledger.err())
			}
			test.spoil(t, c)
			if err := c.ledger.check(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			found := c.ledger.err()
			if test.fault == "" && found != nil || test.fault != "" && (found == nil || !strings.Contains(found.Error(), test.fault)) {
				t.Errorf("want %q, and it found: %v", test.fault, found)
			}
		})
	}
}

// send sends what must succeed.
func send(t *testing.T, client *process.Client, r process.Request) {
	t.Helper()
	a, err := client.Send(t.Context(), r)
	if err != nil || a.Status >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %s, %v", r.Method, r.Path, a, err)
	}
}

func (c *crew) add(t *testing.T, client *process.Client, s ship) {
	t.Helper()
	send(t, client, process.Request{Method: http.MethodPost, Path: ships, Token: c.writers[0].grant.AccessToken, Body: map[string]any{"data": s}})
}

func (c *crew) patch(t *testing.T, client *process.Client, id string, data map[string]any) {
	t.Helper()
	send(t, client, process.Request{
		Method: http.MethodPatch, Path: ships + "/" + id, Token: c.writers[0].grant.AccessToken, Match: "*",
		Body: map[string]any{"data": data},
	})
}
