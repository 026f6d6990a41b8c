package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

type records struct{ lines lines }

func (r records) Get(ctx context.Context, c domain.CollectionRef, id domain.RecordID) (domain.Record, error) {
	var found []domain.Record
	err := r.lines.read(ctx, func(l *line) error {
		return answered(c, collect(&found), func(visit func(row) error) error {
			return l.rows(ctx, visit, `
				SELECT revision, NULL, NULL, NULL, NULL, NULL, NULL FROM collections WHERE name = ?1
				UNION ALL
				SELECT NULL, id, owner, data, revision, created, changed FROM records WHERE collection = ?1 AND id = ?2`, c.Name, id)
		})
	})
	switch {
	case err != nil:
		return domain.Record{}, err
	case len(found) == 0:
		return domain.Record{}, domain.ErrRecordNotFound
	}
	return found[0], nil
}

func (r records) List(ctx context.Context, c domain.CollectionRef, q domain.Query) ([]domain.Record, error) {
	var page []domain.Record
	if err := r.find(ctx, c, q, listing, collect(&page)); err != nil {
		return nil, err
	}
	return page, nil
}

func (r records) Count(ctx context.Context, c domain.CollectionRef, q domain.Query) (int, error) {
	var n int
	enough := errors.New("sqlite: as many as were asked for")
	count := func(v row) error {
		if n = int(v.number(1)); n >= q.Limit {
			return enough
		}
		return nil
	}
	if err := r.find(ctx, c, q, counting, count); err != nil && !errors.Is(err, enough) {
		return 0, err
	}
	return n, nil
}

// find visits what a query wants, by a statement of listing or of counting.
func (r records) find(ctx context.Context, c domain.CollectionRef, q domain.Query,
	render func(name domain.CollectionName, q domain.Query, rare int) (text string, args []any), visit func(row) error,
) error {
	return r.lines.read(ctx, func(l *line) error {
		rare, err := rareWord(ctx, l, c.Name, q.Words)
		if err != nil {
			return err
		}
		q := q
		if many, err := hasMany(l, c.Name, q); err != nil {
			return err
		} else if many {
			q = q.Widened()
		}
		text, args := render(c.Name, q, rare)
		return answered(c, visit, func(visit func(row) error) error {
			return l.found(ctx, visit, text, args...)
		})
	})
}

func (r records) Add(ctx context.Context, c domain.CollectionRef, record domain.Record, e domain.Entries) error {
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
		if err := claim(l, c.Name, record.ID, e.Unique); err != nil {
			return err
		}
		if err := file(l, c.Name, record.ID, 1, e, entered{}); err != nil {
			return err
		}
		return tell(l, domain.RecordCreated, c.Name, record.ID, e.Event)
	})
}

// AddAll is as durable as Add, and quicker by the savepoints that it does not need: what
// is refused is found out before anything of it is written, or taken back.
func (r records) AddAll(ctx context.Context, c domain.CollectionRef, all []ports.Newcomer) (refusals []error, err error) {
	err = r.lines.write(ctx, func(l *line) error {
		refusals = make([]error, len(all))
		found, err := l.one(`SELECT revision FROM collections WHERE name = ?`, c.Name)
		switch {
		case err != nil:
			return err
		case found == nil:
			return domain.ErrCollectionNotFound
		case domain.Revision(found.number(0)) != c.Revision:
			return domain.ErrCollectionChanged
		}
		for i, n := range all {
			if err := ctx.Err(); err != nil {
				return err
			}
			if refusals[i], err = take(l, c.Name, n.Record, n.Entries); err != nil {
				return err
			}
		}
		return nil
	})
	return refusals, err
}

// take adds a record, or returns why it leaves none.
func take(l *line, name domain.CollectionName, r domain.Record, e domain.Entries) (refusal, err error) {
	n, err := l.exec(`
		INSERT INTO records (collection, id, owner, data, revision, created, changed)
		VALUES (?1, ?2, (SELECT id FROM accounts WHERE id = ?3), ?4, 1, ?5, ?6)
		ON CONFLICT (collection, id) DO NOTHING`,
		name, r.ID, r.Owner, r.Data.Text(), micros(r.Created), micros(r.Changed))
	switch {
	case err != nil:
		return nil, err
	case n == 0:
		return domain.ErrRecordExists, nil
	}
	refusal = claim(l, name, r.ID, e.Unique)
	if errors.Is(refusal, domain.ErrNotUnique) {
		_, err := l.exec(`DELETE FROM records WHERE collection = ? AND id = ?`, name, r.ID) // and its keys
		return refusal, err
	}
	if refusal != nil {
		return nil, refusal
	}
	if err := file(l, name, r.ID, 1, e, entered{}); err != nil {
		return nil, err
	}
	return nil, tell(l, domain.RecordCreated, name, r.ID, e.Event)
}

