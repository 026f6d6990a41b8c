package fake

import (
	"slices"
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// A stop is one record on a walk.
type stop struct {
	domain.Place
	at place
}

// find returns what a query wants of a collection.
func (t *tables) find(name domain.CollectionName, q domain.Query) (list []domain.Record, err error) {
	if q.Gathers() && q.Scan > 0 && len(t.stops(name, domain.Walk{Owner: q.Owner})) > q.Scan {
		q = q.Widened()
	}
	stops := t.stops(name, q.Walk)
	slices.SortFunc(stops, func(a, b stop) int {
		if q.Backward {
			a, b = b, a
		}
		return a.Compare(b.Place)
	})
	if q.After != (domain.Place{}) {
		stops = slices.DeleteFunc(stops, func(s stop) bool {
			order := s.Compare(q.After)
			return order == 0 || order < 0 != q.Backward
		})
	}
	bounded := q.Scan > 0 && !t.rare(name, q.Words)
	for n, s := range stops {
		if len(list) >= q.Limit {
			break
		}
		if bounded && n == q.Scan {
			return nil, domain.ErrTooBroad
		}
		if rec := t.records[s.at]; t.filed[s.at].has(q.Words) && domain.Holds(q.Where, rec) {
			list = append(list, rec)
		}
	}
	return list, nil
}

// stops returns the records of a walk in no order.
func (t *tables) stops(name domain.CollectionName, w domain.Walk) (list []stop) {
	for at, rec := range t.records {
		if at.collection != name || w.Owner != "" && rec.Owner != w.Owner {
			continue
		}
		if key, ok := t.filed[at].key(w, rec); ok {
			list = append(list, stop{domain.Place{Key: key, ID: rec.ID}, at})
		}
	}
	return list
}

// A filing is what is kept of a record to find it by.
type filing struct {
	index []domain.IndexKey
	words []string
}

// key returns the key of a record's place on a walk; false if the walk passes it by.
func (f filing) key(w domain.Walk, rec domain.Record) (string, bool) {
	switch w.Order {
	case domain.ByCreated:
		return domain.TimeKey(rec.Created), true
	case domain.ByChanged:
		return domain.TimeKey(rec.Changed), true
	case domain.ByIndex:
		for _, k := range f.index {
			if k.Index == w.Index {
				return k.Key, k.Key >= w.Low && (w.High == "" || k.Key < w.High)
			}
		}
		return "", false
	default:
		return "", true
	}
}

// rare reports whether few words of a collection's records match one of some words.
func (t *tables) rare(name domain.CollectionName, words []string) bool {
	for i := range words {
		n := 0
		for at, f := range t.filed {
			if at.collection == name {
				n += f.matches(words, i)
			}
		}
		if n < domain.RareWord {
			return true
		}
	}
	return false
}

// has reports whether a record has all of the words.
func (f filing) has(words []string) bool {
	for i := range words {
		if f.matches(words, i) == 0 {
			return false
		}
	}
	return true
}

// matches returns how many words of a record match the word at i, which of the last
// all do that begin with it.
func (f filing) matches(words []string, i int) (n int) {
	last := i == len(words)-1
	for _, w := range f.words {
		if w == words[i] || last && strings.HasPrefix(w, words[i]) {
			n++
		}
	}
	return n
}
