package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
)

// A cellar is a town in which carol has records that nobody else may see, one small
// and new, one large and often changed; and bob, who asks, has some too.
type cellar struct {
	*town
	ledger     *ledger
	bob, carol string // access tokens
	askers     map[string]string

	hidden [2]target
	absent [2]target // that never was, and that was deleted
	own    target    // bob's
}

// A target is what is asked about.
type target struct{ id, title, owner string }

const public = "has(record.data.public) && record.data.public == true"

// secrets are collections with records that are hidden: from strangers altogether in
// notes, and from all but their owner if they are not public in posts.
func secrets(t *testing.T) []domain.Collection {
	schema := document(t, `{"type":"object","required":["title"],"properties":{"title":{"type":"string"},"length":{"type":"number"},"public":{"type":"boolean"}}}`)
	declared := func(name domain.CollectionName, sight string) domain.Collection {
		return domain.Collection{
			Name: name, Schema: schema, Rules: domain.Rules{List: sight, Read: sight, Create: "account != null", Update: owned, Delete: owned},
			Unique:  []domain.Unique{{Field: "title", PerOwner: true}},
			Indexes: []domain.Index{{Sort: domain.Sort{{Field: "title"}}}, {Sort: domain.Sort{{Field: "length", Descending: true}, {Field: "title"}}}},
			Search:  []string{"title"}, Watch: true,
		}
	}
	return []domain.Collection{declared("notes", owned), declared("posts", public+" || "+owned)}
}

func newCellar(t *testing.T, store string) *cellar {
	t.Helper()
	l := new(ledger)
	w := &cellar{town: newTown(t, countedStores[store](t, l), secrets(t)...), ledger: l}
	_, w.bob = w.settle("bob")
	_, w.carol = w.settle("carol")
	key := func(scopes string) string {
		return w.want(201, "POST", "/v1/me/keys", w.bob, `{"name":"program","scopes":[`+scopes+`]}`)["secret"].(string)
	}
	w.askers = map[string]string{
		"a stranger": "", "bob": w.bob, "bob's program": key(`"records:read","records:write"`),
		"bob's program, which may only read": key(`"records:read"`), "bob's program, which may only write": key(`"records:write"`),
	}
	return w
}

// keep makes a record, and returns it as a target.
func (w *cellar) keep(collection, token string, data map[string]any) target {
	w.t.Helper()
	text, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.want(201, "POST", "/v1/collections/"+collection+"/records", token, string(text))
	return target{r["id"].(string), data["title"].(string), r["owner"].(string)}
}

// populate gives bob records, of which one is public, and returns how carol gets hers.
func (w *cellar) populate(collection string) (hide func()) {
	w.t.Helper()
	for n, title := range []string{"anchor", "mast", "rudder", "winch"} {
		w.own = w.keep(collection, w.bob, map[string]any{"title": title, "length": n * 10, "public": n == 1})
	}
	return func() {
		w.t.Helper()
		at := "/v1/collections/" + collection + "/records/"
		w.hidden[0] = w.keep(collection, w.carol, map[string]any{"title": "keel"})
		w.hidden[1] = w.keep(collection, w.carol, map[string]any{"title": "halyard and " + strings.Repeat("boom ", 800), "length": 15, "public": false})
		for range 2 {
			w.want(200, "PATCH", at+w.hidden[1].id, w.carol, `{"data":{"length":16}}`, "If-Match", "*")
		}
		w.absent[0] = target{app.NewID(), "topsail", app.NewID()}
		w.absent[1] = w.keep(collection, w.carol, map[string]any{"title": "stern", "length": 3})
		w.want(204, "DELETE", at+w.absent[1].id, w.carol, "", "If-Match", "*")
	}
}

// heardOf returns all of an answer but what every answer has of its own, and what it says
// again of what was asked about.
func heardOf(a *httptest.ResponseRecorder, about target) string {
	var b strings.Builder
	fmt.Fprintln(&b, a.Code)
	for _, name := range slices.Sorted(maps.Keys(a.Header())) {
		if name != "X-Request-Id" && name != "Date" {
			fmt.Fprintln(&b, name, a.Header()[name])
		}
	}
	body := a.Body.String()
	var problem struct{ Instance string }
	if json.Unmarshal([]byte(body), &problem) == nil && problem.Instance != "" {
		body = strings.ReplaceAll(body, problem.Instance, "INSTANCE")
	}
	b.WriteString(body)
	heard := b.String()
	if strings.Contains(heard, "cursor=") || strings.Contains(heard, `"next":"`) { // in most there is none to look for
		heard = cursorText.ReplaceAllStringFunc(heard, func(cursor string) string { return fmt.Sprintf("a cursor of %d characters", len(cursor)) })
	}
	return strings.NewReplacer(about.id, "ID", about.owner, "OWNER", about.title, "TITLE").Replace(heard)
}

