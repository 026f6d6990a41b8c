package domain

import "time"

// A Counter counts the rotations of a session's refresh token, from 0.
type Counter int64

// A Session is one sign-in, until it ends.
type Session struct {
	ID      SessionID
	Account AccountID
	Counter Counter   // of the refresh token that is current
	Created time.Time // UTC, microseconds: when the password was given
	Used    time.Time // when the current refresh token was first issued
	Ends    time.Time // the absolute end, however much it is used
	Device  string    // how its user may know it again; at most MaxDevice bytes
	Renewal Renewal   // what its refresh token is good for
	Seen    time.Time // when one of its tokens was last used, to SightingInterval
	Address string    // from which it was then; "": not known; at most MaxAddress bytes
}

// A Renewal says what the refresh token of a session is good for.
type Renewal string

// The renewals. A session as /v1 opens it is Rotating.
const (
	Rotating Renewal = "rotating" // each use gives a successor
	Reusable Renewal = "reusable" // the same token is used again and again, until it is ended
	NoMore   Renewal = "none"     // there is none, or it was ended; access tokens go on
)

// MaxDevice bounds the description of a device, in bytes.
const MaxDevice = 256

// A Client is what is known of the program at the other end. Both are its own word
// or the network's, and prove nothing.
type Client struct {
	Device  string // what its user may know it by; "": not known
	Address string // "": not known
}

// MaxAddress bounds the address that something was seen at, in bytes: that of an IPv6
// address with a zone (RFC 4007, section 11).
const MaxAddress = 64

// SightingInterval is how much later than the last one a sighting must be to be
// kept. It bounds how often being used costs a write.
const SightingInterval = time.Minute

// A Sighting is one use of a session or an access key.
type Sighting[ID ~string] struct {
	ID      ID
	At      time.Time // UTC, microseconds
	Address string    // at most MaxAddress bytes
}

// A SessionPolicy says how long sessions live and how rotation forgives.
type SessionPolicy struct {
	Idle  time.Duration // a session that was not refreshed for as long is over
	Max   time.Duration // a session that was opened as long ago is over
	Grace time.Duration // how long after a rotation the token before is still answered; 0: not at all
}

// A Verdict says what a presented refresh token comes to.
type Verdict uint8

// The verdicts. The zero Verdict is Refused.
const (
	Refused  Verdict = iota // the session is over; nothing changes
	Rotated                 // the token was current; now its successor is
	Repeated                // its successor is current, and is answered once more; nothing changes
	Reused                  // it was neither: one of two bearers is a thief, so the session ends
)

// Live reports whether the session can be used at now. At Ends itself, and Idle
// after Used, it no longer can.
func (s Session) Live(now time.Time, p SessionPolicy) bool {
	return now.Before(s.Ends) && now.Before(s.Used.Add(p.Idle))
}

// Refresh judges the refresh token that carries the presented counter, at now.
// It returns the session as it is after a Rotated, and unchanged for the other
// verdicts. A session that is not Rotating is Refused. Whoever keeps the session
// must judge and write in one step.
//
// A token whose successor is current is answered again for Grace after the
// rotation: two tabs, a double click or a lost answer give one successor, not an
// ended session. That window begins when the successor was first issued, and
// nothing moves it, so two parties that hold one token are found out as soon as
// two uses of it lie further apart than Grace (RFC 9700, section 4.14.2).
func (s Session) Refresh(presented Counter, now time.Time, p SessionPolicy) (Session, Verdict) {
	switch {
	case !s.Live(now, p), s.Renewal != Rotating:
		return s, Refused
	case presented == s.Counter:
		s.Counter++
		s.Used = now
		return s, Rotated
	case presented == s.Counter-1 && now.Before(s.Used.Add(p.Grace)):
		return s, Repeated
	}
	return s, Reused
}

// An Authority is what an account may do at the moment, as the store knows it.
type Authority struct {
	Account AccountID
	Version int64  // Account.Authority
	Roles   []Role // sorted, each once
}

// A Refreshed is what a store answers to a refresh token: the verdict, and for
// Rotated and Repeated the session as it is now and its account's authority.
type Refreshed struct {
	Verdict   Verdict
	Session   Session
	Authority Authority
}
