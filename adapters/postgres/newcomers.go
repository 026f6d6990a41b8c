package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// AddAll adds as many as it can by one statement. What that cannot tell apart it leaves
// to further ones: an id that comes again, and who is refused for a key of another who
// is refused.
func (r records) AddAll(ctx context.Context, c domain.CollectionRef, all []ports.Newcomer) (refusals []error, err error) {
	err = r.on.unit(ctx, func(in runner) error {
		refusals = make([]error, len(all))
		for from := 0; ; {
			to := from + distinct(all[from:])
			if err := (records{in}).addDistinct(ctx, c, all[from:to], refusals[from:to]); err != nil || to == len(all) {
				return err
			}
			from = to
		}
	})
	if err != nil {
		return nil, err
	}
	return refusals, nil
}

// distinct returns how many there are up to the first id that has come before.
func distinct(all []ports.Newcomer) int {
	seen := make(map[domain.RecordID]bool, len(all))
	for i, n := range all {
		if seen[n.Record.ID] {
			return i
		}
		seen[n.Record.ID] = true
	}
	return len(all)
}

// addDistinct adds records of different ids, and notes the refusals. Those that do not
// get all of their keys are put off: whoever got theirs has them whether these come or
// not.
func (r records) addDistinct(ctx context.Context, c domain.CollectionRef, all []ports.Newcomer, refusals []error) error {
	late := make(map[domain.RecordID]bool)
	isLate := func(n ports.Newcomer) bool { return late[n.Record.ID] }
	for {
		some := slices.DeleteFunc(slices.Clone(all), isLate)
		written, taken, err := r.attempt(ctx, c, some)
		if err != nil {
			return err
		}
		if maps.Copy(late, taken); len(taken) > 0 {
			continue
		}
		for i, n := range all {
			if !isLate(n) && !written[n.Record.ID] {
				refusals[i] = domain.ErrRecordExists
			}
		}
		if slices.ContainsFunc(some, func(n ports.Newcomer) bool { return !n.Entries.Event.IsZero() }) {
			r.on.posted()
		}
		break
	}
	for i, n := range all {
		if !isLate(n) {
			continue
		}
		err := r.Add(ctx, c, n.Record, n.Entries)
		if refusals[i] = err; err != nil && !errors.Is(err, domain.ErrRecordExists) && !errors.Is(err, domain.ErrNotUnique) {
			return err
		}
	}
	return nil
}

// errTaken undoes a statement that wrote records whose keys others have.
var errTaken = errors.New("postgres: keys are taken")

// attempt is addAtOnce, but that it leaves nothing where any are taken.
func (r records) attempt(ctx context.Context, c domain.CollectionRef, all []ports.Newcomer) (written, taken map[domain.RecordID]bool, err error) {
	if !slices.ContainsFunc(all, func(n ports.Newcomer) bool { return len(n.Entries.Unique) > 0 }) {
		return addAtOnce(ctx, r.on, c, all)
	}
	err = r.on.unit(ctx, func(in runner) error {
		if written, taken, err = addAtOnce(ctx, in, c, all); err == nil && len(taken) > 0 {
			return errTaken
		}
		return err
	})
	if errors.Is(err, errTaken) {
		err = nil
	}
	return written, taken, err
}

// addAtOnce adds records of different ids by one statement, and says which were written,
// and which of these did not get all of their keys.
func addAtOnce(ctx context.Context, on runner, c domain.CollectionRef, all []ports.Newcomer) (written, taken map[domain.RecordID]bool, err error) {
	type outcome struct {
		Current        bool
		Written, Taken []string
	}
	args := arguments{string(c.Name), int64(c.Revision)}
	text := newcomers(&args, all)
	o, declared, err := row(ctx, on, pgx.RowToStructByPos[outcome], text, args...)
	switch {
	case err != nil:
		return nil, nil, err
	case !declared:
		return nil, nil, domain.ErrCollectionNotFound
	case !o.Current:
		return nil, nil, domain.ErrCollectionChanged
	}
	return setOf(o.Written), setOf(o.Taken), nil
}

func setOf(ids []string) map[domain.RecordID]bool {
	set := make(map[domain.RecordID]bool, len(ids))
	for _, id := range ids {
		set[domain.RecordID(id)] = true
	}
	return set
}

