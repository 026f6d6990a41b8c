package app_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
	"github.com/keyport-go/keyport/ports"
)

// A station is Keyport on a store, behind a real server, with a collection of planes
// that is watched: who owns one may read it, and all may read those that are public.
type station struct {
	*scene
	url    string
	client *http.Client
	token  string        // of root, who owns nothing
	taken  chan struct{} // tells when the server is done with an import
}

func newStation(t *testing.T, store ports.Store) *station {
	t.Helper()
	clock := fake.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	p := app.Parts{
		Store: store, Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{}, Vault: fake.Vault{},
		Hasher: fake.Hasher{}, Blocklist: fake.Blocklist{}, Now: clock.Now, NewID: fake.UUIDs(),
		Uptime: func() time.Duration { return 0 }, Random: fake.Randoms(), Log: slog.New(slog.DiscardHandler),
	}
	s := &station{scene: &scene{Services: app.Services(defaults(), p)}, client: &http.Client{Transport: new(http.Transport)}, taken: make(chan struct{}, 1)}
	s.ada, s.access = s.enter(t, "ada")
	s.root, s.token = s.enter(t, "root")
	planes := domain.Collection{
		Name: "planes", Watch: true, Schema: document(t, `{"type":"object","properties":{"public":{"type":"boolean"}}}`),
		Rules: domain.Rules{
			List: "true", Read: "account != null && record.owner == account.id || record.data.public == true",
			Create: "account != null", Update: "account != null", Delete: "account != null",
		},
	}
	if _, err := s.Resources.Declare(t.Context(), domain.Asker{}, planes, resources.Declaring{Operator: true}); err != nil {
		t.Fatal(err)
	}
	handler := app.Handler(defaults(), p, s.Services)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, ":import") {
			s.taken <- struct{}{}
		}
	}))
	s.url = server.URL + "/v1/collections/planes/records"
	hearing, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var heard sync.WaitGroup
	heard.Go(func() { s.hear(hearing) })
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		server.Close() // waits for all requests
		if n := s.Resources.Watching(); n != 0 {
			t.Errorf("%d still watch after their requests have ended", n)
		}
		stop()
		heard.Wait()
	})
	return s
}

// hear asks for what is new, as a replica does, until ctx ends.
func (s *station) hear(ctx context.Context) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_, _ = s.Resources.Hear(ctx), s.Tokens.Hear(ctx) // a failure shows as an event that does not come
		}
	}
}

func (s *station) create(t *testing.T, data string) domain.RecordID {
	t.Helper()
	r, err := s.Resources.Create(t.Context(), s.ada, "planes", document(t, data))
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func (s *station) patch(t *testing.T, id domain.RecordID, data string) {
	t.Helper()
	if _, err := s.Resources.Patch(t.Context(), s.ada, "planes", id, 0, document(t, data)); err != nil {
		t.Fatal(err)
	}
}

// A told is one server-sent event.
type told struct{ id, event, data string }

// A stream is what a watcher reads.
type stream struct {
	lines *bufio.Scanner
	body  io.Closer
	last  string // the id of the last event
}

// watch begins to watch, behind the event whose id is given.
func (s *station) watch(t *testing.T, token, after string, query url.Values) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // so that a test that fails ends
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+":watch?"+query.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	a, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Body.Close() })
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %s", a.Status, a.Header.Get("Content-Type"))
	}
	return &stream{bufio.NewScanner(a.Body), a.Body, after}
}

// next returns the next event; false at the end of the stream. It reads as the HTML
// Living Standard, section 9.2.6, says.
func (s *stream) next(t *testing.T) (told, bool) {
	t.Helper()
	var e told
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch {
		case s.lines.Text() != "":
			switch name {
			case "id":
				e.id = value
			case "event":
				e.event = value
			case "data":
				e.data = value
			}
			continue
		case e.id != "":
			s.last = e.id
		}
		if e.data != "" {
			return e, true
		}
		e = told{}
	}
	if err := s.lines.Err(); err != nil {
		t.Fatal("the stream broke off: ", err)
	}
	return e, false
}

