package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	randv2 "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // "pgx" of database/sql, for goose
	"github.com/pressly/goose/v3"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// The migrations that are killed.
const (
	migrators     = 4                // that are started together on what one has left
	migratedAfter = 15 * time.Second // by which all of them are done
	oldStep       = 1                // that the earlier version knew
	oldRows       = 2000             // of each kind in it
)

// migration kills who migrates, at many moments, on an empty database and on one of an
// earlier version with data, and has several go on together.
func migration(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	b := &builders{g: g, r: r}
	if b.conn, err = pgx.Connect(ctx, g.Postgres.URL("postgres")); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.conn.Close(context.WithoutCancel(ctx))) }()
	old, err := b.database(ctx, "template0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.drop(ctx, old)) }()
	if err := makeOld(ctx, g.Postgres.URL(old), filepath.Join(r.root, "adapters", "postgres", "migrations")); err != nil {
		return err
	}
	for _, from := range []struct{ what, template string }{
		{"an empty database", "template0"},
		{fmt.Sprintf("one of an earlier version, %d rows of each kind", oldRows), old},
	} {
		if err := b.drill(ctx, from.what, from.template, s.broken); err != nil {
			return fmt.Errorf("%s: %w", from.what, err)
		}
	}
	return nil
}

// Builders migrate databases of the ground's server.
type builders struct {
	g    *ground.Ground
	r    *report
	conn *pgx.Conn // not to any of these
}

func (b *builders) database(ctx context.Context, template string) (name string, err error) {
	name = "drill_" + strings.ToLower(rand.Text()[:12])
	_, err = b.conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
	return name, err
}

