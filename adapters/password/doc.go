// Package password makes passwords safe to store, and knows the common ones.
//
// It owns the hash (Argon2id, RFC 9106, as a PHC string), the hashes that
// accounts bring along from older services, the gate before them all, and the
// list of passwords that nobody should choose. It leaves to others how long a
// password must be (domain.PasswordPolicy), when a hash is made anew
// (domain/accounts), and what a caller hears when the gate is full.
//
// Hashing is the one costly thing that a stranger can ask of Keyport: about
// 20 MiB and 30 ms of a CPU each. So as many run at once as there are CPUs, a few
// more may wait, and the rest are refused before anything is computed.
//
// A hash that was brought along names its own cost, so whoever wrote it would
// choose what a sign-in costs here. It is read whole, and held against the bounds
// of its format, before anything is computed; Check says so at the import. Within
// the bounds it may take longer than 30 ms, and whoever has a clock can then tell
// that the login exists, until its owner signs in and the hash is replaced. It
// never takes less: the usual hash is made beside it.
package password
