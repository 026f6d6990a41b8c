package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	strict "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// blamed returns "code path field-code" of a failure, or "ok".
func blamed(err error) string {
	if err == nil {
		return "ok"
	}
	e, known := errors.AsType[*domain.Error](err)
	if !known {
		return err.Error()
	}
	text := e.Code
	for _, f := range e.Fields {
		text += " " + f.Path + " " + f.Code
	}
	return text
}

func TestABodyIsStrictJSON(t *testing.T) {
	long := strings.Repeat("é", 100)
	for _, c := range []struct{ name, body, want string }{
		{"an object", `{"a":[1,-0.5e+7,true,false,null,"b",{}]}`, "ok"},
		{"a text", ` "a" `, "ok"},
		{"a number", `1e999`, "ok"},
		{"null", "null\r\n", "ok"},
		{"a pair of halves", `"\ud83e\udd8a"`, "ok"},
		{"a backslash and what looks like a half", `"\\ud800"`, "ok"},
		{"the same name in two places", `{"a":{"a":1},"b":{"a":1}}`, "ok"},
		{"32 levels", strings.Repeat(`[`, 32) + strings.Repeat(`]`, 32), "ok"},
		{"33 levels", strings.Repeat(`[`, 33) + strings.Repeat(`]`, 33), "malformed-request  too-deep"},
		{"33 levels of objects", strings.Repeat(`{"a":`, 33) + `1` + strings.Repeat(`}`, 33), "malformed-request  too-deep"},
		{"a hundred thousand levels", strings.Repeat(`[`, 100_000), "malformed-request  too-deep"},
		{"nothing", ``, "malformed-request  not-json"},
		{"space", " \n", "malformed-request  not-json"},
		{"half an object", `{"a":`, "malformed-request /a not-json"},
		{"a comma too many", `{"a":1,}`, "malformed-request  not-json"},
		{"a word", `yes`, "malformed-request  not-json"},
		{"a form", `a=1&b=2`, "malformed-request  not-json"},
		{"two values", `{} {}`, "malformed-request  trailing-data"},
		{"garbage behind", `{}x`, "malformed-request  trailing-data"},
		{"a NUL behind", "1\x00", "malformed-request  trailing-data"},
		{"a byte order mark", "\uFEFF{}", "malformed-request  not-json"},
		{"a name twice", `{"a":1,"a":2}`, "malformed-request /a duplicate-name"},
		{"a name twice, once escaped", `{"b":{"a":1,"\u0061":2}}`, "malformed-request /b/a duplicate-name"},
		{"a long name twice", `{"` + long + `":1,"` + long + `":2}`, "malformed-request /" + strings.Repeat("é", 63) + "… duplicate-name"},
		{"bad UTF-8", "\"\xFF\"", "malformed-request  not-json"},
		{"a lone half", `{"a":["\ud800"]}`, "malformed-request /a/0 not-json"},
		{"halves in the wrong order", `"\udc00\ud800"`, "malformed-request  not-json"},
		{"a NUL in a value", `{"a":["b","x\u0000"]}`, "malformed-request /a/1 nul"},
		{"a NUL in a name", `{"a":{"\u0000":1}}`, "malformed-request /a/\x00 nul"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := wire.CheckJSON([]byte(c.body))
			if got := blamed(err); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if err != nil && !errors.Is(err, domain.Malformed) {
				t.Errorf("%v is not malformed", err)
			}
		})
	}
}

// CheckJSON takes what a strict decoder takes, but for NUL and depth; a Document
// takes the objects among it, but for numbers that are out of bounds; and whatever
// is refused can be told.
func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-0.5e+7,true,false,null,"b",{}]}`, ` 1e999 `, `"\ud83e\udd8a"`, `"\ud800"`, `"\udc00\ud800"`, `"\\ud800"`, `{"a":1,"\u0061":2}`,
		`{"a":"\u0000"}`, `{"\u0000":1}`, "{\"\xFF\":1}", "{\"\xFF\":1,\"\xFE\":1}", `{} {}`, `{"a":1,}`, `[1 2]`, `{"a" 1}`, "\uFEFF{}", "{}\x00", `1.`, `-`, `01`,
		`{"a":1e1001}`, strings.Repeat(`{"a":[`, 16) + strings.Repeat(`]}`, 16), strings.Repeat(`[`, 33) + strings.Repeat(`]`, 33), `{"\ud800":1}`, `"` + "\x7f\u2028" + `"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := wire.CheckJSON(body)
		var value jsontext.Value
		want := strict.Unmarshal(body, &value)
		if want == nil {
			depth, nul := measure(t, body)
			if depth > domain.MaxDepth || nul {
				want = domain.ErrMalformed
			}
		}
		if (err == nil) != (want == nil) {
			t.Fatalf("%q: got %v, want %v", body, err, want)
		}

		d, refused := domain.ParseDocument(body)
		switch {
		case err != nil && refused == nil:
			t.Fatalf("%q is a document, and no strict JSON: %v", body, err)
		case err == nil && refused != nil && !errors.Is(refused, domain.Invalid):
			t.Fatalf("%q is strict JSON, and no document: %v", body, refused)
		case refused == nil && wire.CheckJSON([]byte(d.Text())) != nil:
			t.Fatalf("%q becomes %q, which is no strict JSON", body, d.Text())
		}
		for _, err := range []error{err, refused} {
			if err == nil {
				continue
			}
			w := httptest.NewRecorder()
			wire.ProblemOf(t.Context(), err).Write(w)
			if !json.Valid(w.Body.Bytes()) || w.Code >= 500 {
				t.Fatalf("%q is answered with %d %q", body, w.Code, w.Body)
			}
		}
	})
}

