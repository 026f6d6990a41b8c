package postgres

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type records struct{ on runner }

// recordColumns are what scanRecord reads of records r.
const recordColumns = `r.id, r.owner, r.data, r.revision, r.created, r.changed`

func (r records) Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error) {
	found, err := r.read(ctx, `
		SELECT c.revision = $2::bigint, `+recordColumns+`
		FROM collections c LEFT JOIN records r ON r.collection = $1::text AND r.id = $3::uuid
		WHERE c.name = $1::text`, string(c.Name), int64(c.Revision), string(id))
	if err != nil {
		return domain.Record{}, err
	}
	if len(found) == 0 {
		return domain.Record{}, domain.ErrRecordNotFound
	}
	return found[0], nil
}

// List walks one index from the place after which it begins, and stops when the
// page is full.
func (r records) List(ctx context.Context, c domain.CollectionRef, where domain.Predicate, after domain.RecordID, limit int) ([]domain.Record, error) {
	args := []any{string(c.Name), int64(c.Revision), int64(limit)}
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	condition := ""
	switch p := where.(type) {
	case domain.Everything:
	case domain.OwnedBy:
		condition = ` AND owner = ` + arg(nullable(p.Account)) + `::uuid`
	default:
		condition = ` AND false`
	}
	if after != "" {
		condition += ` AND id > ` + arg(string(after)) + `::uuid`
	}
	page, err := r.read(ctx, `
		SELECT c.revision = $2::bigint, `+recordColumns+`
		FROM collections c LEFT JOIN LATERAL (
			SELECT id, owner, data, revision, created, changed FROM records
			WHERE collection = $1::text`+condition+`
			ORDER BY id LIMIT $3::bigint
		) r ON true
		WHERE c.name = $1::text`, args...)
	// The join keeps the order, but SQL does not promise it; and ORDER BY would
	// have the server sort what is sorted.
	slices.SortFunc(page, func(a, b domain.Record) int { return cmp.Compare(a.ID, b.ID) })
	return page, err
}

// read runs a statement that gives a row for each record, or one without a
// record, each beginning with whether the collection is still the one that was
// meant; and no row where there is no collection.
func (r records) read(ctx context.Context, sql string, args ...any) (found []domain.Record, err error) {
	type line struct {
		current bool
		record  domain.Record
	}
	lines, err := rows(ctx, r.on, func(r pgx.CollectableRow) (l line, err error) {
		l.record, err = scanRecord(r, &l.current)
		return l, err
	}, sql, args...)
	switch {
	case err != nil:
		return nil, err
	case len(lines) == 0:
		return nil, domain.ErrCollectionNotFound
	case !lines[0].current:
		return nil, domain.ErrCollectionChanged
	}
	for _, l := range lines {
		if l.record.ID != "" {
			found = append(found, l.record)
		}
	}
	return found, nil
}

func (r records) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	fields, digests := spread(keys)
	return r.write(ctx, keys, domain.ErrRecordExists, `
		WITH declared AS (
			SELECT revision = $2::bigint AS current FROM collections WHERE name = $1::text FOR SHARE
		), written AS (
			INSERT INTO records (collection, id, owner, data, revision, created, changed)
			SELECT $1::text, $3::uuid, $4::uuid, $5::json, 1, $6::timestamptz, $7::timestamptz FROM declared WHERE current
			ON CONFLICT DO NOTHING
			RETURNING id
		), wanted AS (
			SELECT field, digest FROM unnest($8::text[], $9::bytea[]) AS k (field, digest)
		), keyed AS (
			INSERT INTO record_keys (collection, field, digest, record)
			SELECT $1::text, wanted.field, wanted.digest, written.id FROM written, wanted ORDER BY wanted.field
			ON CONFLICT DO NOTHING
			RETURNING field
		)
		SELECT current, true, EXISTS (SELECT FROM written),
			ARRAY (SELECT field FROM wanted EXCEPT SELECT field FROM keyed)
		FROM declared`,
		string(c.Name), int64(c.Revision), string(rec.ID), nullable(rec.Owner), rec.Data.Text(), micro(rec.Created), micro(rec.Changed),
		fields, digests)
}

