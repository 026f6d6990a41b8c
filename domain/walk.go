package domain

import (
	"cmp"
	"slices"
	"time"
)

// An Order is what a Walk follows.
type Order int8

// The orders. By id and by time there is always an index; of one account's records there
// is one by id.
const (
	ByID Order = iota
	ByCreated
	ByChanged
	ByIndex
)

// A Walk is a way through the records of a collection: one order, or a stretch of
// one. The zero Walk is all records by id.
type Walk struct {
	Order    Order
	Backward bool // the greatest first

	// Owner leaves only the records of one account; "" leaves all.
	Owner AccountID

	// Index names the index, and Low and High bound the keys in it: Low is the
	// least, and High is above the greatest; "" is no bound. All are for ByIndex.
	Index, Low, High string
}

// Gathers reports whether all records of an account are to be found before the first of
// the walk is known: they lie by id.
func (w Walk) Gathers() bool {
	return w.Owner != "" && (w.Order == ByCreated || w.Order == ByChanged)
}

// A Place is where a record stands on a walk. The zero Place is before the first.
// Key is "" by id, a TimeKey by time, and the index's key by index.
type Place struct {
	Key string
	ID  RecordID
}

// Compare orders places as a walk that is not Backward passes them.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Key, q.Key), cmp.Compare(p.ID, q.ID))
}

// PlaceOf returns where a record of c stands on a walk.
func (c Collection) PlaceOf(w Walk, r Record) Place {
	switch w.Order {
	case ByID:
	case ByCreated:
		return Place{TimeKey(r.Created), r.ID}
	case ByChanged:
		return Place{TimeKey(r.Changed), r.ID}
	case ByIndex:
		for _, x := range c.Indexes {
			if x.String() == w.Index {
				return Place{x.key(&subject{Record: r}).Key, r.ID}
			}
		}
	}
	return Place{ID: r.ID}
}

// A Query is what a list wants of a store.
type Query struct {
	Walk
	Where Predicate // nil stands for Nothing
	Words []string  // as ParseSearch returns them: the record has each, and a word that begins with the last; none: no search
	After Place
	Limit int // records at most; at or below 0: none
	Scan  int // records of the walk that may be looked at; at or below 0: no bound
}

// Widened returns the query along the walk of all records, with the owner as a condition.
func (q Query) Widened() Query {
	if q.Where != nil {
		q.Where = Both(OwnedBy{q.Owner}, q.Where)
	}
	q.Owner = ""
	return q
}

// PlanWalk chooses how to find the records of c for which where is True, in an order.
// An index serves an order that it has, or its exact reverse; fields that the condition
// fixes count in neither. It fails with ErrNotSorted where no index that is built serves
// the order.
func (c Collection) PlanWalk(where Predicate, order Sort) (Walk, error) {
	known := fixed(where)
	best, bestScore := Walk{}, -1
	switch {
	case len(order) == 0:
		best, bestScore = Walk{Owner: known.owner}, 0
	case len(order) == 1:
		if by, ok := map[string]Order{string(ColumnID): ByID, string(ColumnCreated): ByCreated, string(ColumnChanged): ByChanged}[order[0].Field]; ok {
			best, bestScore = Walk{Order: by, Backward: order[0].Descending, Owner: known.owner}, 0
		}
	}
	if known.owner != "" && bestScore == 0 {
		bestScore = 1
	}
	for _, x := range c.Indexes {
		if w, score := x.serve(known, order); score > bestScore {
			best, bestScore = w, score
		}
	}
	if bestScore < 0 {
		return Walk{}, ErrNotSorted
	}
	return best, nil
}

// A fixation is what a condition says of single fields.
type fixation struct {
	owner  AccountID
	equals map[string]any    // by field
	ranges map[string]limits // by field
}

// limits are the least and the greatest that a value may be. Whoever walks between
// them judges each record anyhow.
type limits struct{ low, high limit }

// A limit is at a value, or, if that is out, behind it; nil: there is none.
type limit struct {
	value any
	out   bool
}

// exact reports whether all that has the key of the value is the same as it.
func (l limit) exact() bool {
	switch v := l.value.(type) {
	case string:
		return len(v) < MaxKeyText
	case time.Time:
		return v.Nanosecond()%int(time.Microsecond) == 0
	}
	return true
}