// measure returns how deep strict JSON goes, and whether there is a NUL in a text.
func measure(t testing.TB, body []byte) (depth int, nul bool) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	level := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			return depth, nul
		}
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		switch token := token.(type) {
		case string:
			nul = nul || strings.ContainsRune(token, 0)
		case json.Delim:
			if token == '[' || token == '{' {
				level++
				depth = max(depth, level)
			} else {
				level--
			}
		}
	}
}

func TestABodyIsReadWithinItsBound(t *testing.T) {
	full := strings.Repeat("x", wire.MaxBody)
	for _, c := range []struct {
		name   string
		body   io.Reader
		length int64
		want   string
	}{
		{"nothing", strings.NewReader(""), 0, "ok"},
		{"1 MiB", strings.NewReader(full), wire.MaxBody, "ok"},
		{"1 MiB of no stated length", strings.NewReader(full), -1, "ok"},
		{"a byte more", strings.NewReader(full + "x"), wire.MaxBody + 1, "too-large"},
		{"a byte more of no stated length", strings.NewReader(full + "x"), -1, "too-large"},
		{"a stated length beyond", iotest.ErrReader(errors.New("read all the same")), wire.MaxBody + 1, "too-large"},
		{"a body that breaks off", io.MultiReader(strings.NewReader(`{"a":`), iotest.ErrReader(io.ErrUnexpectedEOF)), 100, "malformed-request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", c.body)
			r.ContentLength = c.length
			body, err := wire.ReadBody(httptest.NewRecorder(), r)
			if got := blamed(err); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if (err == nil) == (body == nil) {
				t.Errorf("%d bytes came with %v", len(body), err)
			}
		})
	}
}

func TestAMediaType(t *testing.T) {
	for _, c := range []struct{ name, contentType, encoding, want string }{
		{"plain", "application/json", "", "application/json"},
		{"in capitals", "Application/JSON", "", "application/json"},
		{"with UTF-8", `application/json; charset=UTF-8`, "", "application/json"},
		{"with UTF-8 in quotation marks", `application/json;charset="utf-8"`, "", "application/json"},
		{"with another parameter", `application/json; profile=x`, "", "application/json"},
		{"a merge patch", "application/merge-patch+json", "identity", "application/merge-patch+json"},
		{"none", "", "", ""},
		{"with another charset", "application/json; charset=latin1", "", ""},
		{"with an empty charset", `application/json; charset=""`, "", ""},
		{"with a parameter that breaks off", "application/json; charset", "", ""},
		{"with a parameter twice", "application/json; a=1; a=2", "", ""},
		{"two", "application/json, text/plain", "", ""},
		{"compressed", "application/json", "gzip", ""},
		{"of several encodings", "application/json", "identity, gzip", ""},
		{"garbage", "\x00/ü", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("Content-Type", c.contentType)
			r.Header.Set("Content-Encoding", c.encoding)
			if got := wire.MediaType(r); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnswersAreJSONWithALineFeed(t *testing.T) {
	w := httptest.NewRecorder()
	wire.Write(w, http.StatusTeapot, map[string]any{"b": 1, "a": "<é>", "nothing": nil})
	if w.Code != http.StatusTeapot || w.Header().Get("Content-Type") != "application/json" || w.Body.String() != "{\"a\":\"<é>\",\"b\":1,\"nothing\":null}\n" {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
	if err := wire.Marshal(iotest.TruncateWriter(io.Discard, 0), make(chan int)); err == nil {
		t.Error("a channel was written")
	}
	var v struct {
		Name string `json:"name"`
	}
	for body, good := range map[string]bool{`{"name":"a","more":1}`: true, `{"NAME":"a"}`: true, `{"name":"a","name":"b"}`: false, `{"name":1}`: false} {
		v.Name = ""
		if err := wire.Unmarshal([]byte(body), &v); (err == nil) != good || v.Name != "" && body[2] == 'N' {
			t.Errorf("%s: %q, %v", body, v.Name, err)
		}
	}
}

func TestWhatIsSaidAgainIsBounded(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{strings.Repeat("x", 128), strings.Repeat("x", 128)},
		{strings.Repeat("x", 129), strings.Repeat("x", 128) + "…"},
		{"x" + strings.Repeat("é", 64), "x" + strings.Repeat("é", 63) + "…"},
	} {
		if got := wire.Clip(c.text); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
