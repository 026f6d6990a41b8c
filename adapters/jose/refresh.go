package jose

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A refresh token is refreshPrefix and, in base64url, refreshSize bytes: the
// version (1), the session's id (16), the counter (8, big endian), the number of
// the key (4), and the HMAC-SHA-256 of all before it (32).
const (
	refreshPrefix  = "kpr_" // lets scanners for leaked secrets find one
	refreshVersion = 1
	refreshSize    = 1 + 16 + 8 + 4 + sha256.Size
	refreshLabel   = "keyport refresh token 1"
)

var (
	errRefreshText = errors.New("it is not a refresh token by its shape")
	errRefreshKey  = errors.New("the refresh token was made with another key")
)

// A refresher implements ports.RefreshIssuer.
type refresher struct{ ring *Keyring }

var _ ports.RefreshIssuer = refresher{}

// Issue implements ports.RefreshIssuer. The text is the same for the same token
// while one key signs, and all texts of a token are as good. It panics if the
// session's id is no UUID, which domain.ParseSessionID rules out.
func (r refresher) Issue(t domain.RefreshToken) domain.Secret {
	b := make([]byte, 0, refreshSize)
	b = append(b, refreshVersion)
	b = appendUUID(b, string(t.Session))
	b = binary.BigEndian.AppendUint64(b, uint64(t.Counter))
	return domain.NewSecret(refreshPrefix + b64.EncodeToString(r.authenticate(b, refreshLabel)))
}

// Verify implements ports.RefreshIssuer.
func (r refresher) Verify(text string) (domain.RefreshToken, error) {
	body, err := r.read(text, refreshPrefix, refreshVersion, refreshSize, refreshLabel)
	if err != nil {
		return domain.RefreshToken{}, err
	}
	return domain.RefreshToken{
		Session: domain.SessionID(uuid(body[1:17])), Counter: domain.Counter(binary.BigEndian.Uint64(body[17:25])),
	}, nil
}

// authenticate appends to b the number of the key that signs, and the HMAC of it all.
func (r refresher) authenticate(b []byte, label string) []byte {
	key := r.ring.snapshot.Load().refresh.signer(r.ring.c.Now())
	b = append(b, key.number[:]...)
	return append(b, mac(key.secret, label, string(b))...)
}

// read undoes authenticate, and what was done with prefix and version. It fails with
// domain.ErrInvalidToken.
func (r refresher) read(text, prefix string, version byte, size int, label string) ([]byte, error) {
	rest, marked := strings.CutPrefix(text, prefix)
	if !marked || len(rest) != b64.EncodedLen(size) {
		return nil, domain.ErrInvalidToken.Because(errRefreshText)
	}
	b, ok := decode(rest)
	if !ok || b[0] != version {
		return nil, domain.ErrInvalidToken.Because(errRefreshText)
	}
	body, tag := b[:size-sha256.Size], b[size-sha256.Size:]
	if !r.genuine(body, tag, label) {
		return nil, domain.ErrInvalidToken.Because(errRefreshKey)
	}
	return body, nil
}

// genuine reports whether tag is that of body, by a key of the number at its end. Two
// keys may share a number.
func (r refresher) genuine(body, tag []byte, label string) bool {
	number := [4]byte(body[len(body)-4:])
	return slices.ContainsFunc(r.ring.snapshot.Load().refresh.opened, func(k *secretKey) bool {
		return k.number == number && hmac.Equal(tag, mac(k.secret, label, string(body)))
	})
}

// appendUUID panics if id is none.
func appendUUID(b []byte, id string) []byte {
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(raw) != 16 {
		panic("jose: the id is not a UUID")
	}
	return append(b, raw...)
}

// uuid returns the text of 16 bytes.
func uuid(b []byte) string {
	id := hex.EncodeToString(b)
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
