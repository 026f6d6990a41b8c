package jose

import (
	"crypto/hmac"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A cursor is, in base64url, a place and the first cursorTag bytes of the
// HMAC-SHA-256 of scope and place. Sixteen bytes are enough for what opens no
// door: a forged cursor would only begin a list elsewhere.
const (
	maxCursor   = 1 << 10 // bytes of text
	cursorTag   = 16
	cursorLabel = "keyport cursor 1"
)

// MaxPlace is the longest place that a cursor can hold, in bytes.
const MaxPlace = maxCursor/4*3 - cursorTag

// A sealer implements ports.CursorSealer.
type sealer struct{ secret []byte }

var _ ports.CursorSealer = (*sealer)(nil)

// Seal implements ports.CursorSealer. A place of more than MaxPlace bytes gives a
// text that Open does not take.
func (s *sealer) Seal(scope, place string) string {
	return b64.EncodeToString(append([]byte(place), s.tag(scope, place)...))
}

// Open implements ports.CursorSealer.
func (s *sealer) Open(scope, text string) (string, error) {
	if len(text) > maxCursor {
		return "", domain.ErrInvalidCursor
	}
	b, ok := decode(text)
	if !ok || len(b) < cursorTag {
		return "", domain.ErrInvalidCursor
	}
	place, tag := string(b[:len(b)-cursorTag]), b[len(b)-cursorTag:]
	if !hmac.Equal(tag, s.tag(scope, place)) {
		return "", domain.ErrInvalidCursor
	}
	return place, nil
}

func (s *sealer) tag(scope, place string) []byte {
	return mac(s.secret, cursorLabel, scope, place)[:cursorTag]
}
