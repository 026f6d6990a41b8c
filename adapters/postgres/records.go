package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type records struct{ on runner }

// recordColumns are what scanRecord reads of records r.
const recordColumns = `r.id, r.owner, r.data, r.revision, r.created, r.changed`

func (r records) Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error) {
	type line struct {
		current bool
		record  domain.Record
	}
	l, declared, err := row(ctx, r.on, func(r pgx.CollectableRow) (l line, err error) {
		l.record, err = scanRecord(r, &l.current)
		return l, err
	}, `
		SELECT c.revision = $2::bigint, `+recordColumns+`
		FROM collections c LEFT JOIN records r ON r.collection = $1::text AND r.id = $3::uuid
		WHERE c.name = $1::text`, string(c.Name), int64(c.Revision), string(id))
	switch {
	case err != nil:
		return domain.Record{}, err
	case !declared:
		return domain.Record{}, domain.ErrCollectionNotFound
	case !l.current:
		return domain.Record{}, domain.ErrCollectionChanged
	case l.record.ID == "":
		return domain.Record{}, domain.ErrRecordNotFound
	}
	return l.record, nil
}

// List walks one index from the place behind which it begins, and stops when the
// page is full.
func (r records) List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error) {
	type line struct {
		current bool
		beyond  *bool
		stop
	}
	q, err := r.within(ctx, c, q)
	if err != nil {
		return nil, err
	}
	args := arguments{string(c.Name), int64(c.Revision)}
	s := newSearch(&args, c.Name, q, record)
	lines, err := rows(ctx, r.on, func(r pgx.CollectableRow) (l line, err error) {
		var key []byte
		rec, err := scanRecord(r, &l.current, &l.beyond, &key)
		l.stop = stopAt(q.Walk, rec, key)
		return l, err
	}, s.with+`
		SELECT c.revision = $2::bigint, w.*
		FROM collections c LEFT JOIN LATERAL (`+s.query+`) w ON true
		WHERE c.name = $1::text`, args...)
	switch {
	case err != nil:
		return nil, err
	case len(lines) == 0:
		return nil, domain.ErrCollectionNotFound
	case !lines[0].current:
		return nil, domain.ErrCollectionChanged
	}
	var found []stop
	for _, l := range lines {
		if l.beyond != nil && *l.beyond {
			return nil, domain.ErrTooBroad
		}
		if l.record.ID != "" {
			found = append(found, l.stop)
		}
	}
	return inOrder(q.Walk, found), nil
}

func (r records) Count(ctx context.Context, c domain.CollectionRef, q domain.Query) (int, error) {
	type count struct {
		Current, Beyond bool
		Found           int
	}
	q, err := r.within(ctx, c, q)
	if err != nil {
		return 0, err
	}
	args := arguments{string(c.Name), int64(c.Revision)}
	s := newSearch(&args, c.Name, q, "")
	n, declared, err := row(ctx, r.on, pgx.RowToStructByPos[count], s.with+`
		SELECT c.revision = $2::bigint, n.beyond, n.found
		FROM collections c, LATERAL (
			SELECT count(*) AS found, coalesce(bool_or(w.beyond), false) AS beyond FROM (`+s.query+`) w
		) n
		WHERE c.name = $1::text`, args...)
	switch {
	case err != nil:
		return 0, err
	case !declared:
		return 0, domain.ErrCollectionNotFound
	case !n.Current:
		return 0, domain.ErrCollectionChanged
	case n.Beyond:
		return 0, domain.ErrTooBroad
	}
	return n.Found, nil
}

func (r records) Add(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	args := arguments{string(c.Name), int64(c.Revision), string(rec.ID), nullable(rec.Owner), rec.Data.Text(), micro(rec.Created), micro(rec.Changed)}
	return r.write(ctx, e, domain.ErrRecordExists, `
		WITH declared AS (
			SELECT revision = $2::bigint AS current FROM collections WHERE name = $1::text FOR SHARE
		), written AS (
			INSERT INTO records AS r (collection, id, owner, data, revision, created, changed)
			SELECT $1::text, $3::uuid, $4::uuid, $5::json, 1, $6::timestamptz, $7::timestamptz FROM declared WHERE current
			ON CONFLICT DO NOTHING
			RETURNING `+recordColumns+`
		)`+claim(&args, e.Unique)+file(&args, e)+tell(&args, domain.RecordCreated, e.Event, "NULL")+`
		SELECT current, true, EXISTS (SELECT FROM written),
			ARRAY (SELECT field FROM wanted EXCEPT SELECT field FROM keyed)
		FROM declared`, args)
}