// record returns the id that an event tells of.
func (e told) record(t *testing.T) domain.RecordID {
	t.Helper()
	var r struct{ ID domain.RecordID }
	if err := json.Unmarshal([]byte(e.data), &r); err != nil {
		t.Fatalf("%q: %v", e.data, err)
	}
	return r.ID
}

func TestAWatcherIsToldOfWhatMayBeRead(t *testing.T) {
	for store, open := range stores {
		t.Run(store, func(t *testing.T) {
			s := newStation(t, open(t))
			mine, theirs := s.watch(t, s.access, "", nil), s.watch(t, s.token, "", nil)
			shown := s.create(t, `{"public":true}`)
			hidden := s.create(t, `{"public":false}`)
			s.patch(t, shown, `{"seats":2}`)
			s.patch(t, hidden, `{"seats":3}`)
			s.patch(t, hidden, `{"public":true}`)
			s.patch(t, shown, `{"public":false}`)
			for _, id := range []domain.RecordID{shown, hidden} {
				if err := s.Resources.Delete(t.Context(), s.ada, "planes", id, 0); err != nil {
					t.Fatal(err)
				}
			}
			type news struct {
				event string
				id    domain.RecordID
			}
			for name, watcher := range map[string]struct {
				*stream
				want []news
			}{
				"the owner": {mine, []news{
					{"created", shown},
					{"created", hidden},
					{"changed", shown},
					{"changed", hidden},
					{"changed", hidden},
					{"changed", shown},
					{"deleted", shown},
					{"deleted", hidden},
				}},
				// What is hidden from them is gone, and what is shown to them is new.
				"somebody else": {theirs, []news{
					{"created", shown}, {"changed", shown}, {"created", hidden}, {"deleted", shown}, {"deleted", hidden},
				}},
			} {
				for i, want := range watcher.want {
					e, ok := watcher.next(t)
					if got := (news{e.event, e.record(t)}); !ok || got != want {
						t.Fatalf("%s was told %+v as number %d, and not %+v", name, e, i+1, want)
					}
					if bare := `{"id":"` + string(want.id) + `"}`; (e.data == bare) != (want.event == "deleted") {
						t.Errorf("%s was told %s of what was %s", name, e.data, want.event)
					}
				}
			}
		})
	}
}

func TestAFilterNarrowsWhatIsWatched(t *testing.T) {
	s := newStation(t, openFake(t))
	w := s.watch(t, s.access, "", url.Values{"filter": {"record.data.seats > 2"}})
	s.create(t, `{"seats":2}`)
	big := s.create(t, `{"seats":3}`)
	if e, _ := w.next(t); e.event != "created" || e.record(t) != big {
		t.Errorf("told %+v", e)
	}
	s.patch(t, big, `{"seats":1}`)
	if e, _ := w.next(t); e.event != "deleted" || e.record(t) != big {
		t.Errorf("told %+v of what the filter picks no more", e)
	}
}

// Several write while a watcher leaves and comes back again and again: it is told of
// each record once.
func TestWhoComesBackMissesNothingAndHearsNothingTwice(t *testing.T) {
	const writers, each = 4, 25
	for store, open := range stores {
		t.Run(store, func(t *testing.T) {
			s := newStation(t, open(t))
			w := s.watch(t, s.access, "", nil)
			var writing sync.WaitGroup
			for range writers {
				writing.Go(func() {
					for i := range each {
						if _, err := s.Resources.Create(t.Context(), s.ada, "planes", document(t, fmt.Sprintf(`{"seats":%d}`, i))); err != nil {
							t.Error(err)
						}
					}
				})
			}
			next := func() domain.RecordID {
				e, _ := w.next(t)
				if e.event != "created" {
					t.Fatalf("told %+v", e)
				}
				return e.record(t)
			}
			seen := make(map[domain.RecordID]bool)
			for len(seen) < writers*each {
				id := next()
				if seen[id] {
					t.Errorf("%s was told twice", id)
				}
				if seen[id] = true; len(seen)%7 == 0 {
					_ = w.body.Close()
					w = s.watch(t, s.access, w.last, nil)
				}
			}
			writing.Wait()
			if last, id := s.create(t, `{}`), next(); id != last {
				t.Errorf("%s was told twice, or is none that was written", id)
			}
		})
	}
}

