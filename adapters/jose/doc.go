// Package jose makes what callers carry away and bring back: access tokens
// (signed JWTs, RFC 9068), refresh tokens and cursors (both authenticated by
// HMAC-SHA-256). It conceals what Keyport keeps for one caller alone
// (XChaCha20-Poly1305), and reads access tokens for services elsewhere, too.
//
// A Keyring has the private keys. It makes the first ones, and has them follow one
// another: each is published for a while before it signs (Config.Ahead), signs for
// a while (Config.Turn), and verifies until the last that it signed has ended.
// Replicas agree through the store, which settles on one key for each number, so
// that what one of them issues no other refuses, as long as each reads the keys
// again (Reload) within Ahead. A key that is not trusted any more is retired at
// once. The key of digests alone has no successor, unless it is retired: it is kept in
// the store like the others, so that a digest is the same at all replicas, and under
// the next master key. Access tokens are signed by ES256, EdDSA or RS256; a key has one of these,
// and keys of several may be kept side by side.
//
// A Reader has public keys alone, as it learns them from a JWK Set. It shares with
// the Keyring the one parser of tokens, and their memory.
//
// The package owns the spellings of all these, the keys behind them, and how
// these rest: sealed under the master key, with a second one that opens them while
// the first one changes. It leaves to others where sealed keys are kept
// (ports.Keys), when Reload and Turn are called, who fetches a JWK Set, how long a
// token lives, whether its session has ended, and what the clock says: a token
// that it takes is genuine, which is not yet to say that it is any use.
//
// Of jwx/v2 only signing and checking of bytes are in use. What a token or a key
// set says is written and read here, because the library takes more than RFC 8725
// allows: other alphabets, unknown critical headers, claims that are missing.
package jose
