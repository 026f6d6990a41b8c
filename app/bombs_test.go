package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
)

// A bomb is a request that is small to send, and is meant to be dear to answer. It is
// refused for what it says, so at most the declaration of its collection is looked up.
type bomb struct {
	name, method, path, body string
	headers                  []string // names, each with its value
	want                     []int
	asks                     int // statements at most
}

// A blast tells what a request cost.
type blast struct {
	allocated uint64 // bytes, in all
	sent      []string
}

// A firingRange is a town where bombs go off.
type firingRange struct {
	*town
	store  string
	ledger *ledger
	root   string // access token
	ada    string
	other  string
}

func newFiringRange(t *testing.T, store string) *firingRange {
	t.Helper()
	l := new(ledger)
	declared := func(name domain.CollectionName) domain.Collection {
		return domain.Collection{
			Name:   name,
			Schema: document(t, `{"type":"object","properties":{"title":{"type":"string"},"length":{"type":"number"},"list":{"type":"array","items":{"type":"string"}}}}`),
			Rules:  domain.Rules{List: "account != null", Read: "account != null", Create: "account != null", Update: owned, Delete: owned},
			Unique: []domain.Unique{{Field: "title"}}, Search: []string{"title"}, Watch: true,
			Indexes: []domain.Index{{Sort: domain.Sort{{Field: "length", Descending: true}}}, {Sort: domain.Sort{{Field: "owner"}, {Field: "title"}}}},
		}
	}
	w := &firingRange{town: newTown(t, countedStores[store](t, l), declared("things"), declared("others")), store: store, ledger: l}
	w.root = w.town.root()
	_, w.ada = w.settle("ada")
	_, w.other = w.settle("bob")
	for n := range 4 {
		for _, collection := range []string{"things", "others"} {
			w.want(201, "POST", "/v1/collections/"+collection+"/records", w.ada, fmt.Sprintf(`{"data":{"title":"thing %d","length":%d}}`, n, n))
		}
	}
	for _, method := range []string{"things", "others"} { // the declarations are in mind
		w.want(200, "GET", "/v1/collections/"+method+"/records?filter=true", w.ada, "")
	}
	return w
}

// cost sends a request, and tells what that took.
func (w *firingRange) cost(r *http.Request) (*httptest.ResponseRecorder, blast) {
	a := httptest.NewRecorder()
	var before, after runtime.MemStats
	w.ledger.take()
	runtime.ReadMemStats(&before)
	w.ServeHTTP(a, r)
	runtime.ReadMemStats(&after)
	return a, blast{after.TotalAlloc - before.TotalAlloc, w.ledger.take()}
}

// The bounds of what a bomb may take: so many bytes, and so many for each of its own. To
// find that 4 KiB are no expression took 9 MB, and that a record is all faults, of which
// each is kept until all are known, 380 bytes a byte.
const (
	mostAllocated = 32 << 20
	mostPerByte   = 512
	mostAnswer    = 16 << 10
)