// cursorText finds a cursor: it is sealed anew each time, and tells no more than how
// long it is. Where it leads to is asked apart.
var cursorText = regexp.MustCompile(`("next":"|cursor=)[\w-]+`)

// of fills what a request says of a record in.
func (q secretRequest) of(x target) secretRequest {
	in := func(s string) string {
		return strings.NewReplacer("{id}", x.id, "{owner}", x.owner, "{word}", strings.Fields(x.title)[0]).Replace(s)
	}
	q.query, q.body = encodedQuery(in(q.query)), in(q.body)
	q.path = in(q.path)
	return q
}

// encodedQuery writes parameters, which are separated by " & ", as a query.
func encodedQuery(s string) string {
	if s == "" {
		return ""
	}
	parts := strings.Split(s, " & ")
	for i, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		parts[i] = name + "=" + url.QueryEscape(value)
	}
	return "?" + strings.Join(parts, "&")
}

// A secretRequest asks about a record. Its path is below the collection, unless it
// begins with a slash.
type secretRequest struct{ method, path, query, body, headers string }

func (w *cellar) ask(collection, token string, q secretRequest) *httptest.ResponseRecorder {
	path := "/v1/collections/" + collection + "/" + q.path
	if strings.HasPrefix(q.path, "/") {
		path = q.path
	}
	var headers []string
	for header := range strings.SplitSeq(q.headers, "\n") {
		if name, value, there := strings.Cut(header, ": "); there {
			headers = append(headers, name, value)
		}
	}
	return w.send(q.method, path+q.query, token, strings.ReplaceAll(q.body, "{collection}", collection), headers...)
}

// secretRequests are all the ways to ask about a record that is hidden.
func secretRequests() []secretRequest {
	var all []secretRequest
	add := func(method, path, query, body string, headers ...string) {
		if len(headers) == 0 {
			headers = []string{""}
		}
		for _, h := range headers {
			all = append(all, secretRequest{method, path, query, body, h})
		}
	}
	for _, method := range []string{"GET", "HEAD"} {
		add(method, "records/{id}", "", "", "", "If-None-Match: *", `If-None-Match: "1"`)
		add(method, "records/{id}", "fields=title", "")
	}
	conditions := []string{"", "If-Match: *", `If-Match: "1"`, `If-Match: "3"`, `If-Match: W/"1"`, "If-Match: \"1\"\nIf-None-Match: *"}
	for _, method := range []string{"PUT", "PATCH"} {
		for _, data := range []string{`{"title":"new"}`, `{"title":5}`, `{"title":"anchor"}`, `{"title":"{word}"}`} {
			add(method, "records/{id}", "", `{"data":`+data+`}`, conditions...)
		}
	}
	add("DELETE", "records/{id}", "", "", conditions...)
	for _, filter := range []string{
		`record.id == "{id}"`, `record.id in ["{id}"]`, `record.owner == "{owner}"`, `record.data.title.startsWith("{word}")`, `record.data.title.contains("{word}") && record.id == "{id}"`,
		`record.id == "{id}" && record.data.length / 0.0 > 1.0`, `record.id == "{id}" || record.data.length > 100.0`, `record.id == "{id}" && !has(record.data.length)`,
	} {
		for _, more := range []string{"", " & count=exact", " & count=estimate", " & sort=title", " & sort=-length,title & count=exact", " & sort=-updated_at & limit=1", " & sort=id"} {
			add("GET", "records", "filter="+filter+more, "")
		}
		add("GET", "records:export", "filter="+filter, "")
		add("GET", "records:export", "format=csv & filter="+filter, "")
	}
	for _, o := range []string{
		`{"op":"patch","id":"{id}","if_match":"*","data":{"title":"new"}}`, `{"op":"patch","id":"{id}","if_match":"\"1\"","data":{"title":5}}`,
		`{"op":"replace","id":"{id}","if_match":"\"3\"","data":{"title":"new"}}`, `{"op":"replace","id":"{id}","if_match":"*","data":{"title":"anchor"}}`,
		`{"op":"delete","id":"{id}","if_match":"*"}`, `{"op":"delete","id":"{id}","if_match":"\"3\""}`, `{"op":"delete","id":"{id}"}`,
		`{"op":"create","data":{"title":"passing"}},{"op":"delete","id":"{id}","if_match":"*"}`,
	} {
		add("POST", "records:batch", "", `{"operations":[`+o+`]}`, "", "Idempotency-Key: one-key")
	}
	for _, q := range []string{`"action":"read"`, `"action":"update"`, `"action":"update","data":{"title":"new"}`, `"action":"update","data":{"title":5}`, `"action":"delete"`} {
		add("POST", "/v1/authorize:check", "", `{"collection":"{collection}","id":"{id}",`+q+`}`, "", "Idempotency-Key: one-key")
	}
	add("GET", "imports/{id}", "", "")
	return all
}

