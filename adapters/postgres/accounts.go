package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type accounts struct{ on runner }

// Add needs a transaction, for it may have written one login when it finds that
// the other is taken. Logins are written in one order by all, so that two calls
// cannot wait for one another.
func (r accounts) Add(ctx context.Context, a domain.Account, hash domain.PasswordHash) error {
	kinds, normals, values := columns(a.Logins)
	return r.on.unit(ctx, func(in runner) error {
		written, err := exec(ctx, in, `
			WITH account AS (
				INSERT INTO accounts (id, name, roles, status, authority, credential, revision, created, changed)
				VALUES ($1::uuid, $2::text, $3::text[], $4::text, $5::bigint, 1, 1, $6::timestamptz, $7::timestamptz)
				RETURNING id
			), credential AS (
				INSERT INTO credentials (account, hash) SELECT id, $8::text FROM account
			)
			INSERT INTO logins (kind, normal, value, account)
			SELECT l.kind, l.normal, l.value, account.id
			FROM account, unnest($9::text[], $10::text[], $11::text[]) WITH ORDINALITY AS l (kind, normal, value, place)
			ORDER BY l.place
			ON CONFLICT DO NOTHING`,
			string(a.ID), a.Name, texts(a.Roles), string(a.Status), a.Authority, micro(a.Created), micro(a.Changed), hash.Reveal(),
			kinds, normals, values)
		if err == nil && written < len(a.Logins) {
			return domain.ErrLoginTaken
		}
		return err
	})
}

// columns returns the kinds, normal forms and values of logins, in their order.
func columns(logins []domain.Login) (kinds, normals, values []string) {
	for _, l := range ordered(logins) {
		kinds, normals, values = append(kinds, string(l.Kind())), append(normals, l.Normal()), append(values, l.Value())
	}
	return kinds, normals, values
}

// accountColumns are what readAccount reads of accounts a and their logins l.
const (
	accountColumns = `a.id, a.name, a.roles, a.status, a.authority, a.revision, a.created, a.changed, l.kinds, l.values, l.normals`
	theirLogins    = `CROSS JOIN LATERAL (
			SELECT array_agg(kind) AS kinds, array_agg(value) AS values, array_agg(normal) AS normals
			FROM logins WHERE account = a.id
		) l`
)

func (r accounts) ByID(ctx context.Context, id domain.AccountID) (domain.Account, error) {
	a, found, err := row(ctx, r.on, readAccount,
		`SELECT `+accountColumns+` FROM accounts a `+theirLogins+` WHERE a.id = $1::uuid`, string(id))
	if err == nil && !found {
		err = domain.ErrAccountNotFound
	}
	return a, err
}

func (r accounts) ByLogin(ctx context.Context, l domain.Login) (domain.Account, domain.Credential, error) {
	type both struct {
		account    domain.Account
		credential domain.Credential
	}
	b, found, err := row(ctx, r.on, func(r pgx.CollectableRow) (b both, err error) {
		var hash string
		b.account, err = scanAccount(r, &b.credential.Revision, &hash)
		b.credential.Account, b.credential.Hash = b.account.ID, domain.NewPasswordHash(hash)
		return b, err
	}, `
		SELECT `+accountColumns+`, a.credential, c.hash
		FROM logins given
		JOIN accounts a ON a.id = given.account
		JOIN credentials c ON c.account = a.id
		`+theirLogins+`
		WHERE given.kind = $1::text AND given.normal = $2::text`, string(l.Kind()), l.Normal())
	if err == nil && !found {
		err = domain.ErrAccountNotFound
	}
	return b.account, b.credential, err
}

func (r accounts) Credential(ctx context.Context, id domain.AccountID) (domain.Credential, error) {
	c, found, err := row(ctx, r.on, func(r pgx.CollectableRow) (domain.Credential, error) {
		c := domain.Credential{Account: id}
		var hash string
		err := r.Scan(&c.Revision, &hash)
		c.Hash = domain.NewPasswordHash(hash)
		return c, err
	}, `SELECT a.credential, c.hash FROM accounts a JOIN credentials c ON c.account = a.id WHERE a.id = $1::uuid`, string(id))
	if err == nil && !found {
		err = domain.ErrAccountNotFound
	}
	return c, err
}

