package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// Crates are what is declared anew while they are in use.
const (
	crates        = "/v1/collections/crates"
	crateRecords  = crates + "/records"
	cratesDefined = `{"name":"crates","schema":{"type":"object","required":["label","weight"],"properties":{` +
		`"label":{"type":"string"%s},"weight":{"type":"integer"}}},"rules":{"list":"true","read":"true",` +
		`"create":"account != null","update":"account != null","delete":"account != null"}%s}`
	crateOrder   = "-weight,label"
	crateIndexed = `,"indexes":["` + crateOrder + `"]`
	labelled     = `,"minLength":3` // the tighter schema
)

// What is done to crates, and what is promised of it.
const (
	crateReaders = 4
	crateWriters = 2
	crateWithin  = time.Second     // the longest that a reader waits
	crateHeld    = 5 * time.Second // and a writer
	misfits      = 7               // crates that do not fit the tighter schema
	ready        = 2 * time.Minute
)

// building declares an index and a tighter schema while records are read and written.
func building(ctx context.Context, g *ground.Ground, s size, r *report) error {
	sites, err := g.Stores()
	if err != nil {
		return err
	}
	var broken []error
	for _, site := range sites {
		if err := buildOn(ctx, site, s, r); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", site.Store, err))
		}
	}
	return errors.Join(broken...)
}

func buildOn(ctx context.Context, site ground.Site, s size, r *report) (err error) {
	k, err := site.Serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Kill()) }()
	client := k.Client()
	defer client.Close()
	admin, err := signInAdministrator(ctx, site, client, "building")
	if err != nil {
		return err
	}
	if err := client.Declare(ctx, admin.AccessToken, fmt.Sprintf(cratesDefined, "", "")); err != nil {
		return err
	}
	y := &yard{site: site, client: client, admin: admin}
	if err := y.fill(ctx, s.built); err != nil {
		return err
	}
	r.add(site.Store, "records that are there", "%d", s.built)
	if err := y.index(ctx, r); err != nil {
		return err
	}
	return y.tighten(ctx, r)
}

// A yard is where the crates are.
type yard struct {
	site   ground.Site
	client *process.Client
	admin  process.Grant
	ids    []string // of some that are there
}

// crate is a record of crates.
type crate struct {
	ID   string `json:"id"`
	Data struct {
		Label  string `json:"label"`
		Weight int    `json:"weight"`
	} `json:"data"`
}

// fill imports as many crates.
func (y *yard) fill(ctx context.Context, number int) error {
	in, out := io.Pipe()
	go func() {
		var b bytes.Buffer
		for n := range number {
			fmt.Fprintf(&b, `{"data":{"label":"crate %d","weight":%d}}`+"\n", n, rand.IntN(1000))
			if b.Len() < 32<<10 && n < number-1 {
				continue
			}
			if _, err := out.Write(b.Bytes()); err != nil {
				return // the import has ended
			}
			b.Reset()
		}
		_ = out.Close() // never fails
	}()
	done, err := y.client.Import(ctx, y.admin.AccessToken, "crates", in)
	_ = in.Close() // never fails
	if err == nil && (!done.Done || done.Stored != int64(number)) {
		err = fmt.Errorf("of %d crates %d were imported: %s", number, done.Stored, done.Problems)
	}
	if err != nil {
		return err
	}
	page, err := y.page(ctx, "limit=200")
	for _, c := range page.Items {
		y.ids = append(y.ids, c.ID)
	}
	return err
}

type cratePage struct {
	Items []crate `json:"items"`
	Next  string  `json:"next"`
}

func (y *yard) page(ctx context.Context, query string) (p cratePage, err error) {
	err = y.client.Want(ctx, http.StatusOK, process.Request{Method: http.MethodGet, Path: crateRecords + "?" + query}, &p)
	return p, err
}