func inEachCellar(t *testing.T, f func(t *testing.T, w *cellar, collection string)) {
	for _, store := range slices.Sorted(maps.Keys(countedStores)) {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			for _, collection := range []string{"notes", "posts"} { // in turn: what one server has under way holds up its events
				t.Run(collection, func(t *testing.T) { f(t, newCellar(t, store), collection) })
			}
		})
	}
}

// Two hidden records, one that never was and one that was deleted give the same answers,
// after the same statements, to everybody and on every route.
func TestHiddenRecordsAreToldAsAbsent(t *testing.T) {
	inEachCellar(t, func(t *testing.T, w *cellar, collection string) {
		w.populate(collection)()
		statuses := make(map[int]int)
		for who, token := range w.askers {
			for _, q := range secretRequests() {
				ask := func(x target) string {
					a := w.ask(collection, token, q.of(x))
					if statuses[a.Code]++; a.Code >= 500 {
						t.Fatalf("%s: %s %s%s: %d %s", who, q.method, q.path, q.query, a.Code, a.Body)
					}
					return heardOf(a, x)
				}
				w.ledger.take()
				want := ask(w.absent[0])
				sent := w.ledger.take()
				for name, x := range map[string]target{"hidden": w.hidden[0], "hidden and large": w.hidden[1], "deleted": w.absent[1]} {
					if diff := cmp.Diff(want, ask(x)); diff != "" {
						t.Errorf("%s: %+v: one that is absent (-) and one that is %s (+):\n%s", who, q, name, diff)
					}
					if diff := cmp.Diff(sent, w.ledger.take()); diff != "" {
						t.Errorf("%s: %+v: statements for one that is absent (-) and one that is %s (+):\n%s", who, q, name, diff)
					}
				}
			}
		}
		for _, status := range []int{200, 401, 403, 404, 422, 428} {
			if statuses[status] == 0 {
				t.Errorf("nothing was answered with %d, but %v", status, statuses)
			}
		}
		own := secretRequest{"GET", "records/{id}", "", "", ""}
		if a := w.ask(collection, w.bob, own.of(w.own)); a.Code != 200 {
			t.Errorf("bob does not see his own: %d %s", a.Code, a.Body)
		}
	})
}

// Lists, counts, searches, exports and where their cursors lead are the same to the byte with and
// without the records of others.
func TestListsAreTheSameWithAndWithoutWhatIsHidden(t *testing.T) {
	inEachCellar(t, func(t *testing.T, w *cellar, collection string) {
		hide := w.populate(collection)
		var queries []string
		for _, sort := range []string{"", "id", "-id", "created_at", "-created_at", "updated_at", "-updated_at", "title", "-title", "-length,title", "length,-title", "-length"} {
			for _, rest := range []string{"", "filter=record.data.length >= 10", "filter=record.data.title.contains('a')", "q=mast", "q=m", "filter=has(record.data.public)"} {
				for _, count := range []string{"", "exact"} {
					for _, limit := range []string{"1", "200"} {
						parts := []string{"limit=" + limit}
						for name, value := range map[string]string{"sort": sort, "count": count} {
							if value != "" {
								parts = append(parts, name+"="+value)
							}
						}
						if rest != "" {
							parts = append(parts, rest)
						}
						slices.Sort(parts)
						queries = append(queries, strings.Join(parts, " & "))
					}
				}
			}
		}
		all := func() map[string]string {
			answers := make(map[string]string)
			for who, token := range w.askers {
				for _, q := range queries {
					a := w.ask(collection, token, secretRequest{"GET", "records", encodedQuery(q), "", ""})
					answers[who+" "+q] = heardOf(a, w.own)
					var page struct{ Next string }
					if err := json.Unmarshal(a.Body.Bytes(), &page); err == nil && page.Next != "" {
						a = w.ask(collection, token, secretRequest{"GET", "records", encodedQuery(q + " & cursor=" + page.Next), "", ""})
						answers[who+" "+q+", the next page"] = heardOf(a, w.own)
					}
				}
				for _, format := range []string{"ndjson", "csv"} {
					a := w.ask(collection, token, secretRequest{"GET", "records:export", "?format=" + format, "", ""})
					answers[who+" exports "+format] = heardOf(a, w.own)
				}
			}
			return answers
		}
		before := all()
		hide()
		if diff := cmp.Diff(before, all()); diff != "" {
			t.Errorf("without (-) and with (+) the records of others:\n%s", diff)
		}
	})
}

