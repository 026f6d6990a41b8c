package fake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// seal returns text with a mark at its end that depends on the name of who made
// it. It tells an altered text from a true one; it keeps nobody out who knows the
// name.
func seal(name, text string) string {
	mac := hmac.New(sha256.New, []byte(name))
	mac.Write([]byte(text))
	return text + hex.EncodeToString(mac.Sum(nil)[:8])
}

// An Issuer writes claims out in the open, between dots: "fake", subject,
// session, token id, authority, roles, and the seconds of sign-in, issue and
// expiry; a mark ends them. The zero Issuer is ready.
type Issuer struct {
	Name string // an Issuer of another name refuses the tokens of this one
}

var _ ports.TokenIssuer = Issuer{}

// Issue implements ports.TokenIssuer.
func (i Issuer) Issue(ctx context.Context, c domain.Claims) (domain.Secret, error) {
	return domain.NewSecret(i.text(c)), ctx.Err()
}

func (i Issuer) text(c domain.Claims) string {
	roles := make([]string, len(c.Roles))
	for n, r := range c.Roles {
		roles[n] = plain(string(r), '~')
	}
	return seal("access token of "+i.Name, fmt.Sprintf("fake.%s.%s.%s.%d.%s.%d.%d.%d.",
		plain(string(c.Subject), '~'), plain(string(c.Session), '~'), plain(c.TokenID, '~'), c.Authority,
		strings.Join(roles, "+"), c.SignedIn.Unix(), c.Issued.Unix(), c.Expires.Unix()))
}

// Verify implements ports.TokenIssuer.
func (i Issuer) Verify(ctx context.Context, token string) (domain.Claims, error) {
	f := strings.Split(token, ".")
	if len(f) != 10 {
		return domain.Claims{}, domain.ErrInvalidToken
	}
	c := domain.Claims{
		Subject:   domain.AccountID(unplain(f[1], '~')),
		Session:   domain.SessionID(unplain(f[2], '~')),
		TokenID:   unplain(f[3], '~'),
		Authority: number(f[4]),
		SignedIn:  time.Unix(number(f[6]), 0).UTC(),
		Issued:    time.Unix(number(f[7]), 0).UTC(),
		Expires:   time.Unix(number(f[8]), 0).UTC(),
	}
	if f[5] != "" {
		for r := range strings.SplitSeq(f[5], "+") {
			c.Roles = append(c.Roles, domain.Role(unplain(r, '~')))
		}
	}
	if i.text(c) != token {
		return domain.Claims{}, domain.ErrInvalidToken
	}
	return c, ctx.Err()
}

// KeySet implements ports.TokenIssuer. An Issuer has no public key.
func (Issuer) KeySet(ctx context.Context) ([]byte, error) { return []byte(`{"keys":[]}`), ctx.Err() }

// A RefreshIssuer writes refresh tokens out in the open, between underscores: "kpr",
// session and counter, or "kpl", account, session and the second of its end; a mark
// ends them. The zero RefreshIssuer is ready.
type RefreshIssuer struct {
	Name string // a RefreshIssuer of another name refuses the tokens of this one
}

var _ ports.RefreshIssuer = RefreshIssuer{}

// Issue implements ports.RefreshIssuer.
func (i RefreshIssuer) Issue(t domain.RefreshToken) domain.Secret {
	return domain.NewSecret(i.text(t))
}

func (i RefreshIssuer) text(t domain.RefreshToken) string {
	return seal("refresh token of "+i.Name, fmt.Sprintf("kpr_%s_%d_", t.Session, t.Counter))
}

// Verify implements ports.RefreshIssuer.
func (i RefreshIssuer) Verify(text string) (domain.RefreshToken, error) {
	f := strings.Split(text, "_")
	if len(f) != 4 {
		return domain.RefreshToken{}, domain.ErrInvalidToken
	}
	t := domain.RefreshToken{Session: domain.SessionID(f[1]), Counter: domain.Counter(number(f[2]))}
	if i.text(t) != text {
		return domain.RefreshToken{}, domain.ErrInvalidToken
	}
	return t, nil
}

// IssueLasting implements ports.RefreshIssuer.
func (i RefreshIssuer) IssueLasting(t domain.LastingToken) domain.Secret {
	return domain.NewSecret(i.lasting(t))
}

func (i RefreshIssuer) lasting(t domain.LastingToken) string {
	return seal("lasting token of "+i.Name, fmt.Sprintf("kpl_%s_%s_%d_", t.Account, t.Session, t.Ends.Unix()))
}

// VerifyLasting implements ports.RefreshIssuer.
func (i RefreshIssuer) VerifyLasting(text string) (domain.LastingToken, error) {
	f := strings.Split(text, "_")
	if len(f) != 5 {
		return domain.LastingToken{}, domain.ErrInvalidToken
	}
	t := domain.LastingToken{
		Account: domain.AccountID(f[1]), Session: domain.SessionID(f[2]), Ends: time.Unix(number(f[3]), 0).UTC(),
	}
	if i.lasting(t) != text {
		return domain.LastingToken{}, domain.ErrInvalidToken
	}
	return t, nil
}

// Cursors seals places by writing them out, and a mark behind. The zero Cursors
// is ready.
type Cursors struct {
	Name string // Cursors of another name refuses those of this one
}

var _ ports.CursorSealer = Cursors{}

// Seal implements ports.CursorSealer.
func (c Cursors) Seal(scope, place string) string {
	text := plain(place, '_') + "-"
	return text + strings.TrimPrefix(seal(fmt.Sprintf("cursor of %s for %s", c.Name, scope), text), text)
}

// Open implements ports.CursorSealer.
func (c Cursors) Open(scope, text string) (string, error) {
	end := strings.LastIndex(text, "-")
	if end < 0 {
		return "", domain.ErrInvalidCursor
	}
	place := unplain(text[:end], '_')
	if c.Seal(scope, place) != text {
		return "", domain.ErrInvalidCursor
	}
	return place, nil
}

// plain writes every byte of s that is no letter, digit, hyphen or underscore,
// and mark itself, as mark and two hexadecimal digits.
func plain(s string, mark byte) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c != mark && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_'):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%c%02x", mark, c)
		}
	}
	return b.String()
}

// unplain undoes plain. What plain did not write comes out as anything; callers
// write the result again and compare.
func unplain(s string, mark byte) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == mark && i+2 < len(s) {
			n, _ := strconv.ParseUint(s[i+1:i+3], 16, 8)
			b.WriteByte(byte(n))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// number reads a decimal number; what is none comes out as 0.
func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
