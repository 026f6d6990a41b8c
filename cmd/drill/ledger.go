package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// A ledger notes what Keyport was asked to write and what it acknowledged, and
// compares that with what is there. Many goroutines may write in it at once.
type ledger struct {
	name string // in the model of each of its ships

	mu       sync.Mutex
	serials  int               // the last that was given out
	created  map[int]string    // record ids by serial, acknowledged
	counters []*counter        // all made before the first kill
	dead     []process.Grant   // of sessions whose end was acknowledged
	tally    tally             // of what was acknowledged
	faults   map[string]string // what was broken, by what it is, each once
}

// A tally counts what was acknowledged, and what was not.
type tally struct{ creates, patches, refreshes, signOuts, unsure int }

func (t tally) acknowledged() int { return t.creates + t.patches + t.refreshes + t.signOuts }

// A counter is a record that several writers raise, each on the revision that it
// has read.
type counter struct {
	id     string
	model  string
	made   map[int]string              // what was acknowledged, by the revision that it made
	unsure map[int]map[string]struct{} // what was sent and not acknowledged
}

func newLedger(name string) *ledger {
	return &ledger{name: name, created: make(map[int]string), faults: make(map[string]string)}
}

// serial returns the next serial number: that of one record, asked for once.
func (l *ledger) serial() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serials++
	return l.serials
}

// note changes the tally and what else f notes.
func (l *ledger) note(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// acknowledged returns how many writes were acknowledged so far.
func (l *ledger) acknowledged() (n int) {
	l.note(func() { n = l.tally.acknowledged() })
	return n
}

// maxFaults bounds how many faults are told.
const maxFaults = 20

// fault notes that something is broken.
func (l *ledger) fault(what, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.faults[what]; !known && len(l.faults) < maxFaults {
		l.faults[what] = fmt.Sprintf(format, args...)
	}
}

// err returns all faults.
func (l *ledger) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, what := range slices.Sorted(maps.Keys(l.faults)) {
		errs = append(errs, fmt.Errorf("%s: %s", what, l.faults[what]))
	}
	return errors.Join(errs...)
}

// raised notes that the revision of c was acknowledged.
func (l *ledger) raised(c *counter, revision int, by string) {
	l.mu.Lock()
	other, twice := c.made[revision]
	c.made[revision] = by
	l.tally.patches++
	l.mu.Unlock()
	if twice {
		l.fault("a lost update", "%s: %s and %s were both told that they had made revision %d", c.model, other, by, revision)
	}
}

// maybe notes that the revision of c was asked for and not acknowledged.
func (l *ledger) maybe(c *counter, revision int, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tally.unsure++
	if c.unsure[revision] == nil {
		c.unsure[revision] = make(map[string]struct{})
	}
	c.unsure[revision][by] = struct{}{}
}

// A record is a ship as the API tells it.
type record struct {
	ID       string `json:"id"`
	Owner    string `json:"owner"`
	Revision int    `json:"revision"`
	Data     ship   `json:"data"`
}

type ship struct {
	Affiliation  string   `json:"affiliation"`
	Category     string   `json:"category"`
	ShipClass    string   `json:"ship_class"`
	Model        string   `json:"model"`
	Manufacturer string   `json:"manufacturer"`
	Crew         int      `json:"crew"`
	Length       int      `json:"length"`
	Roles        []string `json:"roles"`
}

// shipOf returns a ship whose members all follow from its model and number, but
// for who made it: one that is torn does not fit.
func shipOf(model, by string, number int) ship {
	return ship{
		Affiliation: "Rebel Alliance", Category: "Transports", ShipClass: "Medium Transport",
		Model: model, Manufacturer: by, Crew: number, Length: number,
		Roles: []string{"Cargo", strings.Repeat(fmt.Sprint(number, " "), 16)},
	}
}

func (s ship) fits() bool {
	want := shipOf(s.Model, s.Manufacturer, s.Crew)
	return s.Length == want.Length && s.Affiliation == want.Affiliation && slices.Equal(s.Roles, want.Roles)
}

func (l *ledger) model(serial int) string { return fmt.Sprintf("%s %d", l.name, serial) }