// That an id is taken is told, and no more: not by whom, nor of what it is.
func TestATakenIDTellsNothingElse(t *testing.T) {
	inEachCellar(t, func(t *testing.T, w *cellar, collection string) {
		w.populate(collection)()
		for _, q := range []secretRequest{
			{"PUT", "records/{id}", "", `{"data":{"title":"new"}}`, "If-None-Match: *"},
			{"PUT", "records/{id}", "", `{"data":{"title":5}}`, "If-None-Match: *"},
			{"PUT", "records/{id}", "", `{"data":{"title":"anchor"}}`, "If-None-Match: *"},
			{"POST", "records:batch", "", `{"operations":[{"op":"create","id":"{id}","data":{"title":"new"}}]}`, ""},
			{"POST", "records:batch", "", `{"operations":[{"op":"create","id":"{id}","data":{"title":"new"}}]}`, "Idempotency-Key: one-key"},
			{"POST", "/v1/authorize:check", "", `{"collection":"{collection}","id":"{id}","action":"create","data":{"title":"new"}}`, ""},
		} {
			for who, token := range w.askers {
				small, large := w.ask(collection, token, q.of(w.hidden[0])), w.ask(collection, token, q.of(w.hidden[1]))
				if diff := cmp.Diff(heardOf(small, w.hidden[0]), heardOf(large, w.hidden[1])); diff != "" {
					t.Errorf("%s: %+v:\n%s", who, q, diff)
				}
				if q.method == "PUT" && small.Code < 300 {
					t.Errorf("%s: %+v: %d %s", who, q, small.Code, small.Body)
				}
			}
		}
		for who, token := range w.askers {
			answers := make(map[string]string)
			for name, x := range map[string]target{"small": w.hidden[0], "large": w.hidden[1]} {
				a := w.send("POST", "/v1/collections/"+collection+"/records:import?id="+app.NewID(), token, `{"id":"`+x.id+`","data":{"title":"new"}}`, "Content-Type", "application/x-ndjson")
				text := heardOf(a, x)
				var seen map[string]any
				if err := json.Unmarshal(a.Body.Bytes(), &seen); err != nil {
					t.Fatal(err)
				}
				for _, member := range []string{"created_at", "updated_at", "id"} {
					if value, there := seen[member].(string); there {
						text = strings.ReplaceAll(text, value, member)
					}
				}
				answers[name] = text
			}
			if diff := cmp.Diff(answers["small"], answers["large"]); diff != "" {
				t.Errorf("%s imports: %s", who, diff)
			}
		}
	})
}

// An import of somebody else's is told as absent, and its id as taken.
func TestImportsOfOthersAreToldAsAbsent(t *testing.T) {
	inEachCellar(t, func(t *testing.T, w *cellar, collection string) {
		w.populate(collection)
		ids := []string{app.NewID(), app.NewID()}
		send := func(token, id, lines string) *httptest.ResponseRecorder {
			return w.send("POST", "/v1/collections/"+collection+"/records:import?id="+id, token, lines, "Content-Type", "application/x-ndjson")
		}
		for n, lines := range []string{`{"data":{"title":"keel"}}`, `{"data":{"title":"boom"}}` + "\n" + `{"data":{}}`} {
			if a := send(w.carol, ids[n], lines); a.Code != 200 {
				t.Fatal(a.Code, a.Body)
			}
		}
		absent := target{app.NewID(), "topsail", app.NewID()}
		for who, token := range w.askers {
			read := func(x target) string {
				return heardOf(w.send("GET", "/v1/collections/"+collection+"/imports/"+x.id, token, ""), x)
			}
			for _, id := range ids {
				x := target{id, "topsail", absent.owner}
				if diff := cmp.Diff(read(absent), read(x)); diff != "" {
					t.Errorf("%s reads one that is absent (-) and one of carol's (+):\n%s", who, diff)
				}
			}
			first, second := send(token, ids[0], `{"data":{"title":"x"}}`), send(token, ids[1], `{"data":{"title":"x"}}`)
			if diff := cmp.Diff(heardOf(first, target{ids[0], "x", absent.owner}), heardOf(second, target{ids[1], "x", absent.owner})); diff != "" || first.Code < 400 {
				t.Errorf("%s goes on with imports of carol's: %d\n%s", who, first.Code, diff)
			}
		}
	})
}

