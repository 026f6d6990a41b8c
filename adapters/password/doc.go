// Package password makes passwords safe to store, and knows the common ones.
//
// It owns the hash (Argon2id, RFC 9106, as a PHC string), the gate before it,
// and the list of passwords that nobody should choose. It leaves to others how
// long a password must be (domain.PasswordPolicy), when a hash is made anew
// (domain/accounts), and what a caller hears when the gate is full.
//
// Hashing is the one costly thing that a stranger can ask of Keyport: about
// 20 MiB and 30 ms of a CPU each. So as many run at once as there are CPUs, a few
// more may wait, and the rest are refused before anything is computed.
package password