func (r records) Replace(ctx context.Context, c domain.CollectionRef, record domain.Record, e domain.Entries) error {
	return r.lines.write(ctx, func(l *line) error {
		if err := tellChange(l, c.Name, record, e.Event); err != nil {
			return err
		}
		found, err := l.one(`
			UPDATE records SET data = ?5, changed = ?6, revision = revision + 1
			WHERE collection = ?1 AND id = ?3 AND revision = ?4
			  AND EXISTS (SELECT 1 FROM collections WHERE name = ?1 AND revision = ?2)
			RETURNING revision, `+entries(`?1`, `?3`),
			c.Name, c.Revision, record.ID, record.Revision, record.Data.Text(), micros(record.Changed))
		if err != nil {
			return err
		}
		if found == nil {
			return refused(l, c, record.ID)
		}
		has := readEntered(found[1:])
		if has.keys {
			if _, err := l.exec(`DELETE FROM record_keys WHERE collection = ? AND record = ?`, c.Name, record.ID); err != nil {
				return err
			}
		}
		if err := claim(l, c.Name, record.ID, e.Unique); err != nil {
			return err
		}
		return file(l, c.Name, record.ID, domain.Revision(found.number(0)), e, has)
	})
}

func (r records) Remove(ctx context.Context, c domain.CollectionRef, id domain.RecordID, rev domain.Revision, event time.Time) error {
	return r.lines.write(ctx, func(l *line) error {
		if err := tell(l, domain.RecordDeleted, c.Name, id, event); err != nil {
			return err
		}
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

func (r records) Enter(ctx context.Context, c domain.CollectionRef, filings []ports.Filing) error {
	ids := make([]domain.RecordID, len(filings))
	for i, f := range filings {
		ids[i] = f.ID
	}
	type stand struct {
		revision domain.Revision
		has      entered
	}
	return r.lines.write(ctx, func(l *line) error {
		standing := make(map[domain.RecordID]stand, len(ids))
		err := answered(c, func(v row) error {
			standing[domain.RecordID(v.text(1))] = stand{domain.Revision(v.number(2)), readEntered(v[3:])}
			return nil
		}, func(visit func(row) error) error {
			return l.rows(ctx, visit, `
				SELECT revision, NULL, NULL, NULL, NULL, NULL FROM collections WHERE name = ?1
				UNION ALL
				SELECT NULL, r.id, r.revision, `+entries(`?1`, `r.id`)+`
				FROM json_each(?2) asked CROSS JOIN records r ON r.collection = ?1 AND r.id = asked.value`, c.Name, list(ids))
		})
		if err != nil {
			return err
		}
		for _, f := range filings {
			if err := ctx.Err(); err != nil {
				return err
			}
			stored, stands := standing[f.ID]
			if !stands || stored.revision != f.Revision {
				continue
			}
			if err := file(l, c.Name, f.ID, f.Revision, f.Entries, stored.has); err != nil {
				return err
			}
			stored.has.index, stored.has.words = true, true // should it come again
			standing[f.ID] = stored
		}
		return nil
	})
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

// answered runs a statement in the manner of listing, and has the rows visited that are
// about records.
func answered(c domain.CollectionRef, visit func(row) error, run func(visit func(row) error) error) error {
	known := false
	err := run(func(v row) error {
		switch {
		case v.null(0) && known:
			return visit(v)
		case v.null(0): // a number of no collection's records
			return domain.ErrCollectionNotFound
		case v.number(0) == tooBroad:
			return domain.ErrTooBroad
		case domain.Revision(v.number(0)) != c.Revision:
			return domain.ErrCollectionChanged
		}
		known = true
		return nil
	})
	if err == nil && !known {
		err = domain.ErrCollectionNotFound
	}
	return err
}

// collect returns a visitor that adds the records of a listing.
func collect(page *[]domain.Record) func(row) error {
	return func(v row) error {
		*page = append(*page, domain.Record{
			ID:       domain.RecordID(v.text(1)),
			Owner:    domain.AccountID(v.text(2)),
			Data:     domain.RestoreDocument(v.text(3)),
			Revision: domain.Revision(v.number(4)),
			Created:  v.time(5),
			Changed:  v.time(6),
		})
		return nil
	}
}
