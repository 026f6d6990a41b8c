package postgres

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

// A search renders a domain.Query over the collection that is the first argument.
type search struct {
	with string // what stands before the statement

	// query has a row for each record that is found, with the columns of record that
	// are asked for, and whether the row is beyond: not of a record that was found,
	// but of the first behind those that may be looked at. Only where all of these
	// are looked at before the limit is reached is there such a row.
	query string
}

// record are the columns that a search can be asked for.
const record = ", w.key, w.id, w.owner, w.data, w.revision, w.created, w.changed"

// newSearch renders a query. Its bounds stand in the text and are no parameters: a
// plan that the server makes once for all could not know how little is wanted, and
// would sort.
func newSearch(args *arguments, c domain.CollectionName, q domain.Query, columns string) search {
	on := newWalk(args, q.Walk, q.After)
	walk := " FROM " + on.from + " WHERE " + on.where
	read := "SELECT " + recordColumns + ", " + on.key + " AS key"
	limit := " LIMIT " + strconv.Itoa(max(q.Limit, 0))
	if takesAll(q) {
		return search{query: "SELECT false AS beyond" + columns + " FROM (" + read + walk + " ORDER BY " + on.order + limit + ") w"}
	}
	scan := q.Scan
	if scan <= 0 {
		scan = math.MaxInt64 - 1
	}
	beyond := "w.step > " + strconv.Itoa(scan)
	where := condition{args: args}
	found := where.render(q.Where)
	read += strings.Join(append([]string{""}, where.members...), ", ")
	step := ", row_number() OVER (ORDER BY " + on.order + ") AS step"
	stretch := " ORDER BY " + on.order + " LIMIT " + strconv.Itoa(scan+1)
	var s search
	steps := read + step + walk + stretch
	if len(q.Words) > 0 {
		words := args.add(tsquery(c, q.Words), "text::tsquery")
		s.with = withFound(words)
		found = "w.heard AND " + found
		heard := "coalesce((SELECT f.words @@ " + words + " FROM record_words f WHERE f.collection = r.collection AND f.record = r.id), false)"
		// As with an owner's: the server is not asked whether it had better walk.
		rare := read + ", 0 AS step, true AS heard" + walk + " AND (SELECT so FROM few) AND r.id = ANY (ARRAY (SELECT record FROM found)) OFFSET 0"
		steps = "(SELECT * FROM (" + rare + ") w ORDER BY " + on.found + ")" +
			" UNION ALL (" + read + step + ", " + heard + " AS heard" + walk + " AND NOT (SELECT so FROM few)" + stretch + ")"
	}
	s.query = "SELECT " + beyond + " AS beyond" + columns + " FROM (" + steps + ") w WHERE " + beyond + " OR " + found + limit
	return s
}

// takesAll reports whether a query finds each record of its walk, until the limit is
// reached.
func takesAll(q domain.Query) bool {
	if len(q.Words) > 0 || q.Scan > 0 && q.Limit > q.Scan {
		return false
	}
	return !slices.ContainsFunc(domain.Conjuncts(q.Where), func(p domain.Predicate) bool {
		switch p := p.(type) {
		case domain.Everything:
			return false
		case domain.OwnedBy:
			return q.Owner == "" || q.Owner != p.Account
		}
		return true
	})
}

// withFound looks the words up, the collection's marker among them, and says whether few
// records have them all: then these are put into the order of the walk. Where more have
// them, whoever walks meets them soon.
func withFound(words string) string {
	rare := strconv.Itoa(domain.RareWord)
	return `
		WITH found AS MATERIALIZED (
			SELECT record FROM (SELECT collection, record FROM record_words WHERE words @@ ` + words + ` OFFSET 0) f
			WHERE collection = $1::text LIMIT ` + rare + `
		), few AS MATERIALIZED (
			SELECT count(*) < ` + rare + ` AS so FROM found
		)`
}

// tsquery asks for the words, and a word that begins with the last, in a collection
// (PostgreSQL manual, section 8.11.2).
func tsquery(c domain.CollectionName, words []string) string {
	quoted := []string{quote(marker + string(c))}
	for _, w := range words {
		quoted = append(quoted, quote(w))
	}
	return strings.Join(quoted, " & ") + ":*"
}

// marker stands before the name of a collection among words. No word has it.
const marker = "/"

func quote(lexeme string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(lexeme) + "'"
}

// within returns a query that passes no more records than may be looked at: that of all
// records, where an account has too many to gather them.
func (r records) within(ctx context.Context, c domain.CollectionRef, q domain.Query) (domain.Query, error) {
	if !q.Gathers() || q.Scan <= 0 {
		return q, nil
	}
	scan := strconv.Itoa(q.Scan)
	many, _, err := row(ctx, r.on, pgx.RowTo[bool], `
		SELECT count(*) > `+scan+`
		FROM (SELECT FROM records WHERE collection = $1::text AND owner = $2::uuid ORDER BY id LIMIT `+scan+` + 1) o`, string(c.Name), string(q.Owner))
	if many {
		q = q.Widened()
	}
	return q, err
}