// Replace asks for the revision twice, of the record as it was when the
// statement began and as it is once it is held: only if both are the one that is
// meant are the keys, which are not locked, those of the record. So does Remove.
func (r records) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, keys []domain.UniqueKey) error {
	fields, digests := spread(keys)
	return r.write(ctx, keys, domain.ErrStale, holdRecord+`, written AS (
			UPDATE records r SET data = $5::json, changed = $6::timestamptz, revision = r.revision + 1
			FROM held WHERE r.collection = $1::text AND r.id = held.id AND r.revision = $4::bigint
			RETURNING r.id
		), wanted AS (
			SELECT field, digest FROM unnest($7::text[], $8::bytea[]) AS k (field, digest)
		), kept AS (
			SELECT k.field, k.digest FROM record_keys k JOIN wanted USING (field, digest)
			WHERE k.collection = $1::text AND k.record = $3::uuid
		), freed AS (
			DELETE FROM record_keys k USING written
			WHERE k.collection = $1::text AND k.record = written.id
				AND NOT EXISTS (SELECT FROM kept WHERE (kept.field, kept.digest) = (k.field, k.digest))
		), keyed AS (
			INSERT INTO record_keys (collection, field, digest, record)
			SELECT $1::text, wanted.field, wanted.digest, written.id FROM written, wanted ORDER BY wanted.field
			ON CONFLICT DO NOTHING
			RETURNING field
		)
		SELECT current, EXISTS (SELECT FROM held), EXISTS (SELECT FROM written),
			ARRAY (SELECT field FROM wanted EXCEPT SELECT field FROM keyed EXCEPT SELECT field FROM kept)
		FROM declared`,
		string(c.Name), int64(c.Revision), string(rec.ID), int64(rec.Revision), rec.Data.Text(), micro(rec.Changed), fields, digests)
}

func (r records) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision) error {
	return r.write(ctx, nil, domain.ErrStale, holdRecord+`, written AS (
			DELETE FROM records r USING held
			WHERE r.collection = $1::text AND r.id = held.id AND r.revision = $4::bigint
			RETURNING r.id
		), freed AS (
			DELETE FROM record_keys k USING written WHERE k.collection = $1::text AND k.record = written.id
		)
		SELECT current, EXISTS (SELECT FROM held), EXISTS (SELECT FROM written), ARRAY[]::text[]
		FROM declared`,
		string(c.Name), int64(c.Revision), string(id), int64(rev))
}

// holdRecord holds a collection, and one record of it if the collection is the
// one that is meant.
const holdRecord = `
		WITH declared AS (
			SELECT revision = $2::bigint AS current FROM collections WHERE name = $1::text FOR SHARE
		), held AS (
			SELECT r.id FROM declared d JOIN records r ON d.current AND r.collection = $1::text AND r.id = $3::uuid
			FOR UPDATE OF r
		)`

// write runs a statement that holds a collection and writes one record of it with
// its keys. It fails with refusal if the record could not be written. Where keys
// are written they may turn out to be taken when the record already is, so what
// was written is undone.
func (r records) write(ctx context.Context, keys []domain.UniqueKey, refusal error, sql string, args ...any) error {
	if len(keys) == 0 {
		return judge(ctx, r.on, keys, refusal, sql, args...)
	}
	return r.on.unit(ctx, func(in runner) error { return judge(ctx, in, keys, refusal, sql, args...) })
}

// A judgement is the row of a statement that writes a record; where there is no
// collection, it gives none.
type judgement struct {
	Current bool     // the collection is the one that was meant
	Found   bool     // there is a record, or none is needed
	Written bool     // the record was written
	Taken   []string // the fields in which another record has the same value
}

func judge(ctx context.Context, on runner, keys []domain.UniqueKey, refusal error, sql string, args ...any) error {
	j, declared, err := row(ctx, on, pgx.RowToStructByPos[judgement], sql, args...)
	switch {
	case err != nil:
		return err
	case !declared:
		return domain.ErrCollectionNotFound
	case !j.Current:
		return domain.ErrCollectionChanged
	case !j.Found:
		return domain.ErrRecordNotFound
	case !j.Written:
		return refusal
	case len(j.Taken) == 0:
		return nil
	}
	var fields []string // in the order in which they are declared
	for _, k := range keys {
		if slices.Contains(j.Taken, k.Field) {
			fields = append(fields, k.Field)
		}
	}
	return domain.NotUnique(fields...)
}

// spread returns keys as the two columns that they are.
func spread(keys []domain.UniqueKey) (fields []string, digests [][]byte) {
	fields, digests = make([]string, len(keys)), make([][]byte, len(keys))
	for i := range keys {
		fields[i], digests[i] = keys[i].Field, keys[i].Digest[:]
	}
	return fields, digests
}

// scanRecord reads whatever columns come before and then recordColumns, which
// are null if there is no record: then the id is "".
func scanRecord(r pgx.CollectableRow, before ...any) (domain.Record, error) {
	var id, owner, data *string
	var revision *int64
	var created, changed *time.Time
	if err := r.Scan(append(before, &id, &owner, &data, &revision, &created, &changed)...); err != nil || id == nil {
		return domain.Record{}, err
	}
	rec := domain.Record{
		ID: domain.RecordID(*id), Data: domain.RestoreDocument(*data), Revision: domain.Revision(*revision),
		Created: created.UTC(), Changed: changed.UTC(),
	}
	if owner != nil {
		rec.Owner = domain.AccountID(*owner)
	}
	return rec, nil
}
