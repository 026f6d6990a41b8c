package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A reading is a list that is read from its first page to its last.
type reading struct {
	name, query string
	changing    bool                   // whether it shows those too that are changed meanwhile, but not in what it goes by
	in          func(a, b listed) bool // whether b may follow a
}

// A listed is a record as a page has it.
type listed struct {
	ID      string `json:"id"`
	Updated string `json:"updated_at"`
	Created string `json:"created_at"`
	Data    struct {
		Kind   string  `json:"kind"`
		Length float64 `json:"length"`
	} `json:"data"`
}

var readings = []reading{
	{"by id", "", true, func(a, b listed) bool { return a.ID < b.ID }},
	{"by id, backward", "sort=-id", true, func(a, b listed) bool { return a.ID > b.ID }},
	{"by id, filtered", "filter=" + url.QueryEscape(`record.data.kind != "passing" && record.data.length >= 0.0`), true, func(a, b listed) bool { return a.ID < b.ID }},
	{"by length, descending", "sort=-length", true, func(a, b listed) bool { return a.Data.Length >= b.Data.Length }},
	{"by length, ascending and counted", "sort=length&count=exact", true, func(a, b listed) bool { return a.Data.Length <= b.Data.Length }},
	{"by length, filtered", "sort=-length&filter=" + url.QueryEscape(`record.data.kind == "steady" && !has(record.data.touched)`), false, func(a, b listed) bool { return a.Data.Length >= b.Data.Length }},
	{"searched", "q=vessel", true, func(a, b listed) bool { return a.ID < b.ID }},
	{"by time of change, descending", "sort=-updated_at", false, func(a, b listed) bool {
		return later(a.Updated, b.Updated) || a.Updated == b.Updated && a.ID > b.ID
	}},
	{"by time of creation, descending", "sort=-created_at", true, func(a, b listed) bool {
		return later(a.Created, b.Created) || a.Created == b.Created && a.ID > b.ID
	}},
}

// TestPagesJoinUnderConcurrentWrites has readers go from page to page while others
// create, change and delete records as fast as they can. Each record that is there all
// along, and stays where it is in the order, is told once; none is told twice; and all
// that is told is in order.
func TestPagesJoinUnderConcurrentWrites(t *testing.T) {
	const steady, passes = 40, 4
	for _, store := range slices.Sorted(maps.Keys(stores)) {
		t.Run(store, func(t *testing.T) {
			w := newTown(t, stores[store](t), domain.Collection{
				Name:   "vessels",
				Schema: document(t, `{"type":"object","properties":{"kind":{"type":"string"},"length":{"type":"number"},"touched":{"type":"integer"},"about":{"type":"string"}}}`),
				Rules:  domain.Rules{List: "true", Read: "true", Create: "account != null", Update: owned, Delete: owned},
				Search: []string{"about"}, Indexes: []domain.Index{{Sort: domain.Sort{{Field: "length", Descending: true}}}},
			})
			_, token := w.settle("ada")
			add := func(kind string, length int) (string, error) {
				a := w.send("POST", vessels, token, fmt.Sprintf(`{"data":{"kind":%q,"length":%d,"about":"a vessel"}}`, kind, length))
				var r listed
				err := json.Unmarshal(a.Body.Bytes(), &r)
				if a.Code != 201 {
					err = fmt.Errorf("POST: %d %s", a.Code, a.Body)
				}
				return r.ID, err
			}
			kept, changed := make([]string, steady), make([]string, steady)
			for n := range steady {
				var one, other error
				kept[n], one = add("steady", n%7)
				changed[n], other = add("steady", n%7)
				if err := errors.Join(one, other); err != nil {
					t.Fatal(err)
				}
			}
			v := voyage{town: w, token: token, kept: kept, changed: changed, add: add}
			var writers, readers sync.WaitGroup
			for n := range 3 {
				writers.Go(func() { v.write(n) })
			}
			for _, r := range readings {
				readers.Go(func() {
					for pass := 0; pass < passes || v.calm(2*steady); pass++ {
						if err := v.read(r, 3+2*(pass%passes)); err != nil {
							t.Errorf("%s: %v", r.name, err)
							return
						}
					}
				})
			}
			readers.Go(func() {
				for pass := 0; pass < passes || v.calm(2*steady); pass++ {
					if err := v.export(); err != nil {
						t.Errorf("exported: %v", err)
						return
					}
				}
			})
			readers.Wait()
			v.arrived.Store(true)
			writers.Wait()
			if v.failed != nil {
				t.Error(v.failed)
			}
			t.Logf("%d writes came between", v.writes.Load())
		})
	}
}

