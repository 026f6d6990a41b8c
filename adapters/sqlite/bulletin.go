package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type bulletin struct{ lines lines }

func (r bulletin) Post(ctx context.Context, changes ...domain.Change) error {
	return r.lines.write(ctx, func(l *line) error {
		for _, c := range changes {
			if err := post(l, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// News implements ports.Bulletin. A mark is the id of the last change that was
// read: ids are committed in their order, by this process and by others. What
// another process posts is in the file, and so is heard.
func (r bulletin) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	last, err := readMark(mark)
	if err != nil {
		return nil, "", err
	}
	var news []domain.Change
	err = r.lines.read(ctx, func(l *line) error {
		return l.rows(ctx, func(v row) error {
			last = v.number(0)
			news = append(news, domain.Change{
				Kind:    domain.ChangeKind(v.text(1)),
				Subject: v.text(2),
				Value:   v.number(3),
				At:      v.time(4),
			})
			return nil
		}, `SELECT id, kind, subject, value, at FROM changes WHERE id > ? ORDER BY id`, last)
	})
	if err != nil {
		return nil, "", err
	}
	return news, markOf(last), nil
}

func (r bulletin) Posted(ctx context.Context, kind domain.ChangeKind, subject string) (posted bool, err error) {
	err = r.lines.read(ctx, func(l *line) error {
		found, err := l.one(`SELECT 1 FROM changes WHERE subject = ? AND kind = ? LIMIT 1`, subject, kind)
		posted = found != nil
		return err
	})
	return posted, err
}

func (r bulletin) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return prune(ctx, r.lines, `
		DELETE FROM changes WHERE id IN (SELECT id FROM changes WHERE at < ? ORDER BY at LIMIT ?)`, t, limit)
}

// post writes a change beside its cause.
func post(l *line, c domain.Change) error {
	_, err := l.exec(`INSERT INTO changes (kind, subject, value, at) VALUES (?, ?, ?, ?)`,
		c.Kind, c.Subject, c.Value, micros(c.At))
	return err
}

// ours stands before the id in a mark. PostgreSQL's marks have a digit there: whoever
// comes with one had it before all was copied from there, and is told everything anew.
const ours = "s"

// readMark returns the id that a mark of News holds; 0 where it is of another kind of
// store. Marks are no caller's, so what is neither is an accident.
func readMark(m domain.Mark) (int64, error) {
	if m == "" {
		return 0, nil
	}
	text, made := strings.CutPrefix(string(m), ours)
	if !made {
		text, _, _ = strings.Cut(text, "-")
	}
	id, err := strconv.ParseUint(text, 10, 63)
	switch {
	case err != nil:
		return 0, fmt.Errorf("sqlite: a mark that no store made: %w", err)
	case !made:
		return 0, nil
	}
	return int64(id), nil
}

func markOf(id int64) domain.Mark { return domain.Mark(ours + strconv.FormatInt(id, 10)) }
