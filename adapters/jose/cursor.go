package jose

import (
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A cursor is, in base64url, a place that is concealed for its scope, as a vault
// conceals: nobody can tell from it how much lies between two places.
const (
	maxCursor   = 1 << 10 // bytes of text
	cursorScope = "cursor "
)

// MaxPlace is the longest place that a cursor can hold, in bytes.
const MaxPlace = maxCursor/4*3 - vaultOverhead

// A sealer implements ports.CursorSealer.
type sealer struct{ ring *Keyring }

var _ ports.CursorSealer = sealer{}

// Seal implements ports.CursorSealer. A place of more than MaxPlace bytes gives a
// text that Open does not take.
func (s sealer) Seal(scope, place string) string {
	return b64.EncodeToString(vault(s).Conceal(cursorScope+scope, []byte(place)))
}

// Open implements ports.CursorSealer.
func (s sealer) Open(scope, text string) (string, error) {
	if len(text) > maxCursor {
		return "", domain.ErrInvalidCursor
	}
	concealed, ok := decode(text)
	if !ok {
		return "", domain.ErrInvalidCursor
	}
	place, err := vault(s).Reveal(cursorScope+scope, concealed)
	if err != nil {
		return "", domain.ErrInvalidCursor
	}
	return string(place), nil
}
