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
	refreshBody    = 1 + 16 + 8 + 4
	refreshSize    = refreshBody + sha256.Size
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
	id, err := hex.DecodeString(strings.ReplaceAll(string(t.Session), "-", ""))
	if err != nil || len(id) != 16 {
		panic("jose: the session's id is not a UUID")
	}
	key := r.ring.snapshot.Load().refresh.signer(r.ring.c.Now())
	b := make([]byte, 0, refreshSize)
	b = append(b, refreshVersion)
	b = append(b, id...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.Counter))
	b = append(b, key.number[:]...)
	b = append(b, mac(key.secret, refreshLabel, string(b))...)
	return domain.NewSecret(refreshPrefix + b64.EncodeToString(b))
}

// Verify implements ports.RefreshIssuer.
func (r refresher) Verify(text string) (domain.RefreshToken, error) {
	rest, marked := strings.CutPrefix(text, refreshPrefix)
	if !marked || len(rest) != b64.EncodedLen(refreshSize) {
		return domain.RefreshToken{}, domain.ErrInvalidToken.Because(errRefreshText)
	}
	b, ok := decode(rest)
	if !ok || b[0] != refreshVersion {
		return domain.RefreshToken{}, domain.ErrInvalidToken.Because(errRefreshText)
	}
	body, tag := b[:refreshBody], b[refreshBody:]
	if !r.genuine(body, tag) {
		return domain.RefreshToken{}, domain.ErrInvalidToken.Because(errRefreshKey)
	}
	id := hex.EncodeToString(body[1:17])
	return domain.RefreshToken{
		Session: domain.SessionID(id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]),
		Counter: domain.Counter(binary.BigEndian.Uint64(body[17:25])),
	}, nil
}

// genuine reports whether tag is that of body, by a key of the number in body. Two
// keys may share a number.
func (r refresher) genuine(body, tag []byte) bool {
	number := [4]byte(body[25:])
	return slices.ContainsFunc(r.ring.snapshot.Load().refresh.opened, func(k *secretKey) bool {
		return k.number == number && hmac.Equal(tag, mac(k.secret, refreshLabel, string(body)))
	})
}
