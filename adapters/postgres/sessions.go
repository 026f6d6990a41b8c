package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
)

type sessions struct{ on runner }

// Open holds the account against changes. If one is under way it waits, and
// then judges what the change has made of the account.
func (r sessions) Open(ctx context.Context, s domain.Session, credential domain.Revision) (domain.Authority, error) {
	a, found, err := row(ctx, r.on, readAuthority, `
		WITH held AS (
			SELECT id, authority, roles FROM accounts
			WHERE id = $2::uuid AND status = 'active' AND credential = $3::bigint
			FOR SHARE
		), opened AS (
			INSERT INTO sessions (id, account, counter, created, used, ends, device, renewal, seen, address)
			SELECT $1::uuid, id, $4::bigint, $5::timestamptz, $6::timestamptz, $7::timestamptz, $8::text, $9::text, $10::timestamptz, $11::text
			FROM held
		)
		SELECT id, authority, roles FROM held`,
		string(s.ID), string(s.Account), int64(credential),
		int64(s.Counter), micro(s.Created), micro(s.Used), micro(s.Ends), s.Device, string(s.Renewal), micro(s.Seen), s.Address)
	if err == nil && !found {
		err = domain.ErrCredentialChanged
	}
	return a, err
}

func (r sessions) StopRenewal(ctx context.Context, account domain.AccountID, id domain.SessionID, ends time.Time) error {
	written, err := exec(ctx, r.on, `
		UPDATE sessions SET renewal = $3::text, ends = least(ends, $4::timestamptz) WHERE id = $1::uuid AND account = $2::uuid`,
		string(id), string(account), string(domain.NoMore), micro(ends))
	if err == nil && written == 0 {
		return domain.ErrSessionNotFound
	}
	return err
}

// verdicts are the words in which the statement of Refresh says them.
var verdicts = map[string]domain.Verdict{
	"rotated": domain.Rotated, "repeated": domain.Repeated, "reused": domain.Reused, "refused": domain.Refused,
}

// Refresh is domain.Session.Refresh in one statement. It locks the session
// before it judges it. Of two calls the second waits, and judges what the first
// has left: that is why the verdict is worked out where the row is locked, and
// why the writes find the row by nothing but its id. The account is not locked:
// whoever suspends it ends its sessions next, and waits here, or is waited for.
//
// An ended session is deleted, and not marked. Whoever waits for the row of a
// session that is being deleted finds none, and so is Refused; there is no state
// of being ended that another statement could forget to ask for. What is posted
// is what was deleted.
func (r sessions) Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	// used + idle > now is used > now - idle, and the server need not add. Times
	// at rest have whole microseconds, so rounding the other side down is exact.
	at, idle, grace := micro(now), micro(now.Add(-p.Idle)), micro(now.Add(-p.Grace))
	refreshed, _, err := row(ctx, r.on, func(r pgx.CollectableRow) (domain.Refreshed, error) {
		var f domain.Refreshed
		var verdict string
		var roles []string
		s, err := scanSession(r, &verdict, &f.Authority.Version, &roles)
		f.Verdict = verdicts[verdict]
		switch f.Verdict {
		case domain.Rotated:
			s.Counter++
			s.Used = at
		case domain.Repeated:
		default:
			return domain.Refreshed{Verdict: f.Verdict}, err
		}
		f.Session, f.Authority.Account, f.Authority.Roles = s, s.Account, words[domain.Role](roles)
		return f, err
	}, `
		WITH held AS (
			SELECT `+sessionColumns+`, a.authority, a.roles, CASE
				WHEN a.status <> 'active' OR s.renewal <> 'rotating' OR s.ends <= $3::timestamptz OR s.used <= $4::timestamptz THEN 'refused'
				WHEN s.counter = $2::bigint THEN 'rotated'
				WHEN s.counter - 1 = $2::bigint AND s.used > $5::timestamptz THEN 'repeated'
				ELSE 'reused'
			END AS verdict
			FROM sessions s JOIN accounts a ON a.id = s.account
			WHERE s.id = $1::uuid
			FOR UPDATE OF s
		), rotated AS (
			UPDATE sessions s SET counter = s.counter + 1, used = $3::timestamptz
			FROM held WHERE s.id = held.id AND held.verdict = 'rotated'
		), ended AS (
			DELETE FROM sessions s USING held WHERE s.id = held.id AND held.verdict = 'reused'
			RETURNING s.id
		), posted AS (
			INSERT INTO changes (kind, subject, value, at)
			SELECT $6::text, id::text, 0, $3::timestamptz FROM ended
		)
		SELECT `+sessionColumns+`, s.verdict, s.authority, s.roles FROM held s`,
		string(t.Session), int64(t.Counter), at, idle, grace, string(domain.SessionEnded))
	if err == nil && refreshed.Verdict == domain.Reused {
		r.on.posted()
	}
	return refreshed, err
}

