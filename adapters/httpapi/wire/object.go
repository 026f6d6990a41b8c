package wire

import (
	"net/http"
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// ReadObject reads r's body, one JSON object, into the struct that v points to,
// for older APIs: members that it does not know are ignored, and those that are
// null are as good as missing. It fails with WrongType, with domain.ErrTooLarge,
// with domain.ErrMalformed for what is no strict JSON (CheckJSON), and with
// domain.ErrInvalid for another value than an object, or a member of another type.
func ReadObject(w http.ResponseWriter, r *http.Request, v any) error {
	if media := MediaType(r); media != "application/json" && (!strings.HasPrefix(media, "application/") || !strings.HasSuffix(media, "+json")) {
		return WrongType
	}
	body, err := ReadBody(w, r)
	if err != nil {
		return err
	}
	if err := CheckJSON(body); err != nil {
		return err
	}
	if err := Unmarshal(body, v); err != nil {
		return domain.ErrInvalid.At("", "wrong-type", "want a JSON object whose members are of the right types").Because(err)
	}
	return nil
}
