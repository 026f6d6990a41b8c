package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// A subject is a load and the process that answers it.
type subject struct {
	*load
	pid int
	sum sum
}

// A sum is what was measured in all turns of a subject.
type sum struct {
	requests int64
	took     time.Duration
	cpu      time.Duration // of the process
	store    time.Duration // of PostgreSQL
}

func (s sum) rate() float64 { return float64(s.requests) / s.took.Seconds() }

// micros returns the processor time of one request, in microseconds.
func (s sum) micros() float64 { return per(s.cpu, s.requests) }

func per(cpu time.Duration, requests int64) float64 {
	return float64(cpu) / float64(time.Microsecond) / float64(max(requests, 1))
}

// A round is what takes turns: all that is measured on one store.
type round struct {
	bare, stranger, bearer, page, create, enrich, refresh, signIn *subject
	hashes, moved, imported                                       sum

	postmaster int // 0 on an embedded database
}

func (r *round) subjects() []*subject {
	return []*subject{r.bare, r.stranger, r.bearer, r.page, r.create, r.enrich, r.refresh, r.signIn}
}

// measure measures Keyport on one store, and prints what comes of it.
func measure(ctx context.Context, g *ground.Ground, site ground.Site, s size, out io.Writer) (err error) {
	// All connections may sign in at once, and wait: it is not the gate that is
	// measured.
	k, err := site.Serve(ctx, fmt.Sprintf("KEYPORT_HASHES_WAITING=%d", connections), "KEYPORT_REQUEST_TIMEOUT=30s")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Kill()) }()
	admin, err := administrator(ctx, site, k)
	if err != nil {
		return err
	}
	read, err := firstShip(ctx, k, admin)
	if err != nil {
		return err
	}
	bare, err := startBare(read.Answer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.Close()) }()
	r, err := newRound(ctx, k, bare, read)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if site.Store == "PostgreSQL" {
		if r.postmaster, err = postmaster(ctx, g.Postgres); err != nil {
			return err
		}
	}
	for range s.rounds {
		if err := r.run(ctx, s.turn); err != nil {
			return err
		}
	}
	if r.moved, err = movingIn(ctx, site, s.movers); err != nil {
		return err
	}
	if r.imported, err = r.importing(ctx, k, admin, s.imports); err != nil {
		return err
	}
	missed := r.table(site.Store, out)
	for _, m := range missed {
		lines, err := profile(ctx, k, m.load, s.profile)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  missed: %s; its profile:\n", m.name)
		for _, line := range lines {
			fmt.Fprintln(out, "   ", line)
		}
	}
	return nil
}

// A reading is a path and what Keyport answers there.
type reading struct {
	path string
	process.Answer
}

// firstShip declares the collections, makes a plain ship and reads it.
func firstShip(ctx context.Context, k *process.Keyport, admin process.Grant) (r reading, err error) {
	c := k.Client()
	defer c.Close()
	for name, more := range map[string]string{plain: "", rich: indexed + heard} {
		if err := c.Declare(ctx, admin.AccessToken, fmt.Sprintf(declaration, name, more)); err != nil {
			return r, err
		}
	}
	var made struct {
		ID string `json:"id"`
	}
	err = c.Want(ctx, http.StatusCreated, process.Request{
		Method: http.MethodPost, Path: recordsOf(plain), Token: admin.AccessToken, Body: fmt.Appendf(nil, aShip, 0),
	}, &made)
	if err != nil {
		return r, err
	}
	r.path = recordsOf(plain) + "/" + made.ID
	r.Answer, err = c.Send(ctx, process.Request{Method: http.MethodGet, Path: r.path})
	return r, err
}

