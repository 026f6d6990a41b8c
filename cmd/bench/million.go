package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// A crowd says how many records make much.
type crowd struct {
	few, many int           // records
	requests  int           // of each kind, to either collection
	bound     time.Duration // of it all, once the binary is built
}

var (
	million      = crowd{few: 10_000, many: 1_000_000, requests: 2_000, bound: 40 * time.Minute}
	shortMillion = crowd{few: 1_000, many: 20_000, requests: 300, bound: 4 * time.Minute}
)

// goalMany is what a request may cost among many records, times what it costs among
// few.
const goalMany = 1.5

// compareAll compares on each store, and prints a table.
func (c crowd) compareAll(ctx context.Context, sites []ground.Site, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, c.bound)
	defer cancel()
	fmt.Fprintf(out, "%d records and %d, in two collections of one declaration: the median time to the answer of %d requests to each in turn, on one connection\n",
		c.few, c.many, c.requests)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "store\toperation\tat %d\tat %d\tratio\tat most %.1f\t\n", c.few, c.many, goalMany)
	for _, site := range sites {
		if err := c.compare(ctx, site, out, t); err != nil {
			return fmt.Errorf("%s: %w", site.Store, err)
		}
	}
	return t.Flush()
}

// compare fills the two collections and times what is asked of either.
func (c crowd) compare(ctx context.Context, site ground.Site, out, table io.Writer) (err error) {
	k, err := site.Serve(ctx, "KEYPORT_ACCESS_TTL=1h") // an import may take as long
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Kill()) }()
	admin, err := administrator(ctx, site, k)
	if err != nil {
		return err
	}
	client := k.Client()
	defer client.Close()
	var both [2]sample
	for i, size := range []int{c.few, c.many} {
		name := []string{"few", "many"}[i]
		if err := client.Declare(ctx, admin.AccessToken, fmt.Sprintf(declaration, name, indexed)); err != nil {
			return err
		}
		start := time.Now()
		said := log.New(out, site.Store+": ", 0)
		if err := populate(ctx, client, admin, name, size, func(sent int64) {
			said.Printf("%d of %d records sent, after %v", sent, size, time.Since(start).Round(time.Second))
		}); err != nil {
			return err
		}
		took := time.Since(start)
		fmt.Fprintf(out, "%s: %d records in %v, %.0f/s\n", site.Store, size, took.Round(time.Second), float64(size)/took.Seconds())
		if both[i], err = survey(ctx, client, name, size); err != nil {
			return err
		}
	}
	for _, o := range operations("Authorization: Bearer " + admin.AccessToken) {
		few, many, err := o.time(ctx, k, both, c.requests)
		if err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		ratio := float64(many) / float64(few)
		fmt.Fprintf(table, "%s\t%s\t%v\t%v\t%.2f\t%s\t\n", site.Store, o.name,
			few.Round(time.Microsecond), many.Round(time.Microsecond), ratio, goal{"ratio", ratio <= goalMany}.verdict())
	}
	return nil
}

// The ships of both collections are spread alike over what they are asked for by.
const (
	lengths    = 1000
	categories = 20
	someShip   = `{"data":{"affiliation":"Rebel Alliance","category":"Category %d","ship_class":"Medium Transport",` +
		`"model":"GR-75 number %d","manufacturer":"Gallofree Yards","crew":%d,"length":%d,"roles":["Cargo Transport"]}}`
)

// importers import at once into one collection.
const importers = 4

// stride is after how many records it is told how far populating is.
const stride = 100_000

// populate imports as many ships into a collection. It tells told, by any goroutine,
// how many are sent.
func populate(ctx context.Context, c *process.Client, admin process.Grant, collection string, size int, told func(sent int64)) error {
	errs := make([]error, importers)
	var group sync.WaitGroup
	var serial atomic.Int64
	for i := range importers {
		group.Go(func() {
			dice := rand.New(rand.NewPCG(1, uint64(i)))
			errs[i] = importAll(ctx, c, admin, collection, &lines{number: (size + i) / importers, write: func(line []byte) []byte {
				n := serial.Add(1)
				if n%stride == 0 {
					told(n)
				}
				return fmt.Appendf(line, someShip, dice.IntN(categories), n, 1+dice.IntN(10_000), 1+dice.IntN(lengths))
			}})
		})
	}
	group.Wait()
	return first(errs)
}

