package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var faultsSeed = flag.Uint64("faults.seed", 0, "what TestRetriesHaveOneEffect deals out faults by; 0: another each time")

// So many clients share the operations of TestRetriesHaveOneEffect.
const senders = 16

// TestRetriesHaveOneEffect has clients write through a line that drops a tenth of the
// messages, delays a tenth and repeats a tenth. Each client sends a request again until it
// has an answer. In the end there is what a client that had lost nothing would have made,
// once, and whoever asked twice with one key was told the same.
func TestRetriesHaveOneEffect(t *testing.T) {
	for _, on := range []struct {
		store      string
		open       func(*testing.T) ports.Store
		operations int
	}{{"SQLite", openSQLite, 20_000}, {"PostgreSQL", openPostgres, 2_000}} {
		t.Run(on.store, func(t *testing.T) {
			seed := *faultsSeed
			if seed == 0 {
				seed = rand.Uint64()
			}
			t.Logf("again with: -faults.seed=%d", seed)
			w := newTown(t, on.open(t), domain.Collection{
				Name:   "entries",
				Schema: document(t, `{"type":"object","required":["text"],"additionalProperties":false,"properties":{"text":{"type":"string"},"n":{"type":"integer"},"by":{"type":"string"}}}`),
				Rules:  domain.Rules{List: "true", Read: "true", Create: "account != null", Update: owned, Delete: owned},
			})
			keyport := httptest.NewServer(w)
			defer keyport.Close()
			l := newLine(seed, keyport.URL)
			defer l.close()
			way := httptest.NewServer(l)
			defer way.Close()

			var all sync.WaitGroup
			everyone := make([]*sender, senders)
			for n := range everyone {
				_, token := w.settle(fmt.Sprintf("sender-%d", n))
				s := &sender{
					line: l, name: fmt.Sprint(n), url: way.URL, token: token, chance: rand.New(rand.NewPCG(seed, uint64(n))),
					client: &http.Client{Transport: new(http.Transport)}, kept: make(map[string]entry), accounts: make(map[string]string),
				}
				everyone[n] = s
				defer s.client.CloseIdleConnections()
				all.Go(func() {
					if err := s.run(on.operations / senders); err != nil {
						l.surprise("client %s: %v", s.name, err)
					}
				})
			}
			all.Wait()
			l.late.Wait()
			for _, s := range l.surprises() {
				t.Error(s)
			}
			if t.Failed() { // who was stopped by that has made less than the model
				return
			}
			wantEntries, wantAccounts := make(map[string]entry), make(map[string]string)
			for _, s := range everyone {
				maps.Copy(wantEntries, s.kept)
				maps.Copy(wantAccounts, s.accounts)
			}
			if diff := cmp.Diff(wantEntries, entriesOf(t, w)); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wantAccounts, accountsOf(t, w)); diff != "" {
				t.Errorf("accounts (-want +got):\n%s", diff)
			}
			l.account(t)
		})
	}
}

// An entry is a record of the test's, which is known by its text.
type entry struct {
	ID       string `json:"id"`
	Revision int64  `json:"revision"`
	Data     struct {
		Text string `json:"text"`
		N    int    `json:"n"`
		By   string `json:"by"`
	} `json:"data"`
}

// entriesOf returns what is stored, by text. No two have the same.
func entriesOf(t *testing.T, w *town) map[string]entry {
	t.Helper()
	a := w.send("GET", "/v1/collections/entries/records:export", "", "")
	got := make(map[string]entry)
	for line := range bytes.Lines(a.Body.Bytes()) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if twin, there := got[e.Data.Text]; there {
			t.Errorf("%s is there twice: as %s and as %s", e.Data.Text, twin.ID, e.ID)
		}
		got[e.Data.Text] = e
	}
	return got
}