func (r sessions) Authority(ctx context.Context, id domain.SessionID, now time.Time) (domain.Authority, error) {
	a, found, err := row(ctx, r.on, readAuthority, `
		SELECT a.id, a.authority, a.roles
		FROM sessions s JOIN accounts a ON a.id = s.account
		WHERE s.id = $1::uuid AND s.ends > $2::timestamptz AND a.status = 'active'`, string(id), micro(now))
	if err == nil && !found {
		err = domain.ErrSessionNotFound
	}
	return a, err
}

func (r sessions) ByID(ctx context.Context, id domain.SessionID, now time.Time) (domain.Session, error) {
	s, found, err := row(ctx, r.on, readSession, `
		SELECT `+sessionColumns+`
		FROM sessions s JOIN accounts a ON a.id = s.account
		WHERE s.id = $1::uuid AND s.ends > $2::timestamptz AND a.status = 'active'`, string(id), micro(now))
	if err == nil && !found {
		err = domain.ErrSessionNotFound
	}
	return s, err
}

func (r sessions) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.SessionID, limit int) ([]domain.Session, error) {
	where, args := "", []any{string(account), micro(now), int64(limit)}
	if after != "" {
		where, args = `AND s.id > $4::uuid`, append(args, string(after))
	}
	return rows(ctx, r.on, readSession, `
		SELECT `+sessionColumns+` FROM sessions s
		WHERE s.account = $1::uuid AND s.ends > $2::timestamptz `+where+`
		ORDER BY s.id LIMIT $3::bigint`, args...)
}

func (r sessions) End(ctx context.Context, account domain.AccountID, id domain.SessionID) error {
	written, err := exec(ctx, r.on, `DELETE FROM sessions WHERE id = $1::uuid AND account = $2::uuid`, string(id), string(account))
	if err == nil && written == 0 {
		return domain.ErrSessionNotFound
	}
	return err
}

func (r sessions) EndAll(ctx context.Context, account domain.AccountID, except domain.SessionID) ([]domain.SessionID, error) {
	return rows(ctx, r.on, pgx.RowTo[domain.SessionID], `
		DELETE FROM sessions WHERE account = $1::uuid AND id IS DISTINCT FROM $2::uuid RETURNING id`, string(account), nullable(except))
}

func (r sessions) Saw(ctx context.Context, sightings []domain.Sighting[domain.SessionID]) error {
	return saw(ctx, r.on, "sessions", sightings)
}

// Prune leaves out what somebody else is writing at the moment: two replicas
// that prune at once share the work. A join might read the whole table.
func (r sessions) Prune(ctx context.Context, t time.Time, limit int) (int, error) {
	return exec(ctx, r.on, `
		DELETE FROM sessions WHERE id = ANY (ARRAY(
			SELECT id FROM sessions WHERE ends < $1::timestamptz ORDER BY ends LIMIT $2::bigint FOR UPDATE SKIP LOCKED
		))`, micro(t), int64(limit))
}

// sessionColumns are what scanSession reads of sessions s.
const sessionColumns = `s.id, s.account, s.counter, s.created, s.used, s.ends, s.device, s.renewal, s.seen, s.address`

func readSession(r pgx.CollectableRow) (domain.Session, error) { return scanSession(r) }

// scanSession reads sessionColumns and the columns that come after.
func scanSession(r pgx.CollectableRow, more ...any) (domain.Session, error) {
	var s domain.Session
	err := r.Scan(append([]any{&s.ID, &s.Account, &s.Counter, &s.Created, &s.Used, &s.Ends, &s.Device, &s.Renewal, &s.Seen, &s.Address}, more...)...)
	s.Created, s.Used, s.Ends, s.Seen = s.Created.UTC(), s.Used.UTC(), s.Ends.UTC(), s.Seen.UTC()
	return s, err
}

func readAuthority(r pgx.CollectableRow) (domain.Authority, error) {
	var a domain.Authority
	var roles []string
	err := r.Scan(&a.Account, &a.Version, &roles)
	a.Roles = words[domain.Role](roles)
	return a, err
}