func (r accounts) List(ctx context.Context, after domain.AccountID, limit int) ([]domain.Account, error) {
	where, args := "", []any{int64(limit)}
	if after != "" {
		where, args = `WHERE a.id > $2::uuid`, append(args, string(after))
	}
	return rows(ctx, r.on, readAccount, `
		SELECT `+accountColumns+` FROM accounts a `+theirLogins+` `+where+` ORDER BY a.id LIMIT $1::bigint`, args...)
}

func (r accounts) ByIDs(ctx context.Context, ids []domain.AccountID) ([]domain.Account, error) {
	return rows(ctx, r.on, readAccount,
		`SELECT `+accountColumns+` FROM accounts a `+theirLogins+` WHERE a.id = ANY ($1::text[]::uuid[])`, texts(ids))
}

// SetLogins writes the account, and so holds it, before the statement begins that
// looks for the logins to drop: those that another call gave it meanwhile are among
// them. A login that is another account's is not written, and so not counted. Only
// where all are written are others dropped, which are different rows: so two accounts
// that want one another's names are both refused, and neither waits for the other.
func (r accounts) SetLogins(ctx context.Context, id domain.AccountID, rev domain.Revision, logins []domain.Login, at time.Time) error {
	kinds, normals, values := columns(logins)
	return r.on.unit(ctx, func(in runner) error {
		err := accounts{in}.judged(ctx, domain.ErrStale, `
			WITH held AS (
				SELECT $2::bigint IN (0, revision) AS good FROM accounts WHERE id = $1::uuid FOR NO KEY UPDATE
			), written AS (
				UPDATE accounts a SET changed = $3::timestamptz, revision = a.revision + 1
				FROM held WHERE a.id = $1::uuid AND held.good
			)
			SELECT good FROM held`, string(id), int64(rev), micro(at))
		if errors.Is(err, domain.ErrStale) || errors.Is(err, domain.ErrAccountNotFound) {
			// A login that is taken comes before either.
			taken, _, asking := row(ctx, in, pgx.RowTo[bool], `
				SELECT EXISTS (
					SELECT FROM logins JOIN unnest($2::text[], $3::text[]) AS l (kind, normal) USING (kind, normal)
					WHERE account <> $1::uuid
				)`, string(id), kinds, normals)
			switch {
			case asking != nil:
				return asking
			case taken:
				return domain.ErrLoginTaken
			}
		}
		if err != nil {
			return err
		}
		all, _, err := row(ctx, in, pgx.RowTo[bool], `
			WITH given AS (
				SELECT kind, normal, value, place
				FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS l (kind, normal, value, place)
			), written AS (
				INSERT INTO logins (kind, normal, value, account)
				SELECT kind, normal, value, $1::uuid FROM given ORDER BY place
				ON CONFLICT (kind, normal) DO UPDATE SET value = excluded.value WHERE logins.account = excluded.account
				RETURNING kind
			), judged AS (
				SELECT (SELECT count(*) FROM written) = (SELECT count(*) FROM given) AS good
			), dropped AS (
				DELETE FROM logins USING judged
				WHERE account = $1::uuid AND judged.good AND (kind, normal) NOT IN (SELECT kind, normal FROM given)
			)
			SELECT good FROM judged`,
			string(id), kinds, normals, values)
		if err == nil && !all {
			return domain.ErrLoginTaken
		}
		return err
	})
}

