package domain

import "time"

// A ChangeKind says what a change is about.
type ChangeKind string

// The kinds of change that replicas must hear of.
const (
	SessionEnded    ChangeKind = "session"   // Subject is a session: none of its tokens is valid
	AuthorityRaised ChangeKind = "authority" // Subject is an account: access tokens below Value are not valid
	TokenRefused    ChangeKind = "token"     // Subject is the jti of one access token: it is not valid; its session goes on
	KeyAdded        ChangeKind = "key"       // Subject is a key that will sign: read the keys
	KeyRetired      ChangeKind = "retired"   // Subject is a key: nothing that it signed is valid; read the keys
)

// MaxAuthority is what the authority of an account rises to when the account is
// deleted: no access token has as much.
const MaxAuthority = 1<<63 - 1

// A Change is one line on the bulletin: what was revoked, and when. Applying it
// twice does no harm.
type Change struct {
	Kind    ChangeKind
	Subject string
	Value   int64     // for AuthorityRaised; else 0
	At      time.Time // UTC, microseconds: when the cause was
}

// A Mark says how far somebody has read on the bulletin. It is opaque outside the
// store that made it; "" is before all that is kept.
type Mark string
