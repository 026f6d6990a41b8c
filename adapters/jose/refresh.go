package jose

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
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
type refresher struct {
	secret []byte
	number [4]byte // the beginning of the SHA-256 of the key's id
}

var _ ports.RefreshIssuer = (*refresher)(nil)

func newRefresher(k opened) *refresher {
	digest := sha256.Sum256([]byte(k.id))
	return &refresher{k.secret, [4]byte(digest[:4])}
}

// Issue implements ports.RefreshIssuer. It panics if the session's id is no UUID,
// which domain.ParseSessionID rules out.
func (r *refresher) Issue(t domain.RefreshToken) domain.Secret {
	id, err := hex.DecodeString(strings.ReplaceAll(string(t.Session), "-", ""))
	if err != nil || len(id) != 16 {
		panic("jose: the session's id is not a UUID")
	}
	b := make([]byte, 0, refreshSize)
	b = append(b, refreshVersion)
	b = append(b, id...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.Counter))
	b = append(b, r.number[:]...)
	b = append(b, mac(r.secret, refreshLabel, string(b))...)
	return domain.NewSecret(refreshPrefix + b64.EncodeToString(b))
}

// Verify implements ports.RefreshIssuer.
func (r *refresher) Verify(text string) (domain.RefreshToken, error) {
	rest, marked := strings.CutPrefix(text, refreshPrefix)
	if !marked || len(rest) != b64.EncodedLen(refreshSize) {
		return domain.RefreshToken{}, domain.ErrInvalidToken.Because(errRefreshText)
	}
	b, ok := decode(rest)
	if !ok || b[0] != refreshVersion {
		return domain.RefreshToken{}, domain.ErrInvalidToken.Because(errRefreshText)
	}
	body := b[:refreshBody]
	if [4]byte(body[25:]) != r.number || !hmac.Equal(b[refreshBody:], mac(r.secret, refreshLabel, string(body))) {
		return domain.RefreshToken{}, domain.ErrInvalidToken.Because(errRefreshKey)
	}
	id := hex.EncodeToString(body[1:17])
	return domain.RefreshToken{
		Session: domain.SessionID(id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]),
		Counter: domain.Counter(binary.BigEndian.Uint64(body[17:25])),
	}, nil
}
