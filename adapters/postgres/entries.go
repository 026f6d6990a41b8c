package postgres

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// The functions below return further parts of a statement that writes a record: it
// has the collection as its first argument, and a part "written" with the record as
// it is, or was at last. What there is nothing to write of makes no part.

// claim writes the unique keys that are wanted and not taken.
func claim(args *arguments, keys []domain.UniqueKey) string {
	fields, digests := make([]string, len(keys)), make([][]byte, len(keys))
	for i := range keys {
		fields[i], digests[i] = keys[i].Field, keys[i].Digest[:]
	}
	return `, wanted AS (
			SELECT field, digest FROM unnest(` + args.add(fields, "text[]") + `, ` + args.add(digests, "bytea[]") + `) AS k (field, digest)
		), keyed AS (
			INSERT INTO record_keys (collection, field, digest, record)
			SELECT $1::text, wanted.field, wanted.digest, written.id FROM written, wanted ORDER BY wanted.field
			ON CONFLICT DO NOTHING
			RETURNING field
		)`
}

// file writes where the record stands in indexes, and its words.
func file(args *arguments, e domain.Entries) (parts string) {
	if len(e.Index) > 0 {
		names, keys := make([]string, len(e.Index)), make([][]byte, len(e.Index))
		for i, x := range e.Index {
			names[i], keys[i] = x.Index, []byte(x.Key)
		}
		parts += `, filed AS (
			SELECT w.id, w.revision, x.name, x.key
			FROM written w, unnest(` + args.add(names, "text[]") + `, ` + args.add(keys, "bytea[]") + `) AS x (name, key)
		)` + writeIndex
	}
	if len(e.Words) > 0 {
		parts += `, heard AS (
			SELECT id, ` + args.add(strings.Join(e.Words, " "), "text") + ` AS words FROM written
		)` + writeWords
	}
	return parts
}

// writeIndex and writeWords write rows that may be there from before.
const (
	writeIndex = `, indexed AS (
			INSERT INTO record_index (collection, name, key, record, revision)
			SELECT $1::text, name, key, id, revision FROM filed
			ON CONFLICT (collection, name, key, record) DO UPDATE SET revision = excluded.revision
		)`
	writeWords = `, worded AS (
			INSERT INTO record_words AS w (collection, record, words)
			SELECT $1::text, id, array_to_tsvector(string_to_array(words, ' ') || ('` + marker + `' || $1::text)) FROM heard
			ON CONFLICT (collection, record) DO UPDATE SET words = excluded.words WHERE w.words <> excluded.words
		)`
)

// unfile takes away what the record had in indexes, and its words, but for what file
// has written.
func unfile(e domain.Entries) string {
	parts := `, unindexed AS (
			DELETE FROM record_index x USING written w WHERE x.collection = $1::text AND x.record = w.id`
	if len(e.Index) > 0 {
		parts += ` AND NOT EXISTS (SELECT FROM filed f WHERE (f.name, f.key) = (x.name, x.key))`
	}
	parts += `
		)`
	if len(e.Words) == 0 {
		parts += `, unworded AS (
			DELETE FROM record_words x USING written w WHERE x.collection = $1::text AND x.record = w.id
		)`
	}
	return parts
}

// tell writes an event of the time at, if that is not zero.
func tell(args *arguments, kind domain.EventKind, at time.Time, before string) string {
	if at.IsZero() {
		return ""
	}
	return `, told AS (
			INSERT INTO record_events (kind, collection, record, owner, data, before, revision, created, changed, at)
			SELECT ` + args.add(string(kind), "text") + `, $1::text, id, owner, data, ` + before + `, revision, created, changed, ` + args.add(micro(at), "timestamptz") + `
			FROM written
		)`
}

// Enter holds the records in the order of their ids, as one does who waits for
// another that does the same. The revision is judged once they are held. Each is looked
// up by itself: the server cannot come to think that it had better read all.
func (r records) Enter(ctx context.Context, c domain.CollectionRef, filings []ports.Filing) error {
	filings = slices.SortedFunc(slices.Values(filings), func(a, b ports.Filing) int { return cmp.Compare(a.ID, b.ID) })
	ids, revisions, words := make([]string, len(filings)), make([]int64, len(filings)), make([]string, len(filings))
	records, names, keys := []string{}, []string{}, [][]byte{}
	for i, f := range filings {
		ids[i], revisions[i], words[i] = string(f.ID), int64(f.Revision), strings.Join(f.Entries.Words, " ")
		for _, x := range f.Entries.Index {
			records, names, keys = append(records, string(f.ID)), append(names, x.Index), append(keys, []byte(x.Key))
		}
	}
	return judge(ctx, r.on, nil, nil, `
		WITH declared AS (
			SELECT revision = $2::bigint AS current FROM collections WHERE name = $1::text FOR SHARE
		), held AS (
			SELECT r.id, r.revision, f.words
			FROM declared d
			JOIN unnest($3::text[]::uuid[], $4::bigint[], $5::text[]) AS f (id, revision, words) ON d.current
			CROSS JOIN LATERAL (
				SELECT o.id, o.revision FROM records o
				WHERE o.collection = $1::text AND o.id = f.id AND o.revision = f.revision
				FOR UPDATE
			) r
		), filed AS (
			SELECT h.id, h.revision, x.name, x.key
			FROM held h JOIN unnest($6::text[]::uuid[], $7::text[], $8::bytea[]) AS x (id, name, key) ON x.id = h.id
		), heard AS (
			SELECT id, words FROM held WHERE words <> ''
		), unindexed AS (
			DELETE FROM record_index x
			WHERE x.collection = $1::text AND x.record = ANY (ARRAY (SELECT id FROM held))
				AND NOT EXISTS (SELECT FROM filed f WHERE (f.id, f.name, f.key) = (x.record, x.name, x.key))
		), unworded AS (
			DELETE FROM record_words x
			WHERE x.collection = $1::text AND x.record = ANY (ARRAY (SELECT id FROM held WHERE words = ''))
		)`+writeIndex+writeWords+`
		SELECT current, true, true, ARRAY[]::text[] FROM declared`,
		arguments{string(c.Name), int64(c.Revision), ids, revisions, words, records, names, keys})
}