// Replace asks for the revision twice, of the record as it was when the
// statement began and as it is once it is held: only if both are the one that is
// meant are the keys, which are not locked, those of the record. So does Remove.
func (r records) Replace(ctx context.Context, c domain.CollectionRef, rec domain.Record, e domain.Entries) error {
	args := arguments{string(c.Name), int64(c.Revision), string(rec.ID), int64(rec.Revision), rec.Data.Text(), micro(rec.Changed)}
	return r.write(ctx, e, domain.ErrStale, holdRecord+`, written AS (
			UPDATE records r SET data = $5::json, changed = $6::timestamptz, revision = r.revision + 1
			FROM held WHERE r.collection = $1::text AND r.id = held.id AND r.revision = $4::bigint
			RETURNING `+recordColumns+`, held.before
		)`+claim(&args, e.Unique)+`, kept AS (
			SELECT k.field, k.digest FROM record_keys k JOIN wanted USING (field, digest)
			WHERE k.collection = $1::text AND k.record = $3::uuid
		), freed AS (
			DELETE FROM record_keys k USING written
			WHERE k.collection = $1::text AND k.record = written.id
				AND NOT EXISTS (SELECT FROM kept WHERE (kept.field, kept.digest) = (k.field, k.digest))
		)`+file(&args, e)+unfile(e)+tell(&args, domain.RecordChanged, e.Event, "before")+`
		SELECT current, EXISTS (SELECT FROM held), EXISTS (SELECT FROM written),
			ARRAY (SELECT field FROM wanted EXCEPT SELECT field FROM keyed EXCEPT SELECT field FROM kept)
		FROM declared`, args)
}

func (r records) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision, event time.Time) error {
	args := arguments{string(c.Name), int64(c.Revision), string(id), int64(rev)}
	return r.write(ctx, domain.Entries{Event: event}, domain.ErrStale, holdRecord+`, written AS (
			DELETE FROM records r USING held
			WHERE r.collection = $1::text AND r.id = held.id AND r.revision = $4::bigint
			RETURNING `+recordColumns+`
		), freed AS (
			DELETE FROM record_keys k USING written WHERE k.collection = $1::text AND k.record = written.id
		)`+unfile(domain.Entries{})+tell(&args, domain.RecordDeleted, event, "NULL")+`
		SELECT current, EXISTS (SELECT FROM held), EXISTS (SELECT FROM written), ARRAY[]::text[]
		FROM declared`, args)
}

// holdRecord holds a collection, and one record of it if the collection is the
// one that is meant.
const holdRecord = `
		WITH declared AS (
			SELECT revision = $2::bigint AS current FROM collections WHERE name = $1::text FOR SHARE
		), held AS (
			SELECT r.id, r.data AS before FROM declared d JOIN records r ON d.current AND r.collection = $1::text AND r.id = $3::uuid
			FOR UPDATE OF r
		)`

// write runs a statement that holds a collection and writes one record of it with
// its entries. It fails with refusal if the record could not be written. Where
// unique keys are written they may turn out to be taken when the record already is,
// so what was written is undone.
func (r records) write(ctx context.Context, e domain.Entries, refusal error, sql string, args arguments) (err error) {
	if len(e.Unique) == 0 {
		err = judge(ctx, r.on, e.Unique, refusal, sql, args)
	} else {
		err = r.on.unit(ctx, func(in runner) error { return judge(ctx, in, e.Unique, refusal, sql, args) })
	}
	if err == nil && !e.Event.IsZero() {
		r.on.posted()
	}
	return err
}

// A judgement is the row of a statement that writes a record; where there is no
// collection, it gives none.
type judgement struct {
	Current bool     // the collection is the one that was meant
	Found   bool     // there is a record, or none is needed
	Written bool     // the record was written
	Taken   []string // the fields in which another record has the same value
}

func judge(ctx context.Context, on runner, keys []domain.UniqueKey, refusal error, sql string, args arguments) error {
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
