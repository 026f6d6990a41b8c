package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type accessKeys struct{ on runner }

// Add holds the account, and with it every other call for the account, before the
// statement begins that counts: a count sees what was committed when its statement
// began, and no lock makes that newer. Then it holds the session against its end.
// A suspension or a password change writes the account first too, so whoever comes
// second waits here, and finds the account or the session as the first has left it.
func (r accessKeys) Add(ctx context.Context, k domain.AccessKey, session domain.SessionID) error {
	return r.on.unit(ctx, func(in runner) error {
		_, active, err := row(ctx, in, pgx.RowTo[bool], `
			SELECT true FROM accounts WHERE id = $1::uuid AND status = 'active' FOR NO KEY UPDATE`, string(k.Account))
		if err != nil {
			return err
		}
		if !active {
			return domain.ErrSessionNotFound
		}
		room, live, err := row(ctx, in, pgx.RowTo[bool], `
			WITH held AS (
				SELECT account FROM sessions
				WHERE id = $1::uuid AND account = $2::uuid AND ends > $3::timestamptz
				FOR KEY SHARE
			), counted AS (
				SELECT count(*) < $4::bigint AS room FROM access_keys
				WHERE account = $2::uuid AND (expires IS NULL OR expires > $3::timestamptz)
			), added AS (
				INSERT INTO access_keys (id, account, name, scopes, digest, created, expires, seen, address)
				SELECT $5::uuid, held.account, $6::text, $7::text[], $8::bytea, $3::timestamptz, $9::timestamptz, $10::timestamptz, $11::text
				FROM held, counted WHERE counted.room
			)
			SELECT counted.room FROM held, counted`,
			nullable(session), string(k.Account), micro(k.Created), int64(domain.MaxAccessKeys),
			string(k.ID), k.Name, texts(k.Scopes), bytes(k.Digest[:]), nullableTime(k.Expires), nullableTime(k.Seen), k.Address)
		switch {
		case err != nil:
			return err
		case !live:
			return domain.ErrSessionNotFound
		case !room:
			return domain.ErrTooManyAccessKeys
		}
		return nil
	})
}

func (r accessKeys) ByID(ctx context.Context, id domain.AccessKeyID, now time.Time) (domain.AccessKey, domain.Authority, error) {
	type both struct {
		key       domain.AccessKey
		authority domain.Authority
	}
	b, found, err := row(ctx, r.on, func(r pgx.CollectableRow) (b both, err error) {
		var roles []string
		b.key, err = scanAccessKey(r, &b.authority.Version, &roles)
		b.authority.Account, b.authority.Roles = b.key.Account, words[domain.Role](roles)
		return b, err
	}, `
		SELECT `+accessKeyColumns+`, a.authority, a.roles
		FROM access_keys k JOIN accounts a ON a.id = k.account
		WHERE k.id = $1::uuid AND (k.expires IS NULL OR k.expires > $2::timestamptz) AND a.status = 'active'`,
		string(id), micro(now))
	if err == nil && !found {
		err = domain.ErrAccessKeyNotFound
	}
	return b.key, b.authority, err
}

func (r accessKeys) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.AccessKeyID, limit int) ([]domain.AccessKey, error) {
	where, args := "", []any{string(account), micro(now), int64(limit)}
	if after != "" {
		where, args = `AND k.id > $4::uuid`, append(args, string(after))
	}
	return rows(ctx, r.on, readAccessKey, `
		SELECT `+accessKeyColumns+` FROM access_keys k
		WHERE k.account = $1::uuid AND (k.expires IS NULL OR k.expires > $2::timestamptz) `+where+`
		ORDER BY k.id LIMIT $3::bigint`, args...)
}

func (r accessKeys) End(ctx context.Context, account domain.AccountID, id domain.AccessKeyID) error {
	written, err := exec(ctx, r.on, `DELETE FROM access_keys WHERE id = $1::uuid AND account = $2::uuid`, string(id), string(account))
	if err == nil && written == 0 {
		return domain.ErrAccessKeyNotFound
	}
	return err
}

func (r accessKeys) EndAll(ctx context.Context, account domain.AccountID) (int, error) {
	return exec(ctx, r.on, `DELETE FROM access_keys WHERE account = $1::uuid`, string(account))
}

func (r accessKeys) Saw(ctx context.Context, sightings []domain.Sighting[domain.AccessKeyID]) error {
	return saw(ctx, r.on, "access_keys", sightings)
}

// Prune leaves out what somebody else is writing at the moment: two replicas
// that prune at once share the work. A join might read the whole table.
func (r accessKeys) Prune(ctx context.Context, t time.Time, limit int) (int, error) {
	return exec(ctx, r.on, `
		DELETE FROM access_keys WHERE id = ANY (ARRAY(
			SELECT id FROM access_keys WHERE expires < $1::timestamptz ORDER BY expires LIMIT $2::bigint FOR UPDATE SKIP LOCKED
		))`, micro(t), int64(limit))
}

// accessKeyColumns are what scanAccessKey reads of access keys k.
const accessKeyColumns = `k.id, k.account, k.name, k.scopes, k.digest, k.created, k.expires, k.seen, k.address`

func readAccessKey(r pgx.CollectableRow) (domain.AccessKey, error) { return scanAccessKey(r) }

// scanAccessKey reads accessKeyColumns and the columns that come after.
func scanAccessKey(r pgx.CollectableRow, more ...any) (domain.AccessKey, error) {
	var k domain.AccessKey
	var scopes []string
	var digest []byte
	var expires, seen *time.Time
	err := r.Scan(append([]any{&k.ID, &k.Account, &k.Name, &scopes, &digest, &k.Created, &expires, &seen, &k.Address}, more...)...)
	k.Scopes, k.Created, k.Expires, k.Seen = words[domain.Scope](scopes), k.Created.UTC(), timeOrZero(expires), timeOrZero(seen)
	copy(k.Digest[:], digest)
	return k, err
}
