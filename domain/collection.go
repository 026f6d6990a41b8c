package domain

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// A CollectionName names a collection: a lower-case word of at most 63 bytes.
type CollectionName string

// ParseCollectionName reads the name of a collection. What cannot be one names
// none: ErrCollectionNotFound.
func ParseCollectionName(s string) (CollectionName, error) {
	if !slug(s, 63) {
		return "", ErrCollectionNotFound
	}
	return CollectionName(s), nil
}

// The bounds of collections.
const (
	MaxCollections = 1000 // in one Keyport
	MaxUnique      = 8    // unique fields of one collection
)

// A Collection declares a kind of record: what its data looks like, who may
// touch it, and which fields are unique.
type Collection struct {
	Name     CollectionName
	Schema   Document // JSON Schema 2020-12
	Rules    Rules
	Unique   []Unique
	Revision Revision
	Created  time.Time // UTC, microseconds
	Changed  time.Time // UTC, microseconds
}

// Ref returns the collection as it is known to whoever holds c.
func (c Collection) Ref() CollectionRef { return CollectionRef{c.Name, c.Revision} }

// A CollectionRef is a collection at one revision. A store refuses what was
// judged by rules of another revision, so a declaration holds from the moment at
// which it was stored, without any notice.
type CollectionRef struct {
	Name     CollectionName
	Revision Revision
}

// Rules are who may do what, one expression a verb.
type Rules struct{ List, Read, Create, Update, Delete string }

// A Unique is a top-level member of the data whose value no two records share:
// within the collection, or within what one account owns of it. Records without
// the member, or with null, are not compared; nor are those without an owner,
// where it is the owner that would compare them.
type Unique struct {
	Field    string
	PerOwner bool
}

// Check fails with ErrInvalidCollection unless the unique fields are between 0
// and MaxUnique named members, each once.
func (c Collection) Check() error {
	if len(c.Unique) > MaxUnique {
		return ErrInvalidCollection.At("/unique", "too-many", fmt.Sprintf("want at most %d unique fields", MaxUnique))
	}
	seen := make(map[string]bool)
	for i, u := range c.Unique {
		if u.Field == "" || len(u.Field) > 128 || seen[u.Field] {
			return ErrInvalidCollection.At(fmt.Sprintf("/unique/%d/field", i), "invalid-field", "want the name of a member, once, of at most 128 bytes")
		}
		seen[u.Field] = true
	}
	return nil
}

// A UniqueKey stands for the value of a unique field of one record. Two records
// that may not both exist have the same key.
type UniqueKey struct {
	Field  string
	Digest [sha256.Size]byte
}

// Keys returns the unique keys of a record of c. Numbers are compared by value:
// 1, 1.0 and 10e-1 are the same.
func (c Collection) Keys(r Record) []UniqueKey {
	if len(c.Unique) == 0 {
		return nil
	}
	members := r.Data.Tree()
	var keys []UniqueKey
	for _, u := range c.Unique {
		v := members[u.Field]
		if v == nil || u.PerOwner && r.Owner == "" {
			continue
		}
		scope := ""
		if u.PerOwner {
			scope = string(r.Owner)
		}
		h := sha256.New()
		fmt.Fprintf(h, "%d:%s%d:%s", len(u.Field), u.Field, len(scope), scope)
		h.Write(encode(byValue(v)))
		keys = append(keys, UniqueKey{u.Field, [sha256.Size]byte(h.Sum(nil))})
	}
	return keys
}

// A Record is one document of a collection.
type Record struct {
	ID       RecordID
	Owner    AccountID // "" if a stranger made it, or its owner is gone
	Data     Document
	Revision Revision
	Created  time.Time // UTC, microseconds
	Changed  time.Time // UTC, microseconds
}

// NotUnique returns ErrNotUnique with the fields at fault.
func NotUnique(fields ...string) *Error {
	e := ErrNotUnique
	for _, f := range fields {
		e = e.At("/data/"+escape(f), "not-unique", "another record has this value")
	}
	return e
}
