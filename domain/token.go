package domain

import "time"

// Claims are what an access token says of its bearer (RFC 9068, section 2.2).
type Claims struct {
	Subject   AccountID // sub
	Session   SessionID // sid
	TokenID   string    // jti
	Authority int64     // av: valid while it is not below the account's
	Roles     []Role    // roles
	SignedIn  time.Time // auth_time, to the second
	Issued    time.Time // iat, to the second
	Expires   time.Time // exp, to the second; the token is dead at this instant
}

// Live reports whether the claims hold at now (RFC 7519, section 4.1.4: "on or
// after" the expiry they no longer do).
func (c Claims) Live(now time.Time) bool { return now.Before(c.Expires) }

// Asker returns who bears the token.
func (c Claims) Asker() Asker {
	return Asker{Account: c.Subject, Session: c.Session, Roles: c.Roles}
}

// A RefreshToken names one rotation of one session. Nothing of it is stored but
// the session: its text is authenticated by a key.
type RefreshToken struct {
	Session SessionID
	Counter Counter
}

// A LastingToken is the refresh token of a session that is Reusable: it is used
// again and again, until it is ended. Nothing of it is stored but the session.
type LastingToken struct {
	Account AccountID
	Session SessionID
	Ends    time.Time // UTC, to the second: from then on it has expired
}

// A Grant is what a caller takes home from a sign-in or a refresh.
type Grant struct {
	Account AccountID
	Session SessionID
	Access  Secret
	Refresh Secret        // zero where the session has none, or it stays as it is
	Expires time.Time     // of Access
	Life    time.Duration // of Access, from when it was issued
	Ends    time.Time     // of Session, at the latest
}