// check compares what is there with the ledger. Nobody may write meanwhile. It
// fails where it cannot look; what is broken becomes a fault.
func (l *ledger) check(ctx context.Context, c *process.Client) error {
	there, err := l.records(ctx, c)
	if err != nil {
		return err
	}
	l.checkCreated(there)
	for _, counter := range l.counters {
		var r record
		if err := c.Want(ctx, http.StatusOK, reading(counter.id), &r); err != nil {
			l.fault("a lost record", "%s, which was acknowledged: %v", counter.model, err)
			continue
		}
		l.checkCounter(counter, r)
	}
	return l.checkDead(ctx, c)
}

// records reads all records of the ledger, by serial number.
func (l *ledger) records(ctx context.Context, c *process.Client) (map[int]record, error) {
	there := make(map[int]record)
	for path := ships + "?limit=200"; path != ""; {
		var page struct {
			Items []record `json:"items"`
			Next  string   `json:"next"`
		}
		if err := c.Want(ctx, http.StatusOK, process.Request{Method: http.MethodGet, Path: path}, &page); err != nil {
			return nil, err
		}
		for _, r := range page.Items {
			serial := 0
			if n, _ := fmt.Sscanf(r.Data.Model, l.name+" %d", &serial); n != 1 {
				continue
			}
			if twin, twice := there[serial]; twice {
				l.fault("a double", "serial %d is there as %s and as %s", serial, twin.ID, r.ID)
			}
			there[serial] = r
		}
		path = ""
		if page.Next != "" {
			path = ships + "?limit=200&cursor=" + page.Next
		}
	}
	return there, nil
}

func (l *ledger) checkCreated(there map[int]record) {
	for serial, id := range l.created {
		if r, ok := there[serial]; !ok || r.ID != id {
			l.fault("a lost record", "serial %d was acknowledged as %s, and there is %q", serial, id, r.ID)
		}
	}
	for serial, r := range there {
		if serial < 1 || serial > l.serials {
			l.fault("a record from nowhere", "serial %d, %s", serial, r.ID)
		}
		if !r.Data.fits() || r.Data.Crew != serial || r.Revision != 1 || r.Owner == "" {
			l.fault("a torn record", "serial %d: %+v", serial, r)
		}
	}
}

// checkCounter looks whether the revision that is there is the last that was
// acknowledged, or one that was asked for on top of that.
func (l *ledger) checkCounter(c *counter, r record) {
	last := slices.MaxFunc(slices.Collect(maps.Keys(c.made)), cmp.Compare[int])
	if r.Revision < last {
		l.fault("a lost update", "%s: revision %d was acknowledged, and %d is there", c.model, last, r.Revision)
		return
	}
	if !r.Data.fits() || r.Data.Crew != r.Revision || r.Data.Model != c.model {
		l.fault("a torn record", "%+v", r)
	}
	for revision := last + 1; revision <= r.Revision; revision++ {
		if len(c.unsure[revision]) == 0 {
			l.fault("an update from nowhere", "%s: revision %d, which nobody made", c.model, revision)
		}
	}
	by := r.Data.Manufacturer
	if _, asked := c.unsure[r.Revision][by]; c.made[r.Revision] != by && !asked {
		l.fault("a torn record", "%s: revision %d is of %q, and %q made it", c.model, r.Revision, by, c.made[r.Revision])
	}
}

// checkDead looks whether sessions that were signed out stay so.
func (l *ledger) checkDead(ctx context.Context, c *process.Client) error {
	for _, g := range l.dead {
		for what, try := range map[string]struct {
			process.Request
			status int
		}{
			"access token":  {process.Request{Method: http.MethodGet, Path: "/v1/me", Token: g.AccessToken}, http.StatusUnauthorized},
			"refresh token": {process.Refreshing(g.RefreshToken), http.StatusBadRequest},
		} {
			a, err := c.Send(ctx, try.Request)
			if err != nil {
				return err
			}
			if a.Status != try.status {
				l.fault("a session back from the dead", "session %s: its %s gets %s", g.Session, what, a)
			}
		}
	}
	return nil
}
