package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type imports struct{ on runner }

func (r imports) ByID(ctx context.Context, id domain.ImportID) (domain.Import, error) {
	i, found, err := row(ctx, r.on, readImport, `
		SELECT id, account, collection, lines, stored, refused, problems, done, created, changed
		FROM imports WHERE id = $1::uuid`, nullable(id))
	if err == nil && !found {
		err = domain.ErrImportNotFound
	}
	return i, err
}

// Advance judges the lines of a row that it holds. A new import is a row that only
// they who begin may make.
func (r imports) Advance(ctx context.Context, i domain.Import, from int64) error {
	problems, err := writeProblems(i.Problems)
	if err != nil {
		return err
	}
	sql := `
		UPDATE imports
		SET (account, collection, lines, stored, refused, problems, done, created, changed) =
			($2::uuid, $3::text, $4::bigint, $5::bigint, $6::bigint, $7::json, $8::boolean, $9::timestamptz, $10::timestamptz)
		WHERE id = $1::uuid AND lines = $11::bigint`
	if from == 0 {
		sql = `
		INSERT INTO imports AS i (id, account, collection, lines, stored, refused, problems, done, created, changed)
		VALUES ($1::uuid, $2::uuid, $3::text, $4::bigint, $5::bigint, $6::bigint, $7::json, $8::boolean, $9::timestamptz, $10::timestamptz)
		ON CONFLICT (id) DO UPDATE
		SET (account, collection, lines, stored, refused, problems, done, created, changed) = (excluded.account, excluded.collection,
			excluded.lines, excluded.stored, excluded.refused, excluded.problems, excluded.done, excluded.created, excluded.changed)
		WHERE i.lines = $11::bigint`
	}
	written, err := exec(ctx, r.on, sql, string(i.ID), nullable(i.Account), string(i.Collection), i.Lines, i.Stored, i.Refused,
		problems, i.Done, micro(i.Created), micro(i.Changed), from)
	if err == nil && written == 0 {
		return domain.ErrImportMoved
	}
	return err
}

func (r imports) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return forget(ctx, r.on, "imports", "changed", t, limit)
}

// storedProblem and storedField are how a problem rests.
type (
	storedProblem struct {
		Line   int64         `json:"line"`
		Code   string        `json:"code"`
		Detail string        `json:"detail"`
		Fields []storedField `json:"fields,omitempty"`
	}
	storedField struct {
		Path    string `json:"path"`
		Code    string `json:"code"`
		Problem string `json:"problem"`
	}
)

func writeProblems(problems []domain.ImportProblem) (string, error) {
	stored := make([]storedProblem, len(problems))
	for i, p := range problems {
		stored[i] = storedProblem{Line: p.Line, Code: p.Code, Detail: p.Detail}
		for _, f := range p.Fields {
			stored[i].Fields = append(stored[i].Fields, storedField(f))
		}
	}
	text, err := json.Marshal(stored)
	return string(text), err
}

func readImport(r pgx.CollectableRow) (i domain.Import, err error) {
	var account *domain.AccountID
	var stored []storedProblem
	err = r.Scan(&i.ID, &account, &i.Collection, &i.Lines, &i.Stored, &i.Refused, &stored, &i.Done, &i.Created, &i.Changed)
	if account != nil {
		i.Account = *account
	}
	for _, s := range stored {
		p := domain.ImportProblem{Line: s.Line, Code: s.Code, Detail: s.Detail}
		for _, f := range s.Fields {
			p.Fields = append(p.Fields, domain.Field(f))
		}
		i.Problems = append(i.Problems, p)
	}
	i.Created, i.Changed = i.Created.UTC(), i.Changed.UTC()
	return i, err
}