// accountsOf returns the ids of the accounts that clients opened, by name.
func accountsOf(t *testing.T, w *town) map[string]string {
	t.Helper()
	got := make(map[string]string)
	token := w.root()
	for path := "/v1/accounts?limit=200"; path != ""; {
		page := w.want(200, "GET", path, token, "")
		for _, item := range page["items"].([]any) {
			a := item.(map[string]any)
			if name := a["username"].(string); strings.HasPrefix(name, "account-") {
				got[name] = a["id"].(string)
			}
		}
		path = ""
		if next, more := page["next"].(string); more {
			path = "/v1/accounts?limit=200&cursor=" + next
		}
	}
	return got
}

// A fate is what becomes of a message on the line.
type fate int

const (
	passed         fate = iota
	lost                // before it came to Keyport
	cutOff              // while Keyport dealt with it: Keyport sees the client go
	answerLost          // once it was dealt with
	held                // until another message has passed
	answerHeld          // likewise
	repeatedAtOnce      // a copy goes beside it
	repeatedLater       // a copy follows it, once another message has passed
	fates
)

// A line carries messages to Keyport, and has faults. What becomes of a message is a
// matter of its name and of the seed alone.
type line struct {
	seed    uint64
	keyport string
	client  *http.Client
	moved   chan struct{}  // tells those that are held that a message has passed
	late    sync.WaitGroup // copies that are on their way

	count [fates]atomic.Int64

	mu       sync.Mutex
	first    map[string]answer // by Idempotency-Key
	made     map[string]int    // of a key, the answers that were no replay
	replayed int
	running  int // answers that the first request had not ended
	wrong    []string
}

func newLine(seed uint64, keyport string) *line {
	return &line{
		seed: seed, keyport: keyport, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4 * senders}},
		moved: make(chan struct{}), first: make(map[string]answer), made: make(map[string]int),
	}
}

func (l *line) close() { l.client.CloseIdleConnections() }

// An answer is what Keyport said.
type answer struct {
	Status              int
	Type, Tag, At, Body string
	replayed            bool
}

const (
	nameHeader = "X-Message"
	keyHeader  = "Idempotency-Key"
)

func (l *line) fateOf(message string) fate {
	h := fnv.New64a()
	_, _ = io.WriteString(h, message) // never fails
	chance := rand.New(rand.NewPCG(l.seed, h.Sum64()))
	switch chance.IntN(10) {
	case 0:
		return []fate{lost, cutOff, answerLost}[chance.IntN(3)]
	case 1:
		return []fate{held, answerHeld}[chance.IntN(2)]
	case 2:
		return []fate{repeatedAtOnce, repeatedLater}[chance.IntN(2)]
	}
	return passed
}

// hold waits until another message has passed, or not for long: there may be none.
func (l *line) hold() {
	enough := time.NewTimer(3 * time.Millisecond)
	defer enough.Stop()
	select {
	case <-l.moved:
	case <-enough.C:
	}
}

// ServeHTTP takes a message.
func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	f := l.fateOf(r.Header.Get(nameHeader))
	l.count[f].Add(1)
	forward := func(ctx context.Context) (answer, error) { return l.forward(ctx, r, body) }
	whole := context.WithoutCancel(r.Context())
	switch f {
	case lost:
		panic(http.ErrAbortHandler)
	case cutOff:
		ctx, cancel := context.WithCancel(whole)
		defer cancel()
		wrote := func(httptrace.WroteRequestInfo) {
			l.late.Go(func() { l.hold(); cancel() })
		}
		_, _ = forward(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: wrote})) // nobody hears it
		panic(http.ErrAbortHandler)
	case held:
		l.hold()
	case repeatedAtOnce:
		l.late.Go(func() { l.again(whole, forward) })
	default: // what befalls its answer is below
	}
	a, err := forward(whole)
	switch {
	case err != nil:
		l.surprise("%s %s: %v", r.Method, r.URL, err)
		panic(http.ErrAbortHandler)
	case f == answerLost:
		panic(http.ErrAbortHandler)
	case f == answerHeld:
		l.hold()
	case f == repeatedLater:
		l.late.Go(func() { l.hold(); l.again(whole, forward) })
	}
	w.Header().Set("ETag", a.Tag)
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body) // who has gone comes again
}

