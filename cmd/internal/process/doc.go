// Package process runs Keyport as its users do: a built binary, in a process of
// its own, spoken to over HTTP.
//
// It owns building the binary, starting and ending the process, reading what the
// process uses, and a small client. It knows of Keyport what its log, its demo
// and its routes say, and imports none of its code. What it finds is for its
// callers to judge.
package process
