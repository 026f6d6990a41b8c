package fleet

import (
	"net/http"
	"strings"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// object reads the body of r as a JSON object, whatever its media type: nil, bool,
// json.Number, string, []any and map[string]any. It fails with domain.ErrTooLarge,
// with domain.ErrMalformed for what is no JSON, and with domain.ErrInvalid for what is
// no object, or holds a number beyond the bounds of a record.
func object(w http.ResponseWriter, r *http.Request) (map[string]any, error) {
	body, err := wire.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	doc, err := domain.ParseDocument(body)
	if err != nil {
		return nil, err
	}
	return doc.Tree(), nil
}

// isJSON reports whether a media type is that of JSON (RFC 6839, section 3.1).
func isJSON(media string) bool {
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}