// again sends a copy, whose answer nobody waits for.
func (l *line) again(ctx context.Context, forward func(context.Context) (answer, error)) {
	if _, err := forward(ctx); err != nil {
		l.surprise("a copy: %v", err)
	}
}

// forward takes a message to Keyport, and is witness of the answer.
func (l *line) forward(ctx context.Context, r *http.Request, body []byte) (a answer, err error) {
	out, err := http.NewRequestWithContext(ctx, r.Method, l.keyport+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	out.GetBody = nil // or else the transport would send it again by itself
	for _, name := range []string{"Authorization", "Content-Type", "If-Match", "If-None-Match", keyHeader} {
		if v := r.Header.Get(name); v != "" {
			out.Header.Set(name, v)
		}
	}
	in, err := l.client.Do(out)
	if err != nil {
		return a, err
	}
	defer in.Body.Close()
	text, err := io.ReadAll(in.Body)
	if err != nil {
		return a, err
	}
	select {
	case l.moved <- struct{}{}:
	default:
	}
	a = answer{in.StatusCode, in.Header.Get("Content-Type"), in.Header.Get("ETag"), in.Header.Get("Location"), string(text), in.Header.Get("Idempotency-Replayed") == "true"}
	l.witness(r, a)
	return a, nil
}

// witness notes what was told, also to somebody who will not hear it.
func (l *line) witness(r *http.Request, a answer) {
	if a.Status >= 500 {
		l.surprise("%s %s: %d %s", r.Method, r.URL, a.Status, a.Body)
	}
	key := r.Header.Get(keyHeader)
	if key == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case a.stillRunning():
		l.running++
		return
	case a.Status >= 300:
		return // it is the client's to know whether that may be
	case a.replayed:
		l.replayed++
	default:
		l.made[key]++
	}
	a.replayed = false
	if before, there := l.first[key]; !there {
		l.first[key] = a
	} else if diff := cmp.Diff(before, a, cmp.AllowUnexported(answer{})); diff != "" {
		l.wrong = append(l.wrong, fmt.Sprintf("%s %s with the key %s was told two things:\n%s", r.Method, r.URL, key, diff))
	}
	if l.made[key] > 1 {
		l.wrong = append(l.wrong, fmt.Sprintf("%s %s with the key %s was done twice", r.Method, r.URL, key))
	}
}

func (a answer) stillRunning() bool {
	return a.Status == http.StatusConflict && strings.Contains(a.Body, "/problems/still-running")
}

func (l *line) surprise(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// surprises returns what should not have been, at most twenty.
func (l *line) surprises() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wrong[:min(len(l.wrong), 20)]
}

// account tells what became of the messages, and fails the test unless each fate had
// some.
func (l *line) account(t *testing.T) {
	t.Helper()
	names := [fates]string{"passed", "lost", "cut off", "answer lost", "held", "answer held", "repeated at once", "repeated later"}
	var told []string
	for f, name := range names {
		n := l.count[f].Load()
		if n == 0 {
			t.Errorf("no message was %s", name)
		}
		told = append(told, fmt.Sprintf("%s: %d", name, n))
	}
	if l.replayed == 0 {
		t.Error("no answer was replayed")
	}
	t.Logf("%s; replayed: %d, still running: %d", strings.Join(told, ", "), l.replayed, l.running)
}

// A sender is a client that does one thing after the other, and the model of what it
// does: what is to be there in the end.
type sender struct {
	*line
	client     *http.Client
	name       string
	url, token string
	chance     *rand.Rand
	operation  int

	counter  entry             // changed by nobody else
	own      []string          // texts of those that may be deleted
	kept     map[string]entry  // by text
	accounts map[string]string // ids by name
}

