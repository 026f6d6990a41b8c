package sqlite

import "github.com/keyport-go/keyport/domain"

// A walk is the part of a statement that passes records r in an order, all by one
// index. The name of the collection is ?1.
type walk struct {
	gathered bool // they are not found in their order, but sorted

	each  string // the table that is passed
	one   string // the same, for the record whose id is t.record
	with  string // what is joined to it
	where string
	order string
}

func (w walk) steps() string { return " FROM " + w.each + w.with + " WHERE " + w.where }

func (w walk) sorted() string { return w.steps() + " ORDER BY " + w.order }

// found passes at most so many records before it looks at more of them than where they
// stand.
func (w walk) found(most string) string {
	return " FROM (SELECT r.rowid AS at, r.id AS id" + w.sorted() + " LIMIT " + most + ") passed CROSS JOIN records r ON r.rowid = passed.at"
}

// along renders the walk of a query behind its place.
func (w *rendering) along(q domain.Query) walk {
	if q.Order == domain.ByIndex {
		return w.alongIndex(q)
	}
	on := walk{each: "records r", one: "records r ON r.collection = ?1 AND r.id = t.record", where: "r.collection = ?1"}
	if q.Owner != "" {
		on.where += " AND r.owner = " + w.bind(q.Owner)
	}
	if on.gathered = q.Gathers(); on.gathered {
		on.each += " INDEXED BY records_by_owner"
	}
	beyond, direction := " > ", ""
	if q.Backward {
		beyond, direction = " < ", " DESC"
	}
	begun := q.After != domain.Place{}
	by := map[domain.Order]string{domain.ByCreated: "r.created", domain.ByChanged: "r.changed"}[q.Order]
	if by == "" {
		if begun {
			on.where += " AND r.id" + beyond + w.bind(q.After.ID)
		}
		on.order = "r.id" + direction
		return on
	}
	if begun {
		on.where += " AND (" + by + ", r.id)" + beyond + "(" + w.bind(micros(domain.KeyTime(q.After.Key))) + ", " + w.bind(q.After.ID) + ")"
	}
	on.order = by + direction + ", r.id" + direction
	return on
}

// alongIndex renders a walk by the rows of an index. SQLite follows one bound at either
// end, so of the walk's own and its place the narrower is given.
func (w *rendering) alongIndex(q domain.Query) walk {
	low, high, direction := "", "", ""
	if q.Backward {
		direction = " DESC"
	}
	begun := q.After != domain.Place{}
	switch {
	case begun && !q.Backward && q.After.Key >= q.Low:
		low = " AND (x.key, x.record) > " + w.place(q.After)
	case q.Low != "":
		low = " AND x.key >= " + w.bind([]byte(q.Low))
	}
	switch {
	case begun && q.Backward && (q.High == "" || q.After.Key < q.High):
		high = " AND (x.key, x.record) < " + w.place(q.After)
	case q.High != "":
		high = " AND x.key < " + w.bind([]byte(q.High))
	}
	owner := ""
	if q.Owner != "" {
		owner = " AND r.owner = " + w.bind(q.Owner)
	}
	return walk{
		each:  "record_index x",
		one:   "record_index x INDEXED BY record_index_by_record ON x.collection = ?1 AND x.record = t.record",
		with:  " CROSS JOIN records r ON r.collection = x.collection AND r.id = x.record AND r.revision = x.revision" + owner,
		where: "x.collection = ?1 AND x.name = " + w.bind(q.Index) + low + high,
		order: "x.key" + direction + ", x.record" + direction,
	}
}

func (w *rendering) place(p domain.Place) string {
	return "(" + w.bind([]byte(p.Key)) + ", " + w.bind(p.ID) + ")"
}

// tooBroad is, in place of the collection's revision, that the walk goes on beyond
// what may be looked at.
const tooBroad = -1

