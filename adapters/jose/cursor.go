package jose

import (
	"crypto/hmac"
	"slices"

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
type sealer struct{ ring *Keyring }

var _ ports.CursorSealer = sealer{}

// Seal implements ports.CursorSealer. A place of more than MaxPlace bytes gives a
// text that Open does not take.
func (s sealer) Seal(scope, place string) string {
	key := s.ring.snapshot.Load().cursor.signer(s.ring.c.Now())
	return b64.EncodeToString(append([]byte(place), key.tag(scope, place)...))
}

// Open implements ports.CursorSealer. A cursor does not say by which key it was
// sealed, so all that are kept are tried.
func (s sealer) Open(scope, text string) (string, error) {
	if len(text) > maxCursor {
		return "", domain.ErrInvalidCursor
	}
	b, ok := decode(text)
	if !ok || len(b) < cursorTag {
		return "", domain.ErrInvalidCursor
	}
	place, tag := string(b[:len(b)-cursorTag]), b[len(b)-cursorTag:]
	if !slices.ContainsFunc(s.ring.snapshot.Load().cursor.opened, func(k *secretKey) bool {
		return hmac.Equal(tag, k.tag(scope, place))
	}) {
		return "", domain.ErrInvalidCursor
	}
	return place, nil
}

func (k *secretKey) tag(scope, place string) []byte {
	return mac(k.secret, cursorLabel, scope, place)[:cursorTag]
}