func (b *builders) drop(ctx context.Context, name string) error {
	_, err := b.conn.Exec(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	return err
}

// drill migrates copies of a template: one in peace, to see what is to come of it and
// how long that takes, then others that are killed.
func (b *builders) drill(ctx context.Context, what, template string, kills int) error {
	want, _, whole, err := b.once(ctx, template, nil)
	if err != nil {
		return err
	}
	middle, longest := 0, time.Duration(0)
	for n := range kills {
		// At every part of the time that it takes, and a little after.
		moment := whole * time.Duration(10*n+randv2.IntN(10)) / time.Duration(10*kills) * 11 / 10
		got, state, took, err := b.once(ctx, template, &moment)
		if err != nil {
			return fmt.Errorf("killed %v after its beginning: %w", moment, err)
		}
		if got != want {
			return fmt.Errorf("killed %v after its beginning, at %d steps: what is there in the end is not what it should be:\n%s\nwant\n%s", moment, state, got, want)
		}
		if state > 0 {
			middle++
		}
		longest = max(longest, took)
	}
	const store = "PostgreSQL"
	b.r.add(store, "migrations of "+what+" that were killed; that had taken some steps, and not all", "%d; %d", kills, middle)
	b.r.add(store, "one in peace takes; 4 together on what was left, at most", "%v; %v", whole.Round(time.Millisecond), longest.Round(time.Millisecond))
	if middle == 0 {
		return errors.New("none was killed in its middle: the drill has proved nothing")
	}
	return nil
}

// once migrates a new database, and returns all that is in it and how long that took.
// If moment is not nil, who migrates first is killed so long after its beginning; then
// state is at how many steps that was, or -1 where none was left, and took that of the
// others.
func (b *builders) once(ctx context.Context, template string, moment *time.Duration) (found string, state int, took time.Duration, err error) {
	name, err := b.database(ctx, template)
	if err != nil {
		return "", 0, 0, err
	}
	defer func() { err = errors.Join(err, b.drop(ctx, name)) }()
	site, err := b.g.Elsewhere(b.g.Postgres.URL(name))
	if err != nil {
		return "", 0, 0, err
	}
	if moment == nil {
		took, err = b.begun(ctx, site, name, nil)
	} else {
		if _, err = b.begun(ctx, site, name, moment); err == nil {
			state, err = b.steps(ctx, name)
		}
		if err == nil {
			took, err = together(ctx, site)
		}
	}
	if err == nil {
		found, err = inventory(ctx, b.g.Postgres.URL(name))
	}
	return found, state, took, err
}

// begun migrates, and kills that so long after it has come to the server, if moment is
// not nil. It returns how long it was there.
func (b *builders) begun(ctx context.Context, site ground.Site, name string, moment *time.Duration) (time.Duration, error) {
	running, kill := context.WithCancel(ctx)
	defer kill()
	var failed error // once ended is closed
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, failed = site.Run(running, nil, "migrate")
	}()
	for {
		var there bool
		err := b.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name = 'keyport migrate')`, name).Scan(&there)
		if err != nil {
			kill()
			<-ended
			return 0, errors.Join(err, failed)
		}
		if there {
			break
		}
		select {
		case <-ended:
			if failed == nil {
				failed = errors.New("it has ended before it was seen")
			}
			return 0, failed
		default:
		}
	}
	start := time.Now()
	if moment == nil {
		<-ended
		return time.Since(start), failed
	}
	err := pause(ctx, *moment)
	kill()  // by SIGKILL
	<-ended // that it was killed, or had ended by itself
	return time.Since(start), err
}

// steps returns how many steps were taken, or 0 where that is all or none: it is not
// in between.
func (b *builders) steps(ctx context.Context, name string) (int, error) {
	c, err := pgx.Connect(ctx, b.g.Postgres.URL(name))
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	var begun bool
	if err := c.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&begun); err != nil || !begun {
		return 0, err
	}
	var taken int
	err = c.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&taken)
	files, globbed := filepath.Glob(filepath.Join(b.r.root, "adapters", "postgres", "migrations", "*.sql"))
	if taken == len(files) {
		taken = 0
	}
	return taken, errors.Join(err, globbed)
}

// together has several migrate at once, and one serve, and returns how long all took.
func together(ctx context.Context, site ground.Site) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, migratedAfter)
	defer cancel()
	start := time.Now()
	errs := make([]error, migrators)
	var all sync.WaitGroup
	for i := range migrators {
		all.Go(func() {
			if i > 0 {
				_, errs[i] = site.Run(ctx, nil, "migrate")
				return
			}
			var k *process.Keyport
			if k, errs[i] = site.Serve(ctx); errs[i] == nil {
				errs[i] = k.Kill()
			}
		})
	}
	all.Wait()
	return time.Since(start), errors.Join(errs...)
}

// inventory tells all that the schema has, and what is in the tables that the earlier
// version knew.
func inventory(ctx context.Context, url string) (string, error) {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	rows, err := c.Query(ctx, `
		SELECT format('%s.%s %s %s %s', c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default)
		FROM information_schema.columns c WHERE c.table_schema = 'public'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
		UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
		UNION ALL SELECT 'step ' || version_id || ' ' || count(*) FROM goose_db_version GROUP BY version_id
		UNION ALL SELECT 'accounts ' || count(*) || ' ' || md5(coalesce(string_agg(id || name || authority || revision, ',' ORDER BY id), '')) FROM accounts
		UNION ALL SELECT 'sessions ' || count(*) || ' ' || md5(coalesce(string_agg(id::text || account || counter || ends, ',' ORDER BY id), '')) FROM sessions
		UNION ALL SELECT 'records ' || count(*) || ' ' || md5(coalesce(string_agg(id || collection || data || revision, ',' ORDER BY id), '')) FROM records
		ORDER BY 1`)
	if err != nil {
		return "", err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(lines, "\n"), err
}

// makeOld migrates a database as far as the earlier version did, and fills it.
func makeOld(ctx context.Context, url, steps string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS(steps), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := provider.UpTo(ctx, oldStep); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf(`
		INSERT INTO accounts (id, name, roles, status, authority, credential, revision, created, changed)
		SELECT gen_random_uuid(), 'account ' || n, '{}', 'active', n, 1, 1, now(), now() FROM generate_series(1, %[1]d) n;
		INSERT INTO sessions (id, account, counter, created, used, ends, device)
		SELECT gen_random_uuid(), id, authority, now(), now(), now() + interval '1 day', 'drill' FROM accounts;
		INSERT INTO collections (name, schema, rules, unique_fields, revision, created, changed)
		VALUES ('ships', '{"type":"object"}', '{}', '[]', 1, now(), now());
		INSERT INTO records (collection, id, owner, data, revision, created, changed)
		SELECT 'ships', gen_random_uuid(), id, json_build_object('n', authority), 1, now(), now() FROM accounts`, oldRows))
	return err
}
