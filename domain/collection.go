package domain

import (
	"crypto/sha256"
	"fmt"
	"slices"
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
	Name    CollectionName
	Schema  Document // JSON Schema 2020-12
	Rules   Rules
	Unique  []Unique
	Indexes []Index
	Search  []string // fields, named as a Sort names them, whose words can be searched; none: no search

	// SearchBuilding is set while the words of records that were stored before are
	// still being entered, as Index.Building is for an index.
	SearchBuilding bool

	Watch    bool // changes of records are told to whoever watches
	Managed  bool // declared in a file: the API shows it, and changes nothing
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
// and MaxUnique named members, each once, and the indexes and the searched fields
// are within the bounds of indexes.
func (c Collection) Check() error {
	if err := c.checkUnique(); err != nil {
		return err
	}
	if err := checkIndexes(c.Indexes); err != nil {
		return err
	}
	return checkSearch(c.Search)
}

func (c Collection) checkUnique() error {
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

// Entries is what a store keeps of a record beside the record itself.
type Entries struct {
	Unique []UniqueKey
	Index  []IndexKey
	Words  []string // sorted, each once

	// Event is the time that a change is told with; zero: nobody is told.
	Event time.Time
}

// Entries returns what is kept of a record of c that is written at the given time.
func (c Collection) Entries(r Record, at time.Time) Entries {
	e := Entries{Unique: c.Keys(r)}
	s := &subject{Record: r}
	for _, x := range c.Indexes {
		e.Index = append(e.Index, x.key(s))
	}
	if len(c.Search) > 0 {
		e.Words = s.words(c.Search)
	}
	if c.Watch {
		e.Event = at
	}
	return e
}

// Built reports whether each index of c, and its search, can be relied on.
func (c Collection) Built() bool {
	return !c.SearchBuilding && !slices.ContainsFunc(c.Indexes, func(x Index) bool { return x.Building })
}

// Declares reports whether c and d declare the same, whenever they did, and whether
// it has been built or not.
func (c Collection) Declares(d Collection) bool {
	return c.Schema.Text() == d.Schema.Text() && c.Rules == d.Rules && slices.Equal(c.Unique, d.Unique) &&
		slices.EqualFunc(c.Indexes, d.Indexes, func(x, y Index) bool { return slices.Equal(x.Sort, y.Sort) }) &&
		slices.Equal(c.Search, d.Search) && c.Watch == d.Watch && c.Managed == d.Managed
}

// Succeeding returns c as it takes the place of old, which has records or has none:
// what old does not have already is to be built.
func (c Collection) Succeeding(old Collection, records bool) Collection {
	c.Indexes = slices.Clone(c.Indexes)
	for i := range c.Indexes {
		c.Indexes[i].Building = records
		for _, x := range old.Indexes {
			if slices.Equal(x.Sort, c.Indexes[i].Sort) {
				c.Indexes[i].Building = x.Building
			}
		}
	}
	c.SearchBuilding = len(c.Search) > 0 && (old.SearchBuilding || records && !slices.Equal(old.Search, c.Search))
	c.Created, c.Revision = old.Created, old.Revision
	return c
}

// Finished returns c with all of it built.
func (c Collection) Finished() Collection {
	c.Indexes = slices.Clone(c.Indexes)
	for i := range c.Indexes {
		c.Indexes[i].Building = false
	}
	c.SearchBuilding = false
	return c
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