// newRound opens an account and a session for each connection, and fills a page.
// The caller closes the round.
func newRound(ctx context.Context, k *process.Keyport, b *bare, read reading) (_ *round, err error) {
	password := rand.Text()
	grants, err := signUp(ctx, k, password)
	if err != nil {
		return nil, err
	}
	const asJSON, asForm = "Content-Type: application/json", "Content-Type: application/x-www-form-urlencoded"
	bearer := func(i int) string { return "Authorization: Bearer " + grants[i].AccessToken }
	anonymous := func(method, path string) func(int) func([]byte) []byte {
		return func(int) func([]byte) []byte { return always(request(method, path, "")) }
	}
	var serial atomic.Int64
	create := func(collection string) func(int) func([]byte) []byte {
		return func(i int) func([]byte) []byte {
			return func([]byte) []byte {
				return request(http.MethodPost, recordsOf(collection), fmt.Sprintf(aShip, serial.Add(1)), asJSON, bearer(i))
			}
		}
	}
	refresh := func(i int) func([]byte) []byte {
		return func(answer []byte) []byte {
			token := member(answer, "refresh_token")
			if token == "" {
				token = grants[i].RefreshToken
			}
			return request(http.MethodPost, "/v1/token", "grant_type=refresh_token&refresh_token="+token, asForm)
		}
	}
	signIn := func(i int) func([]byte) []byte {
		return always(request(http.MethodPost, "/v1/sessions", fmt.Sprintf(`{"login":%q,"password":%q}`, login(i), password), asJSON))
	}
	withToken := func(i int) func([]byte) []byte {
		return always(request(http.MethodGet, read.path, "", bearer(i)))
	}
	r := new(round)
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	for _, s := range []struct {
		into   **subject
		name   string
		status int
		next   func(int) func([]byte) []byte
	}{
		{&r.bare, "a bare chi handler, the bytes of the read", http.StatusOK, anonymous(http.MethodGet, read.path)},
		{&r.stranger, "read a record as a stranger", http.StatusOK, anonymous(http.MethodGet, read.path)},
		{&r.bearer, "read a record with a token", http.StatusOK, withToken},
		{&r.page, "a page of 30", http.StatusOK, anonymous(http.MethodGet, recordsOf(plain)+"?limit=30")},
		{&r.create, "create a record", http.StatusCreated, create(plain)},
		{&r.enrich, "create, 2 indexes, search, watched", http.StatusCreated, create(rich)},
		{&r.refresh, "refresh", http.StatusOK, refresh},
		{&r.signIn, "sign in", http.StatusCreated, signIn},
	} {
		url, pid := k.URL, k.Pid()
		if s.into == &r.bare {
			url, pid = b.url, b.cmd.Process.Pid
		}
		host := strings.TrimPrefix(url, "http://")
		*s.into = &subject{load: newLoad(s.name, host, connections, s.status, s.next), pid: pid}
	}
	// A page of 30 wants 30 records, and the handlers have to answer alike.
	if _, _, err := r.create.run(ctx, 100*time.Millisecond); err != nil {
		return nil, err
	}
	return r, b.compare(ctx, read)
}

func login(i int) string { return fmt.Sprintf("bench-%d", i) }

func signUp(ctx context.Context, k *process.Keyport, password string) ([]process.Grant, error) {
	c := k.Client()
	defer c.Close()
	grants, errs := make([]process.Grant, connections), make([]error, connections)
	var group sync.WaitGroup
	for i := range connections {
		group.Go(func() {
			if errs[i] = c.SignUp(ctx, login(i), password); errs[i] == nil {
				grants[i], errs[i] = c.SignIn(ctx, login(i), password)
			}
		})
	}
	group.Wait()
	return grants, first(errs)
}

// first returns the first error: one tells what 32 have in common.
func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Close closes all connections.
func (r *round) Close() error {
	var errs []error
	for _, s := range r.subjects() {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// run gives each subject a turn, and then the bare hash.
func (r *round) run(ctx context.Context, turn time.Duration) error {
	for _, s := range r.subjects() {
		if err := r.turn(ctx, s, turn); err != nil {
			return err
		}
	}
	h, err := bareHashes(ctx, turn)
	r.hashes.requests += h.Hashes
	r.hashes.took += h.Took
	return err
}

func (r *round) turn(ctx context.Context, s *subject, turn time.Duration) error {
	before, err := r.used(s)
	if err != nil {
		return err
	}
	requests, took, err := s.run(ctx, turn)
	if err != nil {
		return err
	}
	after, err := r.used(s)
	s.sum.requests += requests
	s.sum.took += took
	s.sum.cpu += after.cpu - before.cpu
	s.sum.store += after.store - before.store
	return err
}

// used returns the processor time that was used so far.
func (r *round) used(s *subject) (u sum, err error) {
	if u.cpu, err = process.CPU(s.pid); err != nil || r.postmaster == 0 {
		return u, err
	}
	u.store, err = process.FamilyCPU(r.postmaster)
	return u, err
}

// importing imports ships into the plain collection.
func (r *round) importing(ctx context.Context, k *process.Keyport, admin process.Grant, ships int) (s sum, err error) {
	c := k.Client()
	defer c.Close()
	serial := 0
	l := &lines{number: ships, write: func(line []byte) []byte { serial++; return fmt.Appendf(line, aShip, serial) }}
	into := &subject{pid: k.Pid()}
	before, err := r.used(into)
	if err != nil {
		return s, err
	}
	start := time.Now()
	if err := importAll(ctx, c, admin, plain, l); err != nil {
		return s, err
	}
	s.requests, s.took = int64(ships), time.Since(start)
	after, err := r.used(into)
	s.cpu, s.store = after.cpu-before.cpu, after.store-before.store
	return s, err
}