func (r accounts) Update(ctx context.Context, a domain.Account) error {
	return r.judged(ctx, domain.ErrStale, `
		WITH held AS (
			SELECT revision = $2::bigint AS good FROM accounts WHERE id = $1::uuid FOR NO KEY UPDATE
		), written AS (
			UPDATE accounts a
			SET name = $3::text, roles = $4::text[], status = $5::text, authority = $6::bigint, changed = $7::timestamptz,
				revision = a.revision + 1
			FROM held WHERE a.id = $1::uuid AND held.good
		)
		SELECT good FROM held`,
		string(a.ID), int64(a.Revision), a.Name, texts(a.Roles), string(a.Status), a.Authority, micro(a.Changed))
}

func (r accounts) SetCredential(ctx context.Context, c domain.Credential, at time.Time) error {
	return r.judged(ctx, domain.ErrCredentialChanged, `
		WITH held AS (
			SELECT credential = $2::bigint AS good FROM accounts WHERE id = $1::uuid FOR NO KEY UPDATE
		), written AS (
			UPDATE accounts a
			SET credential = a.credential + 1, revision = a.revision + 1, changed = $3::timestamptz
			FROM held WHERE a.id = $1::uuid AND held.good
			RETURNING a.id
		), hashed AS (
			UPDATE credentials c SET hash = $4::text FROM written WHERE c.account = $1::uuid
		)
		SELECT good FROM held`,
		string(c.Account), int64(c.Revision), micro(at), c.Hash.Reveal())
}

// Rehash holds the account, so that a change of the password that is under way
// is waited for, and not overwritten with the old one.
func (r accounts) Rehash(ctx context.Context, c domain.Credential) error {
	_, err := exec(ctx, r.on, `
		WITH held AS (
			SELECT id FROM accounts WHERE id = $1::uuid AND credential = $2::bigint FOR SHARE
		)
		UPDATE credentials c SET hash = $3::text FROM held WHERE c.account = $1::uuid`,
		string(c.Account), int64(c.Revision), c.Hash.Reveal())
	return err
}

func (r accounts) Remove(ctx context.Context, id domain.AccountID, rev domain.Revision) error {
	return r.judged(ctx, domain.ErrStale, `
		WITH held AS (
			SELECT $2::bigint IN (0, revision) AS good FROM accounts WHERE id = $1::uuid FOR UPDATE
		), removed AS (
			DELETE FROM accounts a USING held WHERE a.id = $1::uuid AND held.good
			RETURNING a.id
		), orphaned AS (
			UPDATE records r SET owner = NULL FROM removed WHERE r.owner = removed.id
		)
		SELECT good FROM held`, string(id), int64(rev))
}

// judged runs a statement that locks an account, writes if it is good, and says
// whether it was. It fails with refusal where not.
func (r accounts) judged(ctx context.Context, refusal error, sql string, args ...any) error {
	good, found, err := row(ctx, r.on, pgx.RowTo[bool], sql, args...)
	switch {
	case err != nil:
		return err
	case !found:
		return domain.ErrAccountNotFound
	case !good:
		return refusal
	}
	return nil
}

// readAccount reads accountColumns and whatever columns come after.
func readAccount(r pgx.CollectableRow) (domain.Account, error) { return scanAccount(r) }

func scanAccount(r pgx.CollectableRow, more ...any) (domain.Account, error) {
	var a domain.Account
	var roles, kinds, values, normals []string
	into := append([]any{&a.ID, &a.Name, &roles, &a.Status, &a.Authority, &a.Revision, &a.Created, &a.Changed, &kinds, &values, &normals}, more...)
	if err := r.Scan(into...); err != nil {
		return domain.Account{}, err
	}
	a.Roles = words[domain.Role](roles)
	a.Created, a.Changed = a.Created.UTC(), a.Changed.UTC()
	for i, kind := range kinds {
		a.Logins = append(a.Logins, domain.RestoreLogin(domain.LoginKind(kind), values[i], normals[i]))
	}
	a.Logins = ordered(a.Logins)
	return a, nil
}

// ordered returns logins in the order user name, e-mail address.
func ordered(logins []domain.Login) []domain.Login {
	return slices.SortedFunc(slices.Values(logins), func(a, b domain.Login) int { return -cmp.Compare(a.Kind(), b.Kind()) })
}