// newcomers returns the statement that adds records in their order. What there is
// nothing to write of makes no part.
func newcomers(args *arguments, all []ports.Newcomer) string {
	ids, owners, data := make([]string, len(all)), make([]*string, len(all)), make([]string, len(all))
	created, changed, events, words := make([]time.Time, len(all)), make([]time.Time, len(all)), make([]*time.Time, len(all)), make([]string, len(all))
	var holders, fields, filed, names []string
	var digests, keys [][]byte
	told, heard := false, false
	for i, n := range all {
		ids[i], owners[i], data[i] = string(n.Record.ID), nullable(n.Record.Owner), n.Record.Data.Text()
		created[i], changed[i] = micro(n.Record.Created), micro(n.Record.Changed)
		if at := micro(n.Entries.Event); !n.Entries.Event.IsZero() {
			events[i], told = &at, true
		}
		words[i], heard = strings.Join(n.Entries.Words, " "), heard || len(n.Entries.Words) > 0
		for _, k := range n.Entries.Unique {
			holders, fields, digests = append(holders, ids[i]), append(fields, k.Field), append(digests, k.Digest[:])
		}
		for _, x := range n.Entries.Index {
			filed, names, keys = append(filed, ids[i]), append(names, x.Index), append(keys, []byte(x.Key))
		}
	}
	sql := `
		WITH declared AS (
			SELECT revision = $2::bigint AS current FROM collections WHERE name = $1::text FOR SHARE
		), given AS (
			SELECT * FROM unnest(` + args.add(ids, "text[]::uuid[]") + `, ` + args.add(owners, "text[]::uuid[]") + `, ` + args.add(data, "text[]::json[]") + `, ` +
		args.add(created, "timestamptz[]") + `, ` + args.add(changed, "timestamptz[]") + `, ` + args.add(events, "timestamptz[]") + `, ` + args.add(words, "text[]") + `)
				WITH ORDINALITY AS g (id, owner, data, created, changed, event, words, nth)
		), written AS (
			INSERT INTO records AS r (collection, id, owner, data, revision, created, changed)
			SELECT $1::text, g.id, g.owner, g.data, 1, g.created, g.changed FROM given g, declared WHERE declared.current ORDER BY g.nth
			ON CONFLICT DO NOTHING
			RETURNING ` + recordColumns + `
		)`
	taken := `ARRAY[]::text[]`
	if len(fields) > 0 {
		sql += `, wanted AS (
			SELECT w.id, k.field, k.digest, k.nth
			FROM unnest(` + args.add(holders, "text[]::uuid[]") + `, ` + args.add(fields, "text[]") + `, ` + args.add(digests, "bytea[]") + `)
				WITH ORDINALITY AS k (id, field, digest, nth) JOIN written w ON w.id = k.id
		), keyed AS (
			INSERT INTO record_keys (collection, field, digest, record)
			SELECT $1::text, field, digest, id FROM wanted ORDER BY nth
			ON CONFLICT DO NOTHING
			RETURNING record, field
		)`
		taken = `ARRAY (SELECT id::text FROM (SELECT id, field FROM wanted EXCEPT SELECT record, field FROM keyed) lost)`
	}
	if len(names) > 0 {
		sql += `, filed AS (
			SELECT w.id, w.revision, x.name, x.key
			FROM unnest(` + args.add(filed, "text[]::uuid[]") + `, ` + args.add(names, "text[]") + `, ` + args.add(keys, "bytea[]") + `) AS x (id, name, key)
				JOIN written w ON w.id = x.id
		)` + writeIndex
	}
	if heard {
		sql += `, heard AS (
			SELECT w.id, g.words FROM given g JOIN written w ON w.id = g.id WHERE g.words <> ''
		)` + writeWords
	}
	if told {
		sql += `, told AS (
			INSERT INTO record_events (kind, collection, record, owner, data, before, revision, created, changed, at)
			SELECT ` + args.add(string(domain.RecordCreated), "text") + `, $1::text, w.id, w.owner, w.data, NULL, w.revision, w.created, w.changed, g.event
			FROM given g JOIN written w ON w.id = g.id WHERE g.event IS NOT NULL ORDER BY g.nth
		)`
	}
	return sql + `
		SELECT current, ARRAY (SELECT id::text FROM written), ` + taken + ` FROM declared`
}
