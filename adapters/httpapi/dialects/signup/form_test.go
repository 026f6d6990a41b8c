package signup

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

const (
	urlencoded = "application/x-www-form-urlencoded"
	parts      = "multipart/form-data; boundary=b"
)

// field returns a part of a body.
func field(header, text string) string {
	return "--b\r\nContent-Disposition: form-data; " + header + "\r\n\r\n" + text + "\r\n"
}

// read returns what readForm makes of a request, as one text.
func read(r *http.Request) string {
	form, err := readForm(httptest.NewRecorder(), r)
	if err != nil {
		e, known := errors.AsType[*domain.Error](err)
		if !known || form != nil {
			return "another failure: " + err.Error()
		}
		return e.Code
	}
	var fields []string
	for _, name := range slices.Sorted(maps.Keys(form)) {
		fields = append(fields, name+"="+form.Get(name))
	}
	return strings.Join(fields, " ")
}

func TestAForm(t *testing.T) {
	long := strings.Repeat("x", wire.MaxBody)
	for _, c := range []struct{ name, media, body, want string }{
		{"may be urlencoded", urlencoded, "email=ada%40example.com&name=Ada+King&password=1234", "email=ada@example.com name=Ada King password=1234"},
		{"may say its characters", urlencoded + "; charset=utf-8", "name=Zo%C3%AB", "name=Zoë"},
		{"may have a semicolon in a field", urlencoded, "password=a;b&name=c", "name=c password=a;b"},
		{"may have a plus sign in a field", urlencoded, "password=a%2Bb", "password=a+b"},
		{"may say a field twice, of which the first counts", urlencoded, "name=a&name=b", "name=a"},
		{"may be empty", urlencoded, "", ""},
		{"is cut off in a character", urlencoded, "name=%C", "malformed-request"},
		{"is in Latin-1", urlencoded, "name=Zo%EB", "malformed-request"},
		{"holds a NUL", urlencoded, "password=%00", "malformed-request"},
		{"is beyond the bound", urlencoded, "name=" + long, "too-large"},

		{"may have parts", parts, field(`name="email"`, "ada@example.com") + field(`name="password"`, "12\r\n34") + "--b--\r\n", "email=ada@example.com password=12\r\n34"},
		{"may have lines that end with a line feed alone", parts, strings.ReplaceAll(field(`name="name"`, "Ada")+"--b--", "\r", ""), "name=Ada"},
		{"may have a part twice, of which the first counts", parts, field(`name="name"`, "a") + field(`name="name"`, "b") + "--b--", "name=a"},
		{"may have a file, which is no field", parts, field(`name="password"; filename="x.txt"`, "a") + field(`name="name"`, "b") + "--b--", "name=b"},
		{"may have a part without a name, which is no field", parts, field(`filename="x.txt"`, "a") + "--b--", ""},
		{"may have a part of its name alone", parts, field(`name="name"`, "") + "--b--", "name="},
		{"has parts that do not end", parts, field(`name="name"`, "a"), "malformed-request"},
		{"may have no parts", parts, "", ""},
		{"does not tell where parts end", "multipart/form-data", field(`name="name"`, "a") + "--b--", "malformed-request"},
		{"has a part in Latin-1", parts, field(`name="name"`, "Zo\xEB") + "--b--", "malformed-request"},
		{"has a part that holds a NUL", parts, field(`name="name"`, "\x00") + "--b--", "malformed-request"},
		{"has parts beyond the bound", parts, field(`name="name"`, long) + "--b--", "too-large"},
		{"has a file beyond the bound", parts, field(`name="name"; filename="x"`, long) + "--b--", "too-large"},

		{"is JSON, and so none", "application/json", `{"name":"a"}`, ""},
		{"is a text, and so none", "text/plain", "name=a", ""},
		{"is of no type, and so none", "", "name=a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/signup?email=in-the-query", strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.media)
			if got := read(r); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzForm(f *testing.F) {
	f.Add(urlencoded, "a=b&a=%2B;+")
	f.Add(parts, field(`name="a"`, "b")+field(`name="f"; filename="g"`, "h")+"--b--")
	f.Add("multipart/form-data; boundary=\"\"", "--\r\n\r\n----")
	f.Fuzz(func(t *testing.T, media, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", media)
		form, err := readForm(httptest.NewRecorder(), r)
		if err != nil && (form != nil || !errors.Is(err, domain.Malformed) && !errors.Is(err, domain.TooLarge)) {
			t.Fatalf("%q, %v", form, err)
		}
		for name, values := range form {
			if len(values) == 0 || strings.ToValidUTF8(values[0], "") != values[0] {
				t.Fatalf("%q: %q", name, values)
			}
		}
	})
}