// fire fails the test unless a bomb is refused, and cheaply. It reports whether it was.
// One that may ask the store for nothing goes off on SQLite alone: what no store is asked
// for is refused alike on any.
func (w *firingRange) fire(t *testing.T, token string, b bomb) (refused bool) {
	t.Helper()
	if b.asks == 0 && w.store != "SQLite" {
		return true
	}
	r := httptest.NewRequest(b.method, b.path, strings.NewReader(b.body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(b.headers); i += 2 {
		r.Header.Add(b.headers[i], b.headers[i+1])
	}
	size := len(b.body) + len(b.path)
	for _, h := range b.headers {
		size += len(h)
	}
	a, cost := w.cost(r)
	var problem struct {
		Type   string `json:"type"`
		Status int    `json:"status"`
	}
	err := json.Unmarshal(a.Body.Bytes(), &problem)
	if !slices.Contains(b.want, a.Code) || err != nil || problem.Status != a.Code || !strings.HasPrefix(problem.Type, "/problems/") {
		t.Errorf("%s: %d %.300s, want a problem of %v", b.name, a.Code, a.Body, b.want)
	}
	if most := uint64(mostAllocated + mostPerByte*size); cost.allocated > most {
		t.Errorf("%s: %d bytes allocated for %d that were sent, want %d at most", b.name, cost.allocated, size, most)
	}
	if a.Body.Len() > mostAnswer {
		t.Errorf("%s: an answer of %d bytes, want %d at most: %.100s", b.name, a.Body.Len(), mostAnswer, a.Body)
	}
	if len(cost.sent) > b.asks {
		t.Errorf("%s: %d statements, want %d at most:\n%s", b.name, len(cost.sent), b.asks, strings.Join(cost.sent, "\n"))
	}
	for _, text := range cost.sent {
		if !strings.Contains(text, "collections") || strings.Contains(text, "records") {
			t.Errorf("%s: more than a declaration was asked for: %s", b.name, text)
		}
	}
	return a.Code >= 400
}

func onEachRange(t *testing.T, f func(t *testing.T, w *firingRange)) {
	for _, store := range []string{"PostgreSQL", "SQLite"} {
		t.Run(store, func(t *testing.T) { f(t, newFiringRange(t, store)) })
	}
}

// expressions are texts in the language of rules that are refused, each cut to as many
// bytes as may be sent.
func expressions(most int) map[string]string {
	nested := func(open, middle, end string, levels int) string {
		levels = min(levels, (most-len(middle))/(len(open)+len(end)))
		return strings.Repeat(open, levels) + middle + strings.Repeat(end, levels)
	}
	chain := func(part, join string) string {
		text := part
		for len(text)+len(join)+len(part) <= most {
			text += join + part
		}
		return text
	}
	macros := func(f string, levels int) string {
		text := "true"
		for n := range levels {
			text = fmt.Sprintf("[1,2,3,4,5,6,7,8,9].%s(x%d, %s)", f, n, text)
		}
		return text
	}
	return map[string]string{
		"brackets":                  nested("(", "true", ")", 10_000),
		"brackets that never close": strings.Repeat("(", most),
		"lists in lists":            nested("[", "1", "]", 10_000) + " == 1",
		"a chain of ands":           chain("true", "&&"),
		"a chain of ors":            chain("account.id==record.id", "||"),
		"a chain of nots":           strings.Repeat("!", most-2) + "1",
		"a chain of minuses":        "0 < " + strings.Repeat("-", most-8) + "true",
		"a chain of additions":      "0 < " + chain("1", "+")[:most-5],
		"a chain of divisions":      "0.0 < " + chain("1.", "/")[:most-7],
		"a chain of comparisons":    chain("1", "<"),
		"a chain of choices":        chain("true?true:false", "&&"),
		"choices in choices":        chain("true?true:", "") + "true",
		"a long way down":           "record.data" + strings.Repeat(".a", most/2-8) + " == 1",
		"a long way down by index":  "record.data.list" + strings.Repeat("[0]", most/3-8) + " == 1",
		"a huge list":               "1 in [" + chain("1", ",")[:most-8] + "]",
		"a huge list of texts":      "record.id in [" + chain("''", ",")[:most-16] + "]",
		"macros within one another": macros("all", 8),
		"maps within one another":   macros("map", 8) + ".size() > 0",
		"a product of loops":        "record.data.list.all(a,record.data.list.all(b,record.data.list.all(c,record.data.list.all(d,a+b+c+d!=a))))",
		"texts that double":         "[1,1,1,1,1,1,1,1].all(a, [1,1,1,1,1,1,1,1].all(b, ('" + strings.Repeat("a", 100) + "'+record.data.title).matches('(a|b)*c')))",
		"a text that never ends":    "record.id == '" + strings.Repeat("a", most-14),
		"many texts":                "record.id == " + chain("'a'", "+")[:most-14] + "'",
		"a pattern that explodes":   "record.data.title.matches('(a{1,100}){1,100}')",
		"a pattern within others":   "record.data.title.matches('" + nested("(", "a", ")*", 600) + "')",
		"a long pattern":            "record.data.title.matches('" + strings.Repeat("[^a]", most/5) + "')",
		"a pattern of the record's": "record.data.title.matches(record.data.title)",
		"a number beyond all":       "record.data.length < 1e400",
		"a long number":             "record.data.length < " + strings.Repeat("9", most-21),
		"a longer fraction":         "record.data.length == 0." + strings.Repeat("0", most-30) + "1.2",
		"operators":                 strings.Repeat("+-*/%&|<>=!?:", most)[:most],
		"names":                     chain("aaaa", " "),
		"a call in a call":          nested("size(", "''", ")", 10_000) + " > 0",
		"an unknown call in itself": nested("f(", "1", ")", 10_000),
		"objects":                   nested("{'a':", "1", "}", 10_000) + " == 1",
		"messages":                  nested("a.b{c:", "1", "}", 10_000) + " == 1",
		"escapes":                   "record.id == '" + strings.Repeat(`\u`, most/2-10) + "'",
		"line ends":                 strings.Repeat("\n", most-1) + ")",
		"a comment":                 "//" + strings.Repeat("a", most-2),
		"a span beyond all":         "record.created_at + duration('" + strings.Repeat("9h", 500) + "') > now",
		"nothing but a letter":      "x",
		"not even a condition":      "1",
		"brackets of each kind":     strings.Repeat("([{", most/3),
		"words of the language":     chain("for", " in "),
		"back-quotes":               "record.data.`" + strings.Repeat("a", most-20) + "` == 1",
	}
}

// A filter is refused before any record is looked for: one that is too long before
// anything is; any other once the declaration is known to be that which is stored.
func TestFiltersThatAreBombs(t *testing.T) {
	onEachRange(t, func(t *testing.T, w *firingRange) {
		const at = "/v1/collections/things/records"
		for _, length := range []int{2048, 10_000} {
			for name, text := range expressions(length) {
				asks := 1
				if len(text) > 2048 {
					asks = 0
				}
				for _, path := range []string{at + "?filter=", at + "?count=exact&sort=-length&filter=", at + ":export?filter=", at + ":watch?filter="} {
					if !w.fire(t, w.ada, bomb{fmt.Sprintf("%s, %d bytes, at %s", name, len(text), path), "GET", path + url.QueryEscape(text), "", nil, []int{422}, asks}) {
						break // or else a watch would not end
					}
				}
			}
		}
		for name, text := range map[string]string{"bad UTF-8": "record.id == '\xff'", "NUL": "record.id == '\x00'", "half an escape": "%zz"} {
			query := url.QueryEscape(text)
			if strings.HasPrefix(text, "%") {
				query = text
			}
			w.fire(t, w.ada, bomb{name, "GET", at + "?filter=" + query, "", nil, []int{400}, 0})
		}
	})
}

// A declaration is refused before the store is asked for anything.
func TestDeclarationsThatAreBombs(t *testing.T) {
	onEachRange(t, func(t *testing.T, w *firingRange) {
		const open = `"schema":{"type":"object"},"rules":{"list":"true","read":"true","create":"true","update":"true","delete":"true"}`
		parts := make(map[string]string)
		for _, length := range []int{4096, 20_000} {
			for name, text := range expressions(length) {
				for _, verb := range []string{"list", "read", "update"} {
					if verb != "list" && understood(name) {
						continue
					}
					rules := map[string]string{"list": "true", "read": "true", "create": "true", "update": "true", "delete": "true", verb: text}
					parts[fmt.Sprintf("%s to %s, %d bytes", name, verb, len(text))] = `"schema":{"type":"object","properties":{"title":{"type":"string"},"length":{"type":"number"},"list":{"type":"array","items":{"type":"string"}}}},"rules":` + quote(t, rules)
				}
			}
		}
		for name, schema := range schemas() {
			parts["a schema: "+name] = `"schema":` + schema + `,"rules":{"list":"true","read":"true","create":"true","update":"true","delete":"true"}`
		}
		many := make([]string, 10_000)
		for n := range many {
			many[n] = fmt.Sprintf("field%d", n)
		}
		unique := make([]map[string]string, 10_000)
		for n := range unique {
			unique[n] = map[string]string{"field": many[n], "per": "owner"}
		}
		parts["10,000 indexes"] = open + `,"indexes":` + quote(t, many)
		parts["an index of 10,000 fields"] = open + `,"indexes":` + quote(t, []string{strings.Join(many, ",")})
		parts["an index of a long field"] = open + `,"indexes":` + quote(t, []string{strings.Repeat("a", 100_000)})
		parts["an index of a deep field"] = open + `,"indexes":` + quote(t, []string{strings.Repeat("a.", 50_000) + "a"})
		parts["an index that descends for ever"] = open + `,"indexes":` + quote(t, []string{strings.Repeat("-", 100_000)})
		parts["9 indexes"] = open + `,"indexes":` + quote(t, many[:9])
		parts["an index twice"] = open + `,"indexes":` + quote(t, []string{"a", "a"})
		parts["10,000 unique fields"] = open + `,"unique":` + quote(t, unique)
		parts["a unique field of a long name"] = open + `,"unique":` + quote(t, []map[string]string{{"field": strings.Repeat("a", 100_000)}})
		parts["10,000 searched fields"] = open + `,"search":` + quote(t, many)
		parts["a searched field of a long name"] = open + `,"search":` + quote(t, []string{strings.Repeat("a", 100_000)})
		parts["members that nobody knows"] = open + `,"surprise":` + quote(t, many)
		for name, part := range parts {
			w.fire(t, w.root, bomb{name, "POST", "/v1/collections", `{"name":"bombs",` + part + `}`, nil, []int{422}, 0})
			w.fire(t, w.root, bomb{name + ", tried", "PUT", "/v1/collections/bombs?dry_run=true", `{` + part + `}`, []string{"If-None-Match", "*"}, []int{422}, 0})
		}
		deep := strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000)
		w.fire(t, w.root, bomb{"a schema of 10,000 levels", "POST", "/v1/collections", `{"name":"bombs","schema":` + deep + `}`, nil, []int{400}, 0})
		w.fire(t, w.root, bomb{"2 MiB", "POST", "/v1/collections", `{"name":"` + strings.Repeat("a", 2<<20) + `"}`, nil, []int{413}, 0})
		w.fire(t, w.root, bomb{"a long name", "POST", "/v1/collections", `{"name":"` + strings.Repeat("a", 1<<19) + `",` + open + `}`, nil, []int{422}, 0})
		w.fire(t, w.ada, bomb{"by somebody who may not", "POST", "/v1/collections", `{"name":"bombs",` + open + `}`, nil, []int{403}, 0})
	})
}

// understood reports whether an expression is refused as a filter alone: rules that are
// no lists may say more.
func understood(name string) bool {
	return slices.Contains([]string{"a pattern of the record's", "a product of loops", "texts that double", "a span beyond all", "back-quotes"}, name)
}

func quote(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// schemas are JSON Schemas that are refused.
func schemas() map[string]string {
	nested := func(open, middle, end string, levels int) string {
		return strings.Repeat(open, levels) + middle + strings.Repeat(end, levels)
	}
	pattern := func(p string) string { return `{"properties":{"title":{"pattern":"` + p + `"}}}` }
	var many, refs strings.Builder
	for n := range 1100 {
		fmt.Fprintf(&many, `"p%d":{},`, n)
	}
	for n := range 200 {
		fmt.Fprintf(&refs, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, n, n+1, n+1)
	}
	return map[string]string{
		"a pattern that repeats repetitions": pattern("((a{1,30}){1,30}){1,30}"),
		"a pattern of a million":             pattern("a{1000000}"),
		"a pattern within others":            pattern(nested("(", "a", ")*", 2000)),
		"a long pattern":                     pattern(strings.Repeat("[^a]", 10_000)),
		"a pattern that looks back":          pattern(`(a)\\1`),
		"a pattern that looks ahead":         pattern("(?=a+)+b"),
		"a pattern of property names":        `{"patternProperties":{"(((a{1,30}){1,30}){1,30})":{}}}`,
		"28 levels of nots":                  nested(`{"not":`, `{"pattern":"["}`, "}", 28),
		"1,100 subschemas":                   `{"properties":{` + strings.TrimSuffix(many.String(), ",") + `}}`,
		"a schema of 100 KiB":                `{"title":"` + strings.Repeat("a", 100<<10) + `"}`,
		"references that double":             `{"$ref":"#/$defs/d0","$defs":{` + refs.String() + `"d200":{}}}`,
		"a reference to itself":              `{"$ref":"#"}`,
		"references in a circle":             `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}}`,
		"a file":                             `{"$ref":"file:///etc/passwd"}`,
		"another server":                     `{"$ref":"http://127.0.0.1:1/schema"}`,
		"a language of another server":       `{"$schema":"http://127.0.0.1:1/schema"}`,
		"a reference to nothing":             `{"$ref":"#/$defs/nothing"}`,
		"a type of nothing":                  `{"type":"everything"}`,
		"a length beyond all":                `{"properties":{"title":{"maxLength":1e400}}}`,
		"a list in place of a schema":        `{"properties":[]}`,
	}
}

// What asks for a list in silly ways is refused before the store is asked; what only the
// declaration knows to be silly, once that is known to hold.
func TestListsThatAreBombs(t *testing.T) {
	onEachRange(t, func(t *testing.T, w *firingRange) {
		const at = "/v1/collections/things/records"
		names := make([]string, 10_000)
		for n := range names {
			names[n] = fmt.Sprintf("f%d", n)
		}
		for _, b := range []struct {
			name, query string
			asks        int
		}{
			{"10,000 fields", "fields=" + strings.Join(names, ","), 0},
			{"33 fields", "fields=" + strings.Join(names[:33], ","), 0},
			{"a field twice", "fields=a,a", 0},
			{"a field of 129 bytes", "fields=" + strings.Repeat("a", 129), 0},
			{"a field of 100,000 bytes", "fields=" + strings.Repeat("a", 100_000), 0},
			{"nothing but commas", "fields=" + strings.Repeat(",", 10_000), 0},
			{"an order of 10,000", "sort=" + strings.Join(names, ","), 0},
			{"an order of five", "sort=" + strings.Join(names[:5], ","), 0},
			{"an order by a long name", "sort=" + strings.Repeat("a", 100_000), 0},
			{"an order by a deep name", "sort=" + strings.Repeat("a.", 50_000), 0},
			{"an order that descends for ever", "sort=" + strings.Repeat("-", 100_000), 0},
			{"an order that there is not", "sort=" + strings.Join(names[:4], ","), 1},
			{"a search for 100,000 bytes", "q=" + strings.Repeat("a", 100_000), 1},
			{"a search for 11 words", "q=" + strings.Repeat("a+", 11), 1},
			{"a search for letters that grow", "q=" + url.QueryEscape(strings.Repeat("\ufdfa", 66)), 1},
			{"a search for signs", "q=" + strings.Repeat("%2B", 60), 1},
			{"a page of 10,000", "limit=10000", 0},
			{"a page beyond all", "limit=99999999999999999999999", 0},
			{"a page below all", "limit=-1", 0},
			{"a count of another kind", "count=" + strings.Repeat("exact", 10_000), 0},
			{"a parameter 9,000 times", strings.Repeat("limit=1&", 9_000), 0},
			{"9,000 parameters", strings.Join(names[:9_000], "=1&"), 0},
			{"a long cursor", "cursor=" + strings.Repeat("A", 100_000), 1},
			{"a cursor of other letters", "cursor=" + url.QueryEscape(strings.Repeat("/+", 100)), 1},
		} {
			w.fire(t, w.ada, bomb{b.name, "GET", at + "?" + b.query, "", nil, []int{422}, b.asks})
		}
		w.fire(t, w.ada, bomb{"a watch from a long cursor", "GET", at + ":watch?last_event_id=" + strings.Repeat("A", 100_000), "", nil, []int{422}, 0})
		w.fire(t, w.ada, bomb{"a watch from a long cursor in the header", "GET", at + ":watch", "", []string{"Last-Event-ID", strings.Repeat("A", 100_000)}, []int{422}, 1})
		w.fire(t, w.ada, bomb{"an export of another kind", "GET", at + ":export?format=" + strings.Repeat("csv", 10_000), "", nil, []int{422}, 0})
	})
}

// A cursor that is not to the letter that of this list is refused.
func TestCursorsThatWereTamperedWith(t *testing.T) {
	onEachRange(t, func(t *testing.T, w *firingRange) {
		const at = "/v1/collections/things/records"
		refused := func(name, path, cursor string) {
			t.Helper()
			w.fire(t, w.ada, bomb{name, "GET", path + "&cursor=" + url.QueryEscape(cursor), "", nil, []int{422}, 1})
		}
		lists := []string{"limit=1", "limit=1&sort=id", "limit=1&sort=-length", "limit=1&sort=length", "limit=1&sort=-updated_at", "limit=1&sort=created_at", "limit=1&q=thing", "limit=1&filter=record.data.length%3E0.0"}
		cursors := make([]string, len(lists))
		for i, list := range lists {
			cursors[i] = w.want(200, "GET", at+"?"+list, w.ada, "")["next"].(string)
			w.want(200, "GET", at+"?"+list+"&cursor="+cursors[i], w.ada, "")
		}
		for i, list := range lists {
			good := cursors[i]
			for n := range len(good) {
				if (i%2 == 0) != (w.store == "SQLite") { // each byte on one of the stores, which need not read cursors
					break
				}
				for _, other := range []byte{'A', '_', good[n] ^ 1, good[n] ^ 32} {
					if other != good[n] {
						refused(fmt.Sprintf("%s, byte %d as %q", list, n, other), at+"?"+list, good[:n]+string(rune(other))+good[n+1:])
					}
				}
				refused(fmt.Sprintf("%s, without byte %d", list, n), at+"?"+list, good[:n]+good[n+1:])
				if n > 0 {
					refused(fmt.Sprintf("%s, cut at byte %d", list, n), at+"?"+list, good[:n])
				}
				refused(fmt.Sprintf("%s, without its first %d bytes", list, n+1), at+"?"+list, good[n+1:]+"A")
			}
			for _, more := range []string{"A", "=", "==", "AAAA", "\n", " ", good} {
				refused(list+" with more at its end", at+"?"+list, good+more)
			}
			for j, other := range cursors {
				if other != good && (i >= 2 || j >= 2) { // by id in two ways
					refused(list+", but of "+lists[j], at+"?"+list, other)
				}
			}
			refused(list+", of another collection", "/v1/collections/others/records?"+list, good)
			refused(list+", of accounts", at+"?"+list, w.want(200, "GET", "/v1/accounts?limit=1", w.root, "")["next"].(string))
			w.fire(t, w.root, bomb{"accounts by a cursor of records", "GET", "/v1/accounts?limit=1&cursor=" + good, "", nil, []int{422}, 0})
			w.fire(t, w.ada, bomb{"a watch from a cursor of records", "GET", at + ":watch?last_event_id=" + good, "", nil, []int{422}, 1})
		}
	})
}

// What would write is refused whole before any of it is done.
func TestWritesThatAreBombs(t *testing.T) {
	onEachRange(t, func(t *testing.T, w *firingRange) {
		const at = "/v1/collections/things/records"
		batch := func(operations ...string) string {
			return `{"operations":[` + strings.Join(operations, ",") + `]}`
		}
		create, patch := `{"op":"create","data":{"title":"a"}}`, `{"op":"patch","id":"`+app.NewID()+`","if_match":"*","data":{}}`
		last := func(bad string) string { return batch(append(slices.Repeat([]string{create}, 99), bad)...) }
		for _, b := range []bomb{
			{name: "101 operations", body: batch(slices.Repeat([]string{create}, 101)...)},
			{name: "20,000 operations", body: batch(slices.Repeat([]string{create}, 20_000)...)},
			{name: "no operation", body: batch()},
			{name: "an operation that there is not", body: last(`{"op":"upsert","data":{}}`)},
			{name: "an operation without an id", body: last(`{"op":"delete","if_match":"*"}`)},
			{name: "an operation without data", body: last(`{"op":"create"}`)},
			{name: "an operation on what cannot be an id", body: last(`{"op":"delete","id":"` + strings.Repeat("9", 100_000) + `","if_match":"*"}`)},
			{name: "a condition on what is new", body: last(`{"op":"create","if_match":"*","data":{}}`)},
			{name: "several conditions", body: last(`{"op":"delete","id":"` + app.NewID() + `","if_match":"` + strings.Repeat(`\"1\",`, 10_000) + `"}`)},
			{name: "no condition", body: last(`{"op":"delete","id":"` + app.NewID() + `"}`), want: []int{428}},
			{name: "an operation of lists", body: batch(slices.Repeat([]string{"[]"}, 100)...)},
			{name: "10,000 wrong operations", body: batch(slices.Repeat([]string{`{"x":1}`}, 10_000)...)},
			{name: "a batch of 2 MiB", body: batch(`{"op":"create","data":{"title":"` + strings.Repeat("a", 2<<20) + `"}}`), want: []int{413}},
			{name: "a key of 256 bytes", body: batch(patch), headers: []string{keyHeader, strings.Repeat("a", 256)}},
			{name: "a key of 100,000 bytes", body: batch(patch), headers: []string{keyHeader, strings.Repeat("a", 100_000)}},
			{name: "an empty key", body: batch(patch), headers: []string{keyHeader, ""}},
			{name: "a key with a space", body: batch(patch), headers: []string{keyHeader, "a b"}},
			{name: "a key of other letters", body: batch(patch), headers: []string{keyHeader, "schlüssel"}},
			{name: "two keys", body: batch(patch), headers: []string{keyHeader, "a", keyHeader, "b"}},
		} {
			if b.want == nil {
				b.want = []int{422}
			}
			b.method, b.path = "POST", at+":batch"
			w.fire(t, w.ada, b)
		}
		deep := strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33)
		lists := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
		for name, body := range map[string]string{
			"data of 33 levels": `{"data":` + deep + `}`, "data of 10,000 levels": `{"data":{"a":` + lists + `}}`, "brackets alone": strings.Repeat("[", 1<<20),
			"a name twice in 50,000": `{"data":{` + strings.Repeat(`"a":1,`, 50_000) + `"b":1}}`,
		} {
			for _, path := range []string{at, at + ":batch", "/v1/authorize:check"} {
				w.fire(t, w.ada, bomb{name, "POST", path, body, nil, []int{400}, 0})
			}
			w.fire(t, w.ada, bomb{name, "PUT", at + "/" + app.NewID(), body, []string{"If-None-Match", "*"}, []int{400}, 0})
		}
		var strangers strings.Builder
		for n := range 50_000 {
			fmt.Fprintf(&strangers, `"m%d":1,`, n)
		}
		unknown := `{` + strangers.String() + `"data":{}}`
		for _, path := range []string{at, at + ":batch", "/v1/authorize:check", "/v1/collections", "/v1/accounts", "/v1/sessions"} {
			w.fire(t, w.root, bomb{"50,000 members that nobody knows, at " + path, "POST", path, unknown, nil, []int{422}, 0})
		}
		w.fire(t, w.ada, bomb{"a number of 500,000 digits for a text", "POST", at, `{"data":{"title":` + strings.Repeat("9", 500_000) + `}}`, nil, []int{422}, 1})
		w.fire(t, w.ada, bomb{"a record of 100,000 faults", "POST", at, `{"data":{"list":[` + strings.TrimSuffix(strings.Repeat("1,", 100_000), ",") + `]}}`, nil, []int{422}, 1})
		w.fire(t, w.ada, bomb{"a condition of 100,000 digits and no record", "GET", "/v1/collections/" + strings.Repeat("a", 100_000) + "/records", "", nil, []int{404}, 0})
	})
}

// Lines are refused one by one, and however long one is it is never held whole.
func TestLinesThatAreBombs(t *testing.T) {
	onEachRange(t, func(t *testing.T, w *firingRange) {
		imported := func(lines io.Reader, size int64) (*httptest.ResponseRecorder, blast) {
			r := httptest.NewRequest("POST", "/v1/collections/things/records:import", lines)
			r.ContentLength = size
			r.Header.Set("Authorization", "Bearer "+w.ada)
			r.Header.Set("Content-Type", "application/x-ndjson")
			return w.cost(r)
		}
		giant := io.LimitReader(repeating(strings.Repeat("a", 4096)), 64<<20)
		deep := strings.Repeat("[", 1<<19) + "\n"
		for _, c := range []struct {
			name    string
			lines   io.Reader
			refused int
			codes   string
		}{
			{"a line of 64 MiB", giant, 1, "too-large"},
			{"lines that are no JSON", strings.NewReader(strings.Repeat("{\n", 1000)), 1000, "malformed-request"},
			{"lines of brackets", strings.NewReader(deep + deep), 2, "malformed-request"},
			{"lines that do not fit", strings.NewReader(strings.Repeat(`{"data":{"title":1}}`+"\n", 1000)), 1000, "invalid-record"},
			{"lines of lists", strings.NewReader(strings.Repeat("[]\n", 1000)), 1000, "invalid-request"},
			{"bad UTF-8 and NUL", strings.NewReader("{\"data\":{\"title\":\"\xff\"}}\n{\"data\":{\"title\":\"\\u0000\"}}\n"), 2, "malformed-request"},
			{"ids that are none", strings.NewReader(strings.Repeat(`{"id":"`+strings.Repeat("9", 1000)+`","data":{}}`+"\n", 100)), 100, "invalid-request"},
		} {
			a, cost := imported(c.lines, -1)
			var job struct {
				Stored, Refused int
				Problems        []struct{ Code string }
			}
			if err := json.Unmarshal(a.Body.Bytes(), &job); err != nil || a.Code != 200 || job.Stored != 0 || job.Refused != c.refused {
				t.Errorf("%s: %d %.300s, %v", c.name, a.Code, a.Body, err)
				continue
			}
			if len(job.Problems) != min(c.refused, 100) || job.Problems[0].Code != c.codes {
				t.Errorf("%s: %d problems, the first %+v, want %s", c.name, len(job.Problems), job.Problems[0], c.codes)
			}
			if cost.allocated > 32<<20 {
				t.Errorf("%s: %d bytes allocated", c.name, cost.allocated)
			}
			if a.Body.Len() > 64<<10 {
				t.Errorf("%s: an answer of %d bytes", c.name, a.Body.Len())
			}
		}
		if a, cost := imported(repeating("{}\n"), 1<<30+1); a.Code != 413 || len(cost.sent) > 0 || cost.allocated > mostAllocated {
			t.Errorf("more than 1 GiB: %d %s, %d bytes and %q", a.Code, a.Body, cost.allocated, cost.sent)
		}
	})
}

// repeating is a text without an end.
type repeating string

// Read implements io.Reader.
func (r repeating) Read(p []byte) (n int, err error) {
	for n < len(p) {
		n += copy(p[n:], r)
	}
	return n, nil
}
