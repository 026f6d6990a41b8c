// Package jose makes what callers carry away and bring back: access tokens
// (signed JWTs, RFC 9068), refresh tokens and cursors (both authenticated by
// HMAC-SHA-256).
//
// It owns the spellings of the three, the keys behind them, and how these rest:
// sealed under the master key. It leaves to others where sealed keys are kept
// (ports.Keys), how long a token lives, whether its session has ended, and what
// the clock says: a token that it takes is genuine, which is not yet to say that
// it is any use.
//
// Of jwx/v2 only signing and checking of bytes are in use. What a token says is
// written and read here, because the library takes more than RFC 8725 allows:
// other alphabets, unknown critical headers, claims that are missing.
package jose