// walk reads all crates in an order.
func (y *yard) walk(ctx context.Context, order string) (all []crate, err error) {
	cursor := ""
	for {
		query := "limit=200&sort=" + order
		if cursor != "" {
			query += "&cursor=" + url.QueryEscape(cursor)
		}
		page, err := y.page(ctx, query)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}

// declaration is what there is to know of crates.
type declaration struct {
	Building bool `json:"building"`
}

// declare puts another declaration in the place of the one that is there.
func (y *yard) declare(ctx context.Context, schema, more string) (process.Answer, error) {
	return y.client.Send(ctx, process.Request{
		Method: http.MethodPut, Path: crates, Token: y.admin.AccessToken, Match: "*", Body: fmt.Appendf(nil, cratesDefined, schema, more),
	})
}

// index declares an index, and waits until lists may use it, while everybody works.
// Then the list by it has to have each crate, in order.
func (y *yard) index(ctx context.Context, r *report) error {
	w := y.work(ctx)
	begun := time.Now()
	err := y.built(ctx)
	took := time.Since(begun)
	w.stop()
	w.tell(r, y.site.Store, "an index is built")
	if err := errors.Join(err, w.err(crateWithin, crateHeld)); err != nil {
		return err
	}
	r.add(y.site.Store, "from the declaration of an index to the first list by it", "%v", took.Round(time.Millisecond))
	ordered, err := y.walk(ctx, crateOrder)
	if err != nil {
		return err
	}
	all, err := y.walk(ctx, "id")
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b crate) int {
		return cmp.Or(cmp.Compare(b.Data.Weight, a.Data.Weight), cmp.Compare(a.Data.Label, b.Data.Label), cmp.Compare(a.ID, b.ID))
	})
	if !slices.Equal(all, ordered) {
		return fmt.Errorf("there are %d crates, and the list by the index has %d, or another order", len(all), len(ordered))
	}
	r.add(y.site.Store, "records in the list by the new index: all, in order", "%d", len(ordered))
	return nil
}

