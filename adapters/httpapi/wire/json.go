package wire

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/keyport-go/keyport/domain"
)

// MaxBody is the largest request body that is read, in bytes.
const MaxBody = 1 << 20

// ReadBody reads r's body whole. It fails with domain.ErrTooLarge beyond
// MaxBody, and with domain.ErrMalformed if it breaks off.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxBody {
		return nil, domain.ErrTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, domain.ErrTooLarge
	}
	if err != nil {
		return nil, domain.ErrMalformed.Because(err)
	}
	return body, nil
}

// MediaType returns the media type of r's body in lower case without its
// parameters, or "" if it has none that can be read, a content encoding, or a
// charset other than UTF-8.
func MediaType(r *http.Request) string {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset, given := params["charset"]; err != nil || given && !strings.EqualFold(charset, "utf-8") {
		return ""
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return ""
	}
	return media
}

// CheckJSON fails with domain.ErrMalformed unless body is one JSON value in UTF-8
// with unique member names, at most domain.MaxDepth levels, and no NUL or lone
// surrogate in any text.
func CheckJSON(body []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.ReadToken()
		switch {
		case err != nil:
			return malformed(err)
		case d.StackDepth() > domain.MaxDepth:
			return domain.ErrMalformed.At("", "too-deep", "want at most 32 levels")
		case token.Kind() == '"' && strings.ContainsRune(token.String(), 0):
			return domain.ErrMalformed.At(Clip(string(d.StackPointer())), "nul", "want no NUL")
		}
		if d.StackDepth() == 0 {
			break
		}
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return domain.ErrMalformed.At("", "trailing-data", "want one JSON value and nothing after it")
	}
	return nil
}

func malformed(err error) error {
	field, _ := errors.AsType[*jsontext.SyntacticError](err)
	at := ""
	if field != nil {
		at = Clip(string(field.JSONPointer))
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return domain.ErrMalformed.At(at, "duplicate-name", "want each name once").Because(err)
	}
	return domain.ErrMalformed.At(at, "not-json", "want one JSON value in UTF-8").Because(err)
}

// Clip bounds what is said again of what a caller sent, to 128 bytes or so.
func Clip(s string) string {
	if len(s) > 128 {
		return strings.ToValidUTF8(s[:128], "") + "…"
	}
	return s
}

// Unmarshal decodes one JSON value into v: member names in their exact case,
// each once. Members that v does not know are ignored.
func Unmarshal(body []byte, v any) error { return json.Unmarshal(body, v) }

// ours are the options for what we write. Documents were judged when they came in,
// so their names and their UTF-8 are not judged again on each way out.
var ours = json.JoinOptions(json.Deterministic(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// An Appender is written often, and knows how: it appends itself as JSON, as Marshal
// would write it by its type.
type Appender interface{ AppendJSON(b []byte) []byte }

// Marshal writes v as one JSON value and a line feed.
func Marshal(w io.Writer, v any) error {
	if a, ok := v.(Appender); ok {
		_, err := w.Write(append(a.AppendJSON(nil), '\n'))
		return err
	}
	if err := json.MarshalWrite(w, v, ours); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// Write sends v as JSON.
func Write(w http.ResponseWriter, status int, v any) { write(w, "application/json", status, v) }

func write(w http.ResponseWriter, mediaType string, status int, v any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_ = Marshal(w, v) // the status is sent; there is nobody left to tell
}
