// Package demo holds what Keyport has to show when it starts as a demo: the
// declarations of two collections, and fifteen ships. It reads none of it.
package demo

import (
	_ "embed"
	"slices"
)

var (
	//go:embed collections/authors.json
	authors []byte
	//go:embed collections/ships.json
	ships []byte
	//go:embed ships.json
	fleet []byte
)

// Collections returns the declarations, each a JSON object with name, schema,
// rules and unique.
func Collections() [][]byte { return [][]byte{slices.Clone(authors), slices.Clone(ships)} }

// Ships returns the ships as a JSON array of objects. Beside the data of a
// record each has an id, from 1 on, which the schema of ships does not know.
func Ships() []byte { return slices.Clone(fleet) }
