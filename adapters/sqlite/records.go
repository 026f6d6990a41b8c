package sqlite

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

type records struct{ lines lines }

// selectRecords reads a collection's revision with its records: one row at
// least, if there is such a collection. The caller adds what the records are to
// be, and binds ?1 to the name.
const selectRecords = `
	SELECT c.revision, r.id, r.owner, r.data, r.revision, r.created, r.changed
	FROM collections c LEFT JOIN records r ON r.collection = c.name AND `

func (r records) Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error) {
	found, err := r.some(ctx, c, selectRecords+`r.id = ?2 WHERE c.name = ?1`, c.Name, id)
	if err != nil {
		return domain.Record{}, err
	}
	if len(found) == 0 {
		return domain.Record{}, domain.ErrRecordNotFound
	}
	return found[0], nil
}

func (r records) List(ctx context.Context, c domain.CollectionRef, p domain.Predicate, after domain.RecordID, limit int) ([]domain.Record, error) {
	if limit <= 0 {
		limit, p = 1, domain.Nothing{} // still a row, if there is such a collection
	}
	condition, args := where(p)
	return r.some(ctx, c, selectRecords+`r.id > ?2 AND `+condition+` WHERE c.name = ?1 ORDER BY r.id LIMIT ?3`,
		append([]any{c.Name, after, limit}, args...)...)
}

func (r records) Add(ctx context.Context, c domain.CollectionRef, record domain.Record, keys []domain.UniqueKey) error {
	return r.lines.write(ctx, func(l *line) error {
		// An owner who is gone by now owns nothing.
		n, err := l.exec(`
			INSERT INTO records (collection, id, owner, data, revision, created, changed)
			SELECT c.name, ?3, (SELECT id FROM accounts WHERE id = ?4), ?5, 1, ?6, ?7
			FROM collections c WHERE c.name = ?1 AND c.revision = ?2`,
			c.Name, c.Revision, record.ID, record.Owner, record.Data.Text(), micros(record.Created), micros(record.Changed))
		if err != nil {
			return err
		}
		if n == 0 {
			return refused(l, c, record.ID)
		}
		return claim(l, c.Name, record.ID, keys)
	})
}

func (r records) Replace(ctx context.Context, c domain.CollectionRef, record domain.Record, keys []domain.UniqueKey) error {
	const (
		replace = `
			UPDATE records SET data = ?5, changed = ?6, revision = revision + 1
			WHERE collection = ?1 AND id = ?3 AND revision = ?4
			  AND EXISTS (SELECT 1 FROM collections WHERE name = ?1 AND revision = ?2)`
		keyless = ` AND NOT EXISTS (SELECT 1 FROM record_keys WHERE collection = ?1 AND record = ?3)`
	)
	args := []any{c.Name, c.Revision, record.ID, record.Revision, record.Data.Text(), micros(record.Changed)}
	return r.lines.write(ctx, func(l *line) error {
		if len(keys) == 0 {
			// Nearly always it had none either, and this is all there is to do.
			if n, err := l.exec(replace+keyless, args...); err != nil || n > 0 {
				return err
			}
		}
		n, err := l.exec(replace, args...)
		if err != nil {
			return err
		}
		if n == 0 {
			return refused(l, c, record.ID)
		}
		if _, err := l.exec(`DELETE FROM record_keys WHERE collection = ? AND record = ?`, c.Name, record.ID); err != nil {
			return err
		}
		return claim(l, c.Name, record.ID, keys)
	})
}

func (r records) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`
			DELETE FROM records
			WHERE collection = ?1 AND id = ?3 AND revision = ?4
			  AND EXISTS (SELECT 1 FROM collections WHERE name = ?1 AND revision = ?2)`,
			c.Name, c.Revision, id, rev)
		if err == nil && n == 0 {
			err = refused(l, c, id)
		}
		return err
	})
}

// claim takes the unique keys for a record, or names every one that another
// record has.
func claim(l *line, name domain.CollectionName, id domain.RecordID, keys []domain.UniqueKey) error {
	var taken []string
	for _, k := range keys {
		n, err := l.exec(`
			INSERT INTO record_keys (collection, field, digest, record) VALUES (?, ?, ?, ?)
			ON CONFLICT (collection, field, digest) DO NOTHING`,
			name, k.Field, k.Digest[:], id)
		if err != nil {
			return err
		}
		if n == 0 {
			taken = append(taken, k.Field)
		}
	}
	if taken != nil {
		return domain.NotUnique(taken...)
	}
	return nil
}

// refused says why a conditional write of a record found nothing to write.
func refused(l *line, c domain.CollectionRef, id domain.RecordID) error {
	found, err := l.one(`
		SELECT c.revision, r.revision
		FROM collections c LEFT JOIN records r ON r.collection = c.name AND r.id = ?2
		WHERE c.name = ?1`, c.Name, id)
	switch {
	case err != nil:
		return err
	case found == nil:
		return domain.ErrCollectionNotFound
	case domain.Revision(found.number(0)) != c.Revision:
		return domain.ErrCollectionChanged
	case found.null(1):
		return domain.ErrRecordNotFound
	}
	return domain.ErrStale
}

// some runs a query of selectRecords and checks the collection.
func (r records) some(ctx context.Context, c domain.CollectionRef, query string, args ...any) ([]domain.Record, error) {
	var page []domain.Record
	err := r.lines.read(ctx, func(l *line) error {
		known := false
		err := l.rows(ctx, func(v row) error {
			known = true
			if domain.Revision(v.number(0)) != c.Revision {
				return domain.ErrCollectionChanged
			}
			if !v.null(1) {
				page = append(page, readRecord(v))
			}
			return nil
		}, query, args...)
		if err == nil && !known {
			err = domain.ErrCollectionNotFound
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// readRecord reads a row of selectRecords.
func readRecord(v row) domain.Record {
	return domain.Record{
		ID:       domain.RecordID(v.text(1)),
		Owner:    domain.AccountID(v.text(2)),
		Data:     domain.RestoreDocument(v.text(3)),
		Revision: domain.Revision(v.number(4)),
		Created:  v.time(5),
		Changed:  v.time(6),
	}
}
