package jose

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A lasting token is lastingPrefix and, in base64url, lastingSize bytes: the version
// (1), the session's id (16), the account's (16), the second at which it expires (8,
// big endian), the number of the key (4), and the HMAC-SHA-256 of all before it (32).
// It says whose it is and when it ends, because its session may be gone when somebody
// wants to know.
const (
	lastingPrefix  = "kpl_"
	lastingVersion = 1
	lastingSize    = 1 + 16 + 16 + 8 + 4 + sha256.Size
	lastingLabel   = "keyport lasting token 1"
)

// IssueLasting implements ports.RefreshIssuer, as Issue does.
func (r refresher) IssueLasting(t domain.LastingToken) domain.Secret {
	b := make([]byte, 0, lastingSize)
	b = append(b, lastingVersion)
	b = appendUUID(b, string(t.Session))
	b = appendUUID(b, string(t.Account))
	b = binary.BigEndian.AppendUint64(b, uint64(t.Ends.Unix()))
	return domain.NewSecret(lastingPrefix + b64.EncodeToString(r.authenticate(b, lastingLabel)))
}

// VerifyLasting implements ports.RefreshIssuer.
func (r refresher) VerifyLasting(text string) (domain.LastingToken, error) {
	body, err := r.read(text, lastingPrefix, lastingVersion, lastingSize, lastingLabel)
	if err != nil {
		return domain.LastingToken{}, err
	}
	ends := min(binary.BigEndian.Uint64(body[33:41]), math.MaxInt64)
	return domain.LastingToken{
		Session: domain.SessionID(uuid(body[1:17])), Account: domain.AccountID(uuid(body[17:33])), Ends: time.Unix(int64(ends), 0).UTC(),
	}, nil
}