// built declares the index, and returns once it is built.
func (y *yard) built(ctx context.Context) error {
	answer, err := y.declare(ctx, "", crateIndexed)
	if err != nil {
		return err
	}
	var d declaration
	if err := answer.Into(&d); answer.Status != http.StatusOK || err != nil || !d.Building {
		return fmt.Errorf("an index is declared: %s", answer)
	}
	begun := time.Now()
	for d.Building {
		if time.Since(begun) > ready {
			return fmt.Errorf("the index is not built after %v", ready)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		if err := y.client.Want(ctx, http.StatusOK, process.Request{Method: http.MethodGet, Path: crates}, &d); err != nil {
			return err
		}
	}
	_, err = y.page(ctx, "limit=1&sort="+crateOrder)
	return err
}

// tighten declares a schema that some crates do not fit, mends these, and declares it
// again, while everybody works.
func (y *yard) tighten(ctx context.Context, r *report) error {
	bad := make([]string, misfits)
	for n := range bad {
		if err := y.label(ctx, y.ids[n], "?"); err != nil {
			return err
		}
		bad[n] = y.ids[n]
	}
	w := y.work(ctx)
	err := y.tightened(ctx, bad, r)
	w.stop()
	w.tell(r, y.site.Store, "a schema is tightened")
	return errors.Join(err, w.err(crateWithin, hangs))
}

func (y *yard) tightened(ctx context.Context, bad []string, r *report) error {
	begun := time.Now()
	answer, err := y.declare(ctx, labelled, crateIndexed)
	if err != nil {
		return err
	}
	var refusal struct {
		Type   string
		Errors []struct{ Pointer string }
	}
	if err := answer.Into(&refusal); answer.Status != http.StatusConflict || err != nil || refusal.Type != "/problems/records-unfit" {
		return fmt.Errorf("a schema that records do not fit: %s", answer)
	}
	var named []string
	for _, e := range refusal.Errors {
		id, _, _ := strings.Cut(strings.TrimPrefix(e.Pointer, "/records/"), "/")
		named = append(named, id)
	}
	slices.Sort(bad)
	slices.Sort(named)
	if !slices.Equal(bad, slices.Compact(named)) {
		return fmt.Errorf("records that do not fit: %q, named are %q", bad, named)
	}
	r.add(y.site.Store, "a schema that some records do not fit: refused within, and as many named", "%v, %d", time.Since(begun).Round(time.Millisecond), len(bad))
	// The old schema holds on: it lets through what the new one would not.
	for _, id := range bad {
		if err := errors.Join(y.label(ctx, id, "!"), y.label(ctx, id, "mended")); err != nil {
			return err
		}
	}
	begun = time.Now()
	if answer, err = y.declare(ctx, labelled, crateIndexed); err != nil || answer.Status != http.StatusOK {
		return fmt.Errorf("a schema that all records fit: %s %w", answer, err)
	}
	r.add(y.site.Store, "the same once they are mended: accepted within", "%v", time.Since(begun).Round(time.Millisecond))
	if err := y.label(ctx, bad[0], "?"); err == nil {
		return errors.New("the new schema does not hold")
	}
	return nil
}

// label changes the label of a crate.
func (y *yard) label(ctx context.Context, id, label string) error {
	return y.client.Want(ctx, http.StatusOK, process.Request{
		Method: http.MethodPatch, Path: crateRecords + "/" + id, Token: y.admin.AccessToken, Match: "*",
		Body: map[string]any{"data": map[string]any{"label": label}},
	}, nil)
}

// Labour is what readers and writers do, and how long they waited.
type labour struct {
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu          sync.Mutex
	read, wrote []time.Duration
	refused     error // the first that was
}

// work has readers and writers work until stop is called.
func (y *yard) work(ctx context.Context) *labour {
	working, cancel := context.WithCancel(ctx)
	w := &labour{cancel: cancel}
	for range crateReaders {
		w.group.Go(func() {
			for n := 0; working.Err() == nil; n++ {
				r := process.Request{Method: http.MethodGet, Path: crateRecords + "?limit=30"}
				if n%2 == 0 {
					r.Path = crateRecords + "/" + y.ids[rand.IntN(misfits*2)]
				}
				w.ask(ctx, y.client, &w.read, http.StatusOK, r, nil)
			}
		})
	}
	for n := range crateWriters {
		w.group.Go(func() { y.write(ctx, working, w, y.ids[(n+1)*40:(n+2)*40]) })
	}
	return w
}

// write changes crates, and puts others in their place, until working ends: there are
// never more than there were.
func (y *yard) write(ctx, working context.Context, w *labour, ids []string) {
	for n := 0; working.Err() == nil; n++ {
		id := &ids[n%len(ids)]
		data := map[string]any{"data": map[string]any{"label": fmt.Sprintf("crate %d again", n), "weight": rand.IntN(1000)}}
		r := process.Request{Method: http.MethodPatch, Path: crateRecords + "/" + *id, Token: y.admin.AccessToken, Match: "*", Body: data}
		w.ask(ctx, y.client, &w.wrote, http.StatusOK, r, nil)
		if n%2 == 0 {
			continue
		}
		r.Method, r.Body = http.MethodDelete, nil
		w.ask(ctx, y.client, &w.wrote, http.StatusNoContent, r, nil)
		r.Method, r.Path, r.Match, r.Body = http.MethodPost, crateRecords, "", data
		var made crate
		if w.ask(ctx, y.client, &w.wrote, http.StatusCreated, r, &made); made.ID == "" {
			return // refused
		}
		*id = made.ID
	}
}

// ask sends a request, and notes how long that took, or what was wrong.
func (w *labour) ask(ctx context.Context, c *process.Client, times *[]time.Duration, status int, r process.Request, into *crate) {
	a, err := c.Send(ctx, r)
	if err == nil && a.Status != status {
		err = &process.Refusal{Request: r.Method + " " + r.Path, Answer: a}
	}
	if err == nil && into != nil {
		err = json.Unmarshal(a.Body, into)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	*times = append(*times, a.Took)
	if w.refused == nil {
		w.refused = err
	}
}

func (w *labour) stop() {
	w.cancel()
	w.group.Wait()
}

func (w *labour) tell(r *report, store, while string) {
	for _, of := range []struct {
		what  string
		times []time.Duration
	}{{"a read", w.read}, {"a write", w.wrote}} {
		median, p99, most := spread(of.times)
		r.add(store, of.what+" while "+while+": median, 99th percentile, at most", "%v, %v, %v (of %d)", median, p99, most, len(of.times))
	}
}

// err fails where a request was refused, or waited for longer than it may.
func (w *labour) err(read, wrote time.Duration) error {
	if w.refused != nil {
		return w.refused
	}
	if len(w.read) == 0 || len(w.wrote) == 0 {
		return errors.New("nobody worked: the drill has proved nothing")
	}
	if longest := slices.Max(w.read); longest > read {
		return fmt.Errorf("a read took %v", longest)
	}
	if longest := slices.Max(w.wrote); longest > wrote {
		return fmt.Errorf("a write took %v", longest)
	}
	return nil
}
