package sqlite

import (
	"context"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type imports struct{ lines lines }

func (r imports) ByID(ctx context.Context, id domain.ImportID) (domain.Import, error) {
	var i domain.Import
	err := r.lines.read(ctx, func(l *line) error {
		found, err := l.one(`
			SELECT id, account, collection, lines, stored, refused, problems, done, created, changed
			FROM imports WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if found == nil {
			return domain.ErrImportNotFound
		}
		i, err = readImport(found)
		return err
	})
	return i, err
}

func (r imports) Advance(ctx context.Context, i domain.Import, from int64) error {
	return r.lines.write(ctx, func(l *line) error {
		n, err := l.exec(`
			INSERT INTO imports (id, account, collection, lines, stored, refused, problems, done, created, changed)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
			WHERE ?11 = 0 OR EXISTS (SELECT 1 FROM imports WHERE id = ?1)
			ON CONFLICT (id) DO UPDATE
			SET account = ?2, collection = ?3, lines = ?4, stored = ?5, refused = ?6, problems = ?7, done = ?8, created = ?9, changed = ?10
			WHERE lines = ?11`,
			i.ID, i.Account, i.Collection, i.Lines, i.Stored, i.Refused, writeProblems(i.Problems), i.Done, micros(i.Created), micros(i.Changed),
			from)
		if err == nil && n == 0 {
			err = domain.ErrImportMoved
		}
		return err
	})
}

func (r imports) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return prune(ctx, r.lines, `
		DELETE FROM imports WHERE id IN (SELECT id FROM imports WHERE changed < ? ORDER BY changed LIMIT ?)`, t, limit)
}

func readImport(v row) (domain.Import, error) {
	var problems []storedProblem
	if err := v.list(6, &problems); err != nil {
		return domain.Import{}, err
	}
	i := domain.Import{
		ID:         domain.ImportID(v.text(0)),
		Account:    domain.AccountID(v.text(1)),
		Collection: domain.CollectionName(v.text(2)),
		Lines:      v.number(3),
		Stored:     v.number(4),
		Refused:    v.number(5),
		Done:       v.number(7) != 0,
		Created:    v.time(8),
		Changed:    v.time(9),
	}
	for _, p := range problems {
		problem := domain.ImportProblem{Line: p.Line, Code: p.Code, Detail: p.Detail}
		for _, f := range p.Fields {
			problem.Fields = append(problem.Fields, domain.Field(f))
		}
		i.Problems = append(i.Problems, problem)
	}
	return i, nil
}

// storedProblem is why a line was not taken, as a column spells it.
type storedProblem struct {
	Line   int64         `json:"line"`
	Code   string        `json:"code"`
	Detail string        `json:"detail"`
	Fields []storedField `json:"fields"`
}

// storedField is an input at fault as a column spells it.
type storedField struct {
	Path    string `json:"path"`
	Code    string `json:"code"`
	Problem string `json:"problem"`
}

func writeProblems(problems []domain.ImportProblem) string {
	stored := make([]storedProblem, len(problems))
	for i, p := range problems {
		stored[i] = storedProblem{p.Line, p.Code, p.Detail, make([]storedField, len(p.Fields))}
		for n, f := range p.Fields {
			stored[i].Fields[n] = storedField(f)
		}
	}
	return list(stored)
}
