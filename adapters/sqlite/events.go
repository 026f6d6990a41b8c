package sqlite

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type events struct{ lines lines }

// News implements ports.Events. A mark is the id of an event: ids are committed in
// their order, by this process and by others.
func (r events) News(ctx context.Context, mark domain.Mark, limit int) ([]domain.Event, error) {
	last, err := readMark(mark)
	if err != nil {
		return nil, err
	}
	var news []domain.Event
	err = r.lines.read(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			news = append(news, readEvent(v))
			return nil
		}, `
			SELECT id, kind, collection, record, owner, data, former, revision, created, changed, at
			FROM record_events WHERE id > ? ORDER BY id LIMIT ?`, last, max(limit, 0))
	})
	if err != nil {
		return nil, err
	}
	return news, nil
}

// Latest implements ports.Events: SQLite notes the greatest id that it gave.
func (r events) Latest(ctx context.Context) (domain.Mark, error) {
	var last int64
	err := r.lines.read(ctx, func(l *line) error {
		found, err := l.one(`SELECT seq FROM sqlite_sequence WHERE name = 'record_events'`)
		if err == nil && found != nil {
			last = found.number(0)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return markOf(last), nil
}

func (r events) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return prune(ctx, r.lines, `
		DELETE FROM record_events WHERE id IN (SELECT id FROM record_events WHERE at < ? ORDER BY at LIMIT ?)`, t, limit)
}

// tell writes that a record was made, or is about to go, as it is stored; at the zero
// time nothing.
func tell(l *line, kind domain.EventKind, name domain.CollectionName, id domain.RecordID, at time.Time) error {
	if at.IsZero() {
		return nil
	}
	_, err := l.exec(`
		INSERT INTO record_events (kind, collection, record, owner, data, revision, created, changed, at)
		SELECT ?1, collection, id, owner, data, revision, created, changed, ?2
		FROM records WHERE collection = ?3 AND id = ?4`, kind, micros(at), name, id)
	return err
}

// tellChange writes what a record is about to become, and what it was; at the zero time
// nothing. If it has another revision by now, it is for the caller to find out.
func tellChange(l *line, name domain.CollectionName, r domain.Record, at time.Time) error {
	if at.IsZero() {
		return nil
	}
	_, err := l.exec(`
		INSERT INTO record_events (kind, collection, record, owner, data, former, revision, created, changed, at)
		SELECT ?1, collection, id, owner, ?5, data, revision + 1, created, ?6, ?2
		FROM records WHERE collection = ?3 AND id = ?4`,
		domain.RecordChanged, micros(at), name, r.ID, r.Data.Text(), micros(r.Changed))
	return err
}

func readEvent(v row) domain.Event {
	e := domain.Event{
		Mark:       markOf(v.number(0)),
		Kind:       domain.EventKind(v.text(1)),
		Collection: domain.CollectionName(v.text(2)),
		Record: domain.Record{
			ID:       domain.RecordID(v.text(3)),
			Owner:    domain.AccountID(v.text(4)),
			Data:     domain.RestoreDocument(v.text(5)),
			Revision: domain.Revision(v.number(7)),
			Created:  v.time(8),
			Changed:  v.time(9),
		},
		At: v.time(10),
	}
	if !v.null(6) {
		e.Before = domain.RestoreDocument(v.text(6))
	}
	return e
}
