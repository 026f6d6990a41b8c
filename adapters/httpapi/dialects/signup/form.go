package signup

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// readForm reads r's body, a form in either encoding, whole and in memory. What is
// sent in another way, by JSON or in the query, is no form and gives none of the
// fields; so does a file. Of a field that comes twice the first counts. It fails
// with domain.ErrTooLarge beyond wire.MaxBody, and with domain.ErrMalformed for
// what cannot be decoded, for other characters than UTF-8, and for a NUL.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	media := wire.MediaType(r)
	if media != "application/x-www-form-urlencoded" && media != "multipart/form-data" {
		return nil, nil
	}
	body, err := wire.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	var form url.Values
	if media == "multipart/form-data" {
		form, err = readParts(body, r.Header.Get("Content-Type"))
	} else {
		// A semicolon stands for itself, and separates nothing (URL Standard, section 5.1).
		form, err = url.ParseQuery(strings.ReplaceAll(string(body), ";", "%3B"))
	}
	if err != nil {
		return nil, domain.ErrMalformed.At("", "not-a-form", "want a form in its own encoding").Because(err)
	}
	for _, values := range form {
		if !utf8.ValidString(values[0]) || strings.Contains(values[0], "\x00") {
			return nil, domain.ErrMalformed.At("", "not-text", "want fields in UTF-8 without NUL")
		}
	}
	return form, nil
}

// readParts reads a body that has parts (RFC 7578).
func readParts(body []byte, contentType string) (url.Values, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, err
	}
	form := make(url.Values)
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		if err != nil {
			return nil, err
		}
		name := part.FormName()
		if name == "" || part.FileName() != "" || form.Has(name) {
			continue // the next call skips what it holds
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		form.Set(name, string(text))
	}
}