func fixed(where Predicate) fixation {
	known := fixation{equals: make(map[string]any), ranges: make(map[string]limits)}
	for _, part := range Conjuncts(where) {
		switch p := part.(type) {
		case OwnedBy:
			known.owner = p.Account
			known.equals[string(ColumnOwner)] = string(p.Account)
		case Is:
			if field, ok := fieldOf(p.Term); ok {
				known.equals[field] = true
			}
		case Compare:
			known.note(p)
		}
	}
	return known
}

func (f fixation) note(p Compare) {
	field, left := fieldOf(p.Left)
	literal, fixes := p.Right.(Literal)
	if !left {
		field, left = fieldOf(p.Right)
		literal, fixes = p.Left.(Literal)
		if left && fixes && p.Op != Equal { // a literal at or below the field
			at := f.ranges[field]
			at.low = limit{literal.Value, p.Op == Less}
			f.ranges[field] = at
			return
		}
	}
	if !left || !fixes || literal.Value == nil {
		return
	}
	if p.Op == Equal {
		f.equals[field] = literal.Value
		return
	}
	at := f.ranges[field]
	at.high = limit{literal.Value, p.Op == Less}
	f.ranges[field] = at
}

// fieldOf returns the name by which an index knows a term.
func fieldOf(t Term) (string, bool) {
	switch t := t.(type) {
	case Member:
		name := ""
		for i, part := range t {
			if i > 0 {
				name += "."
			}
			name += part
		}
		k := SortKey{Field: name}
		m, ok := k.Term().(Member)
		return name, ok && sortable(name) && len(m) == len(t)
	case Column:
		return string(t), true
	}
	return "", false
}

// serve returns how x serves, and how well; below 0: not at all.
func (x Index) serve(known fixation, order Sort) (Walk, int) {
	if x.Building {
		return Walk{}, -1
	}
	w := Walk{Order: ByIndex, Index: x.String()}
	rest, score := x.Sort, 0
	var prefix []byte
	for len(rest) > 0 {
		v, ok := known.equals[rest[0].Field]
		if !ok {
			break
		}
		prefix = rest[0].encode(prefix, v)
		rest, score = rest[1:], score+4
	}
	free, wanted := x.Sort.without(known.equals), order.without(known.equals)
	// Without an order that of ids is meant: what an index has where all of its
	// fields are fixed.
	if len(wanted) > len(free) || len(order) == 0 && len(free) > 0 || free.byOwner() {
		return Walk{}, -1
	}
	for i, k := range wanted {
		reversed := k.Descending != free[i].Descending
		if k.Field != free[i].Field || i > 0 && reversed != w.Backward {
			return Walk{}, -1
		}
		w.Backward = reversed
	}
	w.Low, w.High = string(prefix), above(string(prefix))
	if len(rest) > 0 {
		if at, ok := known.ranges[rest[0].Field]; ok {
			score += w.narrow(rest[0], string(prefix), at)
		}
	}
	return w, score
}

// without returns s without the fields that are fixed.
func (s Sort) without(fixed map[string]any) Sort {
	return slices.DeleteFunc(slices.Clone(s), func(k SortKey) bool { _, ok := fixed[k.Field]; return ok })
}

// byOwner reports whether an owner that nothing fixes comes first. An account that
// is deleted leaves its records behind, where they stood.
func (s Sort) byOwner() bool { return len(s) > 0 && s[0].Field == string(ColumnOwner) }

// narrow bounds a walk by the limits of the field that follows the prefix.
func (w *Walk) narrow(k SortKey, prefix string, at limits) (score int) {
	low, high := at.low, at.high
	if k.Descending {
		low, high = high, low
	}
	// Many records may have the value at a limit, so those are walked past only where
	// they are wanted.
	if low.value != nil {
		w.Low, score = string(k.encode([]byte(prefix), low.value)), score+1
		if low.out && low.exact() {
			w.Low = above(w.Low)
		}
	}
	if high.value != nil {
		w.High, score = string(k.encode([]byte(prefix), high.value)), score+1
		if !high.out || !high.exact() {
			w.High = above(w.High)
		}
	}
	return score
}
