// Package domain holds the nouns of Keyport and the rules they keep.
//
// It knows accounts, sessions, tokens, collections and records. It knows no
// database, no HTTP, no signature scheme and no wall clock: whatever it needs
// from outside arrives as an argument. It imports the standard library and, for
// the normal forms of text, golang.org/x/text.
//
// The verbs (registering, refreshing, listing) live one floor up, in the
// packages accounts, tokens and resources. What they ask of the world stands in
// package ports.
//
// This is the ground floor of the house. Above it stand ports and the verbs, then
// the adapters (HTTP drives them, stores and keys are driven), then app, which
// wires them, then cmd. Imports point down, and docs/architecture.md walks through
// the rooms.
//
// Values are parsed once, at the door: a Login, a Document or an AccountID that
// exists is a good one, and nothing below checks it again.
package domain