const vessels = "/v1/collections/vessels/records"

// later reports whether one time is later than another. In RFC 3339 trailing zeros are
// left out, so texts alone do not tell.
func later(a, b string) bool {
	at, err := time.Parse(time.RFC3339Nano, a)
	before, other := time.Parse(time.RFC3339Nano, b)
	return errors.Join(err, other) == nil && at.After(before)
}

// A voyage is what readers and writers have in common.
type voyage struct {
	*town
	token         string
	kept, changed []string // ids
	add           func(kind string, length int) (string, error)
	arrived       atomic.Bool
	writes        atomic.Int64

	once   sync.Once
	failed error
	broken atomic.Bool // tells that a writer failed
}

// calm reports whether fewer writes than enough have come between.
func (v *voyage) calm(enough int64) bool { return v.writes.Load() < enough && !v.broken.Load() }

// write creates, changes and deletes, until the readers have arrived.
func (v *voyage) write(n int) {
	chance := rand.New(rand.NewPCG(uint64(n), 0))
	var passing []string
	for !v.arrived.Load() {
		var err error
		switch roll := chance.IntN(4); {
		case roll == 0 || len(passing) < 3:
			var id string
			if id, err = v.add("passing", chance.IntN(7)); err == nil {
				passing = append(passing, id)
			}
		case roll == 1:
			i := chance.IntN(len(passing))
			if a := v.send("DELETE", vessels+"/"+passing[i], v.token, "", "If-Match", "*"); a.Code != 204 {
				err = fmt.Errorf("DELETE: %d %s", a.Code, a.Body)
			}
			passing = slices.Delete(passing, i, i+1)
		default: // in whatever no list goes by
			id := v.changed[chance.IntN(len(v.changed))]
			if a := v.send("PATCH", vessels+"/"+id, v.token, fmt.Sprintf(`{"data":{"touched":%d,"about":"vessel %d"}}`, chance.IntN(1000), chance.IntN(1000)), "If-Match", "*"); a.Code != 200 && a.Code != 412 {
				err = fmt.Errorf("PATCH: %d %s", a.Code, a.Body)
			}
		}
		if err != nil {
			v.once.Do(func() { v.failed = err })
			v.broken.Store(true)
			return
		}
		v.writes.Add(1)
	}
}

// read reads a list to its end.
func (v *voyage) read(r reading, limit int) error {
	told := make(map[string]int)
	var last *listed
	for path := fmt.Sprintf("%s?limit=%d&%s", vessels, limit, r.query); path != ""; {
		a := v.send("GET", path, "", "")
		var page struct {
			Items []listed
			Next  string
		}
		if err := json.Unmarshal(a.Body.Bytes(), &page); err != nil || a.Code != 200 {
			return fmt.Errorf("%d %s", a.Code, a.Body)
		}
		if len(page.Items) < limit && page.Next != "" {
			return fmt.Errorf("a page of %d where %d were asked for, with another behind it", len(page.Items), limit)
		}
		for _, item := range page.Items {
			if told[item.ID]++; told[item.ID] > 1 {
				return fmt.Errorf("%+v is told twice", item)
			}
			if last != nil && !r.in(*last, item) {
				return fmt.Errorf("%+v comes behind %+v", item, *last)
			}
			last = &item
		}
		if path = ""; page.Next != "" {
			path = fmt.Sprintf("%s?limit=%d&%s&cursor=%s", vessels, limit, r.query, page.Next)
		}
	}
	return v.missed(told, r.changing)
}

// export reads all there is at once.
func (v *voyage) export() error {
	told := make(map[string]int)
	a := v.send("GET", vessels+":export", "", "")
	if a.Code != 200 {
		return fmt.Errorf("%d %s", a.Code, a.Body)
	}
	for line := range bytes.Lines(a.Body.Bytes()) {
		var item listed
		if err := json.Unmarshal(line, &item); err != nil {
			return err
		}
		if told[item.ID]++; told[item.ID] > 1 {
			return fmt.Errorf("%+v is told twice", item)
		}
	}
	return v.missed(told, true)
}

// missed fails if one that was there all along was not told.
func (v *voyage) missed(told map[string]int, changed bool) error {
	all := v.kept
	if changed {
		all = slices.Concat(v.kept, v.changed)
	}
	for _, id := range all {
		if told[id] != 1 {
			return fmt.Errorf("%s is told %d times, among %d", id, told[id], len(told))
		}
	}
	return nil
}