func TestAStreamEndsWithAReason(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(t *testing.T, s *station) error
		code string
	}{
		{"when the session ends", func(t *testing.T, s *station) error { return s.Tokens.EndAll(t.Context(), s.root, "") }, "invalid-token"},
		{"when the server stops", func(_ *testing.T, s *station) error { s.Resources.Hush(); return nil }, "reconnect"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStation(t, openFake(t))
			w := s.watch(t, s.token, "", nil)
			if err := c.end(t, s); err != nil {
				t.Fatal(err)
			}
			e, _ := w.next(t)
			if want := (told{"", "end", `{"code":"` + c.code + `"}`}); e != want {
				t.Errorf("told %+v, and not %+v", e, want)
			}
			if e, more := w.next(t); more {
				t.Errorf("told %+v behind the end", e)
			}
		})
	}
}

// An export that cannot be finished is seen to be broken off, and is not taken for a
// short one.
func TestABrokenExportIsSeen(t *testing.T) {
	s := newStation(t, openFake(t))
	wide := `{"public":true,"text":"` + strings.Repeat("x", 100_000) + `"}` // a page is more than lies in the buffers of a connection
	for range domain.MaxLimit + 1 {
		s.create(t, wide)
	}
	export := func() (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+":export", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		return s.client.Do(r)
	}
	for _, c := range []struct {
		name  string
		cut   func() error
		whole bool
	}{
		{"nothing happens", func() error { return nil }, true},
		{"the session ends meanwhile", func() error { return s.Tokens.EndAll(t.Context(), s.root, "") }, false},
	} {
		a, err := export()
		if err != nil {
			t.Fatal(err)
		}
		err = c.cut()
		text, broken := io.ReadAll(a.Body)
		if err := cmp.Or(err, a.Body.Close()); err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(string(text), "\n")
		if whole := broken == nil && lines == domain.MaxLimit+1; whole != c.whole || !whole && broken == nil {
			t.Errorf("%s: %d lines, %v", c.name, lines, broken)
		}
	}
}

// What an import took before its connection broke stays; sent again it goes on, and no
// line has an effect twice.
func TestAnImportThatBrokeOffGoesOn(t *testing.T) {
	const id, lines = "01900000-0000-7000-8000-00000000aaaa", 1200
	for store, open := range stores {
		t.Run(store, func(t *testing.T) {
			s := newStation(t, open(t))
			send := func(body io.Reader) (answer struct {
				Lines, Stored int64
				Done          bool
			}, err error,
			) {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+":import?id="+id, body)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer "+s.access)
				r.Header.Set("Content-Type", "application/x-ndjson")
				a, err := s.client.Do(r)
				if err != nil {
					return answer, err
				}
				defer a.Body.Close()
				return answer, json.NewDecoder(a.Body).Decode(&answer)
			}
			text := strings.Repeat(`{"data":{"public":true}}`+"\n", lines)
			broken := io.MultiReader(strings.NewReader(text[:len(text)*3/4]), brokenReader{})
			if answer, err := send(broken); err == nil {
				t.Fatalf("an import that broke off was answered %+v", answer)
			}
			<-s.taken
			answer, err := send(strings.NewReader(text))
			if err != nil || answer.Lines != lines || answer.Stored != lines || !answer.Done {
				t.Errorf("%+v, %v", answer, err)
			}
			var ids []domain.RecordID
			caller := func(context.Context) (domain.Asker, error) { return s.ada, nil }
			err = s.Resources.Each(t.Context(), caller, "planes", "", func(r domain.Record) error {
				ids = append(ids, r.ID)
				return nil
			})
			if err != nil || len(slices.Compact(ids)) != lines {
				t.Errorf("%d records of %d lines, %v", len(ids), lines, err)
			}
		})
	}
}

// brokenReader is where a body breaks off.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