const entriesPath = "/v1/collections/entries/records"

func (s *sender) run(operations int) error {
	if err := s.create(&s.counter, "counter of "+s.name); err != nil {
		return err
	}
	for s.operation = 1; s.operation < operations; s.operation++ {
		var err error
		switch roll := s.chance.IntN(100); {
		case roll < 35:
			var e entry
			if err = s.create(&e, s.text()); err == nil {
				s.own = append(s.own, e.Data.Text)
			}
		case roll < 55:
			err = s.batch()
		case roll < 75:
			err = s.count()
		case roll < 85 && len(s.own) > 0:
			err = s.remove()
		case roll < 95:
			err = s.place()
		default:
			err = s.register()
		}
		if err != nil {
			return fmt.Errorf("operation %d: %w", s.operation, err)
		}
	}
	s.kept[s.counter.Data.Text] = s.counter
	return nil
}

// text returns a text that no other operation has.
func (s *sender) text() string { return fmt.Sprintf("%d of %s", s.operation, s.name) }

// key returns an Idempotency-Key for the operation.
func (s *sender) key() string { return fmt.Sprintf("key-%s-%d", s.name, s.operation) }

// mostAttempts bounds how often one request is sent.
const mostAttempts = 2000

// deliver sends a request until it is answered.
func (s *sender) deliver(method, path, body string, headers ...string) (a answer, err error) {
	for attempt := range mostAttempts {
		if a, err = s.try(attempt, method, path, body, headers); err == nil && !a.stillRunning() {
			return a, nil
		}
	}
	return a, fmt.Errorf("%s %s: no answer to %d attempts: %w", method, path, mostAttempts, errors.Join(err, fmt.Errorf("the last was %d %s", a.Status, a.Body)))
}

