// Package ground is where Keyport is measured and drilled: a fresh binary, a
// throw-away PostgreSQL server, and a folder for all that comes of it. What is
// done there is for its callers.
package ground

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// A Ground holds a binary and a server. One goroutine at a time uses it.
type Ground struct {
	Binary   string
	Postgres *pgtest.Cluster // every commit reaches the disk, as in production

	folder  string
	unbuild func() error
	master  string // the master key of the sites in PostgreSQL
}

// New builds Keyport and starts a server. The caller closes the ground.
func New(ctx context.Context) (_ *Ground, err error) {
	master := make([]byte, 32)
	_, _ = rand.Read(master) // never fails
	g := &Ground{master: hex.EncodeToString(master)}
	if g.folder, err = os.MkdirTemp("", "keyport-ground-"); err != nil {
		return nil, err
	}
	if g.Binary, g.unbuild, err = process.Build(ctx); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	if g.Postgres, err = pgtest.Start(ctx, pgtest.Options{Durable: true}); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// Close ends the server and removes the binary and all sites.
func (g *Ground) Close() error {
	var errs []error
	if g.Postgres != nil {
		errs = append(errs, g.Postgres.Close())
	}
	if g.unbuild != nil {
		errs = append(errs, g.unbuild())
	}
	return errors.Join(append(errs, os.RemoveAll(g.folder))...)
}

// PublicURL is the public URL of every site. It leads nowhere.
const PublicURL = "http://localhost"

// A Site is where a Keyport keeps its data: started again, it finds what it had.
// The public URL stays the same, so that tokens outlive the process.
type Site struct {
	Store string // SQLite or PostgreSQL
	dir   string
	env   []string
	g     *Ground
}

// SQLite returns a new site with an embedded database.
func (g *Ground) SQLite() (Site, error) {
	return g.site("SQLite", "KEYPORT_DATABASE_URL=sqlite:keyport.db")
}

// PostgreSQL returns the site in the server's one database: always the same data.
func (g *Ground) PostgreSQL() (Site, error) {
	return g.site("PostgreSQL", "KEYPORT_DATABASE_URL="+g.Postgres.URL("postgres"), "KEYPORT_MASTER_KEY="+g.master)
}

// PgBouncer returns the site that PostgreSQL does, behind a PgBouncer in transaction
// mode, which done ends.
func (g *Ground) PgBouncer(ctx context.Context) (site Site, done func() error, err error) {
	b, err := pgtest.StartBouncer(ctx, g.Postgres.URL("postgres"), "")
	if err != nil {
		return Site{}, nil, err
	}
	site, err = g.site("PgBouncer", "KEYPORT_DATABASE_URL="+b.URL("postgres"), "KEYPORT_PGBOUNCER=true", "KEYPORT_MASTER_KEY="+g.master)
	if err != nil {
		return Site{}, nil, errors.Join(err, b.Stop())
	}
	return site, b.Stop, nil
}

// Stores returns a site on each store.
func (g *Ground) Stores() ([]Site, error) {
	embedded, err := g.SQLite()
	if err != nil {
		return nil, err
	}
	server, err := g.PostgreSQL()
	return []Site{embedded, server}, err
}

func (g *Ground) site(store string, env ...string) (Site, error) {
	dir, err := os.MkdirTemp(g.folder, "site-")
	return Site{store, dir, append(env, "KEYPORT_PUBLIC_URL="+PublicURL), g}, err
}

// Serve starts a Keyport on the site. env is added to its environment.
func (s Site) Serve(ctx context.Context, env ...string) (*process.Keyport, error) {
	return s.start(ctx, env, "serve")
}

// ServeDemo is Serve with the demo's collections, ships and administrator.
func (s Site) ServeDemo(ctx context.Context, env ...string) (*process.Keyport, error) {
	return s.start(ctx, env, "serve", "--demo")
}

// SetPassword gives an account of the site a new password by command, and returns
// it.
func (s Site) SetPassword(ctx context.Context, login string) (string, error) {
	return s.printed(ctx, "password", login)
}

// CreateAdministrator opens an administrator's account by command, and returns its
// password.
func (s Site) CreateAdministrator(ctx context.Context, login string) (string, error) {
	return s.printed(ctx, "create", login)
}

// printed returns the password that a command prints.
func (s Site) printed(ctx context.Context, verb, login string) (string, error) {
	out, err := s.Run(ctx, nil, "admin", verb, login)
	_, password, found := strings.Cut(strings.TrimSpace(out), "password ")
	if err == nil && !found {
		err = errors.New("no password was printed")
	}
	return password, err
}

// Run runs a command on the site to its end, and returns what it printed. env is
// added to its environment.
func (s Site) Run(ctx context.Context, env []string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, s.g.Binary, args...)
	c.Env, c.Dir = slices.Concat(os.Environ(), env, s.env), s.dir
	var log strings.Builder
	c.Stderr = &log
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("keyport %s: %w: %s", strings.Join(args, " "), err, log.String())
	}
	return string(out), err
}

func (s Site) start(ctx context.Context, env []string, args ...string) (*process.Keyport, error) {
	return process.Start(ctx, process.Options{
		Binary: s.g.Binary, Args: args, Env: append(env, s.env...), Dir: s.dir,
	})
}
