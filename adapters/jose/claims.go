package jose

import (
	"errors"
	"math"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/domain"
)

// A payload is the claims of an access token as JSON (RFC 9068, section 2.2), in
// the order in which they are written. All members are there in every token, and
// no others. Numbers are pointers so that an absent one or null is not taken for
// 0.
type payload struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  string   `json:"aud"`
	Expires   *int64   `json:"exp"`
	Issued    *int64   `json:"iat"`
	TokenID   string   `json:"jti"`
	Session   string   `json:"sid"`
	Authority *int64   `json:"av"`
	Roles     []string `json:"roles"`
	SignedIn  *int64   `json:"auth_time"`
}

// The bounds of numbers and ids in a payload.
const (
	maxDate    = 253402300799 // seconds: the end of the year 9999, the last that RFC 3339 can write
	maxTokenID = 128          // bytes
)

var (
	errPayload  = errors.New("the payload is not the claims of an access token")
	errIssuer   = errors.New("the issuer is another")
	errAudience = errors.New("the audience is another")
	errSubject  = errors.New("sub, sid or jti is not an id")
	errNumber   = errors.New("a date or av is absent or out of range")
	errRoles    = errors.New("the roles are absent or not usable, or one is there twice")
)

func newPayload(issuer, audience string, c domain.Claims) payload {
	expires, issued, signedIn := c.Expires.Unix(), c.Issued.Unix(), c.SignedIn.Unix()
	roles := make([]string, len(c.Roles))
	for i, r := range c.Roles {
		roles[i] = string(r)
	}
	return payload{
		Issuer: issuer, Subject: string(c.Subject), Audience: audience,
		Expires: &expires, Issued: &issued, TokenID: c.TokenID, Session: string(c.Session),
		Authority: &c.Authority, Roles: roles, SignedIn: &signedIn,
	}
}

func parsePayload(b []byte) (payload, error) {
	var p payload
	if json.Unmarshal(b, &p, json.RejectUnknownMembers(true)) != nil {
		return payload{}, errPayload
	}
	return p, nil
}

// claims returns what p says, if it is for the audience from the issuer and all
// of it is usable.
func (p payload) claims(issuer, audience string) (domain.Claims, error) {
	switch {
	case p.Issuer != issuer:
		return domain.Claims{}, errIssuer
	case p.Audience != audience:
		return domain.Claims{}, errAudience
	case !within(p.Expires, maxDate), !within(p.Issued, maxDate), !within(p.SignedIn, maxDate), !within(p.Authority, math.MaxInt64):
		return domain.Claims{}, errNumber
	case p.Roles == nil:
		return domain.Claims{}, errRoles
	}
	if roles, err := domain.ParseRoles(p.Roles); err != nil || len(roles) != len(p.Roles) {
		return domain.Claims{}, errRoles
	}
	var roles []domain.Role
	for _, r := range p.Roles {
		roles = append(roles, domain.Role(r))
	}
	subject, subjectErr := domain.ParseAccountID(p.Subject)
	session, sessionErr := domain.ParseSessionID(p.Session)
	if subjectErr != nil || sessionErr != nil || p.TokenID == "" || len(p.TokenID) > maxTokenID {
		return domain.Claims{}, errSubject
	}
	return domain.Claims{
		Subject: subject, Session: session, TokenID: p.TokenID,
		Authority: *p.Authority, Roles: roles,
		SignedIn: date(p.SignedIn), Issued: date(p.Issued), Expires: date(p.Expires),
	}, nil
}

func within(n *int64, most int64) bool { return n != nil && *n >= 0 && *n <= most }

func date(seconds *int64) time.Time { return time.Unix(*seconds, 0).UTC() }