// listing renders the statement that finds what a query wants. Its first row is the
// revision of the collection, if there is such a collection; those of the records
// follow, without a revision; and the last is tooBroad, if that holds. SQLite works
// them out one after the other, so that whoever has enough stops it there. rare is what
// rareWord says of the words.
func listing(name domain.CollectionName, q domain.Query, rare int) (text string, args []any) {
	w := newRendering(name)
	text = "SELECT revision, NULL, NULL, NULL, NULL, NULL, NULL FROM collections WHERE name = ?1"
	if q.Limit <= 0 {
		return text, w.args
	}
	const columns = "SELECT NULL, r.id, r.owner, r.data, r.revision, r.created, r.changed"
	along := w.along(q)
	if rare >= 0 {
		along = w.narrow(along, q, rare)
	}
	switch {
	case along.gathered && rare < 0 && all(q):
		return text + " UNION ALL " + columns + along.found(w.bind(q.Limit)), w.args
	case rare >= 0 || all(q):
		return text + " UNION ALL SELECT * FROM (" + columns + along.sorted() + " LIMIT " + w.bind(q.Limit) + ") page", w.args
	}
	found, beyond := w.sift(along, q)
	text += " UNION ALL " + columns + found
	if beyond != "" {
		text += " UNION ALL SELECT -1, NULL, NULL, NULL, NULL, NULL, NULL" + beyond
	}
	return text + " LIMIT 1 + " + w.bind(q.Limit), w.args
}

// counting renders the statement that counts what a query wants: its rows are as those
// of listing, with the number in place of the records.
func counting(name domain.CollectionName, q domain.Query, rare int) (text string, args []any) {
	w := newRendering(name)
	text = "SELECT revision, NULL FROM collections WHERE name = ?1 UNION ALL SELECT NULL, count(*) FROM (SELECT 1"
	most := " LIMIT " + w.bind(max(q.Limit, 0)) + ") counted"
	along := w.along(q)
	switch {
	case rare >= 0:
		return text + w.narrow(along, q, rare).steps() + most, w.args
	case all(q) && along.gathered:
		return text + along.steps() + most, w.args
	case all(q):
		return text + along.sorted() + most, w.args
	}
	found, beyond := w.sift(along, q)
	text += found + most
	if beyond != "" {
		text += " UNION ALL SELECT -1, NULL" + beyond
	}
	return text, w.args
}

// all reports whether a query wants each record of its walk, as far as it goes.
func all(q domain.Query) bool {
	_, everything := q.Where.(domain.Everything)
	owned, byOwner := q.Where.(domain.OwnedBy)
	return len(q.Words) == 0 && (q.Scan <= 0 || q.Scan >= q.Limit) &&
		(everything || byOwner && owned.Account == q.Owner && q.Owner != "")
}

// sift renders the passing of as many records as may be looked at, with a condition on
// each; and, if there is such a bound, what has a row if there are more. A record whose
// words are not those that are wanted is passed by, without a look at its data.
func (w *rendering) sift(along walk, q domain.Query) (found, beyond string) {
	scan := -1 // no bound
	if q.Scan > 0 {
		scan = q.Scan
	}
	most := w.bind(scan)
	found = along.found(most) + " WHERE "
	if len(q.Words) > 0 {
		found += "EXISTS (SELECT 1 FROM record_texts t WHERE t.collection = ?1 AND t.record = passed.id AND " + w.worded(q.Words) + ") AND "
	}
	found += w.condition(q.Where)
	if q.Scan > 0 && !along.gathered { // or there are no more
		beyond = " FROM (SELECT 1" + along.sorted() + " LIMIT 1 OFFSET " + most + ") further"
	}
	return found, beyond
}

// narrow renders the records of a walk that a query wants, from among the few that have
// a rare word: each is looked up, and what is found is sorted. IS TRUE keeps SQLite from
// looking for each along the whole walk.
func (w *rendering) narrow(along walk, q domain.Query, rare int) walk {
	along.each = "record_texts t CROSS JOIN " + along.one
	along.where = "t.number IN (SELECT doc FROM record_terms WHERE " + w.spoken(q.Words, rare) + ") AND " + w.worded(q.Words) +
		" AND (" + along.where + ") IS TRUE AND " + w.condition(q.Where)
	return along
}

// hasMany reports whether the records of a walk would have to be gathered, and are more
// than may be looked at.
func hasMany(l *line, name domain.CollectionName, q domain.Query) (bool, error) {
	if !q.Gathers() || q.Scan <= 0 {
		return false, nil
	}
	found, err := l.one(`
		SELECT count(*) > ?3 FROM (
			SELECT 1 FROM records r INDEXED BY records_by_owner WHERE r.collection = ?1 AND r.owner = ?2 LIMIT ?3 + 1
		) counted`, name, q.Owner, q.Scan)
	if err != nil || found == nil {
		return false, err
	}
	return found.number(0) != 0, nil
}