func (s *sender) try(attempt int, method, path, body string, headers []string) (a answer, err error) {
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	r.GetBody = nil // or else the transport would send it again by itself
	r.Header.Set(nameHeader, fmt.Sprintf("%s %d %s %d", s.name, s.operation, method, attempt))
	r.Header.Set("Content-Type", "application/json")
	if !strings.HasPrefix(path, "/v1/accounts") {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	in, err := s.client.Do(r)
	if err != nil {
		return a, err
	}
	defer in.Body.Close()
	text, err := io.ReadAll(in.Body)
	return answer{Status: in.StatusCode, Tag: in.Header.Get("ETag"), Body: string(text)}, err
}

// expect delivers a request that can only be answered with the status, and reads the
// answer into v.
func (s *sender) expect(status int, v any, method, path, body string, headers ...string) error {
	a, err := s.deliver(method, path, body, headers...)
	if err != nil {
		return err
	}
	if a.Status != status {
		return fmt.Errorf("%s %s: %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	return json.Unmarshal([]byte(a.Body), v)
}

func (s *sender) create(e *entry, text string) error {
	err := s.expect(201, e, "POST", entriesPath, `{"data":{"text":"`+text+`"}}`, keyHeader, s.key())
	if err == nil && e.Data.Text != text {
		err = fmt.Errorf("created %+v, want %q", *e, text)
	}
	s.kept[text] = *e
	return err
}

// step is the patch that counts one on.
func (s *sender) step() string {
	return fmt.Sprintf(`{"n":%d,"by":%q}`, s.counter.Data.N+1, s.text())
}

func (s *sender) tag() string { return fmt.Sprintf("\"%d\"", s.counter.Revision) }

// counted takes e for what the counter is now. It fails unless that is one step on, by
// this operation.
func (s *sender) counted(e entry) error {
	if e.ID != s.counter.ID || e.Revision != s.counter.Revision+1 || e.Data.N != s.counter.Data.N+1 || e.Data.By != s.text() {
		return fmt.Errorf("the counter was %+v, and is %+v", s.counter, e)
	}
	s.counter = e
	return nil
}

// batch creates a record and counts, both or neither.
func (s *sender) batch() error {
	text := s.text()
	body := fmt.Sprintf(`{"operations":[{"op":"create","data":{"text":%q}},{"op":"patch","id":%q,"if_match":%q,"data":%s}]}`, text, s.counter.ID, s.tag(), s.step())
	var done struct {
		Results []struct {
			Status int   `json:"status"`
			Record entry `json:"record"`
		} `json:"results"`
	}
	if err := s.expect(200, &done, "POST", entriesPath+":batch", body, keyHeader, s.key()); err != nil {
		return err
	}
	if len(done.Results) != 2 || done.Results[0].Status != 201 || done.Results[0].Record.Data.Text != text || done.Results[1].Status != 200 {
		return fmt.Errorf("the batch did %+v", done)
	}
	s.kept[text] = done.Results[0].Record
	s.own = append(s.own, text)
	return s.counted(done.Results[1].Record)
}

// count counts by a patch. Who is told that it is stale, perhaps because a copy was
// there before, finds out by reading whether it was done.
func (s *sender) count() error {
	a, err := s.deliver("PATCH", entriesPath+"/"+s.counter.ID, `{"data":`+s.step()+`}`, "If-Match", s.tag())
	if err != nil {
		return err
	}
	var e entry
	switch a.Status {
	case 200:
		err = json.Unmarshal([]byte(a.Body), &e)
	case 412:
		err = s.expect(200, &e, "GET", entriesPath+"/"+s.counter.ID, "")
	default:
		err = fmt.Errorf("%d %s to a patch", a.Status, a.Body)
	}
	return errors.Join(err, s.counted(e))
}

func (s *sender) remove() error {
	n := s.chance.IntN(len(s.own))
	e := s.kept[s.own[n]]
	a, err := s.deliver("DELETE", entriesPath+"/"+e.ID, "", "If-Match", fmt.Sprintf("\"%d\"", e.Revision))
	if err == nil && a.Status != 204 && a.Status != 404 {
		err = fmt.Errorf("%d %s to a deletion", a.Status, a.Body)
	}
	delete(s.kept, s.own[n])
	s.own = slices.Delete(s.own, n, n+1)
	return err
}

// place creates a record under an id of the client's. No such record is deleted: a copy
// of the request that came late would create it again, and may.
func (s *sender) place() error {
	h := fnv.New64a()
	_, _ = io.WriteString(h, s.text()) // never fails
	id := fmt.Sprintf("01900000-0000-7000-8000-%012x", h.Sum64()&(1<<48-1))
	a, err := s.deliver("PUT", entriesPath+"/"+id, fmt.Sprintf(`{"data":{"text":%q}}`, s.text()), "If-None-Match", "*")
	if err != nil {
		return err
	}
	var e entry
	switch a.Status {
	case 201:
		err = json.Unmarshal([]byte(a.Body), &e)
	case 412:
		err = s.expect(200, &e, "GET", entriesPath+"/"+id, "")
	default:
		err = fmt.Errorf("%d %s to a creation", a.Status, a.Body)
	}
	if err == nil && (e.ID != id || e.Revision != 1 || e.Data.Text != s.text()) {
		err = fmt.Errorf("%q was placed at %s, where there is %+v", s.text(), id, e)
	}
	s.kept[s.text()] = e
	return err
}

// register opens an account.
func (s *sender) register() error {
	var opened struct {
		ID       string `json:"id"`
		Username string `json:"username"`
	}
	name := fmt.Sprintf("account-%s-%d", s.name, s.operation)
	err := s.expect(201, &opened, "POST", "/v1/accounts", object("username", name, "password", longEnough), keyHeader, s.key())
	if err == nil && opened.Username != name {
		err = fmt.Errorf("%+v was opened, want %q", opened, name)
	}
	s.accounts[name] = opened.ID
	return err
}