// What becomes of hidden records is told to nobody who watches, whatever they filter
// for: the streams are the same.
func TestWatchersHearNothingOfWhatIsHidden(t *testing.T) {
	inEachCellar(t, func(t *testing.T, w *cellar, collection string) {
		w.populate(collection)()
		server := httptest.NewServer(w)
		defer server.Close()
		client := &http.Client{Transport: new(http.Transport)}
		defer client.CloseIdleConnections()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		type stream struct {
			about string
			lines *bufio.Scanner
		}
		var streams []stream
		for _, filter := range []string{`record.id == "` + w.hidden[0].id + `"`, `record.id == "` + w.hidden[1].id + `"`, `record.id == "` + w.absent[0].id + `"`, `record.data.length > 14.0`, ""} {
			r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/v1/collections/"+collection+"/records:watch"+encodedQuery("filter="+filter), nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+w.bob)
			a, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Body.Close()
			s := stream{filter, bufio.NewScanner(a.Body)}
			for s.lines.Scan() && !strings.HasPrefix(s.lines.Text(), "id: ") { // from here on it is told what happens
			}
			streams = append(streams, s)
		}
		at := "/v1/collections/" + collection + "/records/"
		for _, x := range w.hidden {
			w.want(200, "PATCH", at+x.id, w.carol, `{"data":{"length":17}}`, "If-Match", "*")
		}
		w.want(204, "DELETE", at+w.hidden[0].id, w.carol, "", "If-Match", "*")
		w.keep(collection, w.carol, map[string]any{"title": "bow", "length": 40})
		own := w.keep(collection, w.bob, map[string]any{"title": "last", "length": 3})
		if err := w.Resources.Hear(ctx); err != nil {
			t.Fatal(err)
		}
		// Who has heard of the last event, which one stream shows, has heard of all.
		shown := streams[len(streams)-1]
		for shown.lines.Scan() && !strings.HasPrefix(shown.lines.Text(), "data: ") {
		}
		if !strings.Contains(shown.lines.Text(), own.id) {
			t.Errorf("the first that bob hears is %q", shown.lines.Text())
		}
		w.Resources.Hush()
		for _, s := range streams {
			var rest []string
			for s.lines.Scan() {
				if line := s.lines.Text(); line != "" && !strings.HasPrefix(line, "id: ") && line != ": nothing new" {
					rest = append(rest, line)
				}
			}
			if diff := cmp.Diff([]string{"event: end", `data: {"code":"reconnect"}`}, rest); diff != "" {
				t.Errorf("who watches %q hears:\n%s", s.about, diff)
			}
		}
	})
}

// A key is its sender's own: who sends that of somebody else has an effect of their own.
func TestAnIdempotencyKeyOfSomebodyElseShowsNothing(t *testing.T) {
	inEachCellar(t, func(t *testing.T, w *cellar, collection string) {
		send := func(token string) *httptest.ResponseRecorder {
			return w.send("POST", "/v1/collections/"+collection+"/records", token, `{"data":{"title":"keel"}}`, "Idempotency-Key", "one-key")
		}
		carols, bobs := send(w.carol), send(w.bob)
		if bobs.Code != 201 || bobs.Header().Get("Idempotency-Replayed") != "" || bobs.Header().Get("Location") == carols.Header().Get("Location") {
			t.Errorf("bob is told %d %v %s", bobs.Code, bobs.Header(), bobs.Body)
		}
		if a := send(""); a.Code != 401 {
			t.Errorf("a stranger is told %d %s", a.Code, a.Body)
		}
		if a := send(w.askers["bob's program, which may only read"]); a.Code != 403 || strings.Contains(a.Body.String(), "keel") {
			t.Errorf("a program that may not write is told %d %s", a.Code, a.Body)
		}
	})
}