// A sample is what is known of a collection, to ask for it.
type sample struct {
	collection string
	ids        []string // of some records, as they stand in the index
	cursors    []string // of pages in the middle of it
}

const byLength = "sort=-length,model"

// survey walks through a collection by an index, to the end of its middle fifth.
func survey(ctx context.Context, c *process.Client, collection string, size int) (s sample, err error) {
	s.collection = collection
	const limit = 200
	cursor := ""
	for read := 0; read < size*3/5; read += limit {
		var page struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
			Next string `json:"next"`
		}
		path := fmt.Sprintf("%s?%s&limit=%d&fields=model", recordsOf(collection), byLength, limit)
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		if err := c.Want(ctx, http.StatusOK, process.Request{Method: http.MethodGet, Path: path}, &page); err != nil {
			return s, err
		}
		if len(page.Items) != limit || page.Next == "" {
			return s, fmt.Errorf("a page behind %d of %d records has %d", read, size, len(page.Items))
		}
		cursor = page.Next
		s.ids = append(s.ids, page.Items[read/limit%limit].ID)
		if read >= size*2/5 {
			s.cursors = append(s.cursors, cursor)
		}
	}
	return s, nil
}

// An operation is one kind of request.
type operation struct {
	name   string
	status int
	asks   func(s sample) []byte
}

func operations(authorization string) []operation {
	serial := 0
	list := func(s sample, query, filter string, args ...any) []byte {
		if filter != "" {
			query += "&filter=" + url.QueryEscape(fmt.Sprintf(filter, args...))
		}
		return request(http.MethodGet, recordsOf(s.collection)+"?limit=30&"+query, "")
	}
	return []operation{
		{"get", http.StatusOK, func(s sample) []byte {
			return request(http.MethodGet, recordsOf(s.collection)+"/"+one(s.ids), "")
		}},
		{"a page of 30 in the middle of an index", http.StatusOK, func(s sample) []byte {
			return list(s, byLength+"&cursor="+url.QueryEscape(one(s.cursors)), "")
		}},
		{"30 of one category, by crew", http.StatusOK, func(s sample) []byte {
			return list(s, "sort=-crew", `record.data.category == "Category %d"`, rand.IntN(categories))
		}},
		{"30 of a range of lengths, by length", http.StatusOK, func(s sample) []byte {
			from := 1 + rand.IntN(lengths*9/10)
			return list(s, byLength, "record.data.length >= %d && record.data.length < %d", from, from+lengths/10)
		}},
		{"create", http.StatusCreated, func(s sample) []byte {
			serial++
			body := fmt.Sprintf(someShip, rand.IntN(categories), -serial, 1+rand.IntN(10_000), 1+rand.IntN(lengths))
			return request(http.MethodPost, recordsOf(s.collection), body, "Content-Type: application/json", authorization)
		}},
	}
}

// one returns one of them, by chance.
func one(all []string) string { return all[rand.IntN(len(all))] }

// unheeded are the first requests of each kind, which are not counted: statements are
// planned, and what is needed most is read from the disk.
const unheeded = 50

// time returns the median time to the answer, among few and among many records.
func (o operation) time(ctx context.Context, k *process.Keyport, both [2]sample, requests int) (few, many time.Duration, err error) {
	l := newLoad(o.name, strings.TrimPrefix(k.URL, "http://"), 1, o.status, func(int) func([]byte) []byte { return nil })
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := l.connect(ctx); err != nil {
		return 0, 0, err
	}
	line := l.lines[0]
	var took [2][]time.Duration
	for n := range unheeded + requests {
		for i, s := range both {
			line.next = always(o.asks(s))
			if err := errors.Join(ctx.Err(), line.conn.SetDeadline(time.Now().Add(hangs))); err != nil {
				return 0, 0, err
			}
			start := time.Now()
			if err := line.ask(o.status); err != nil {
				return 0, 0, err
			}
			if n >= unheeded {
				took[i] = append(took[i], time.Since(start))
			}
		}
	}
	for i := range took {
		slices.Sort(took[i])
	}
	return took[0][requests/2], took[1][requests/2], nil
}
