package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Variable names the environment variable that holds the URL of a server to
// use in place of a cluster of the process's own.
const Variable = "KEYPORT_TEST_DATABASE_URL"

// shared is the server of this test process, started by its first database.
var shared server

// A server is where a test process has its databases.
type server struct {
	mu        sync.Mutex
	admitted  bool               // whether run will end it
	base      *url.URL           // nil before the first database
	cluster   *Cluster           // nil where the environment named the server
	templates map[uintptr]string // by the code of the migrate function
}

var errNoMain = errors.New("nothing would end the server: add func TestMain(m *testing.M) { pgtest.Main(m) }")

// run runs the tests, ends the server, then runs the checks, and returns the exit
// code of it all.
func (s *server) run(tests func() int, checks []func() error) int {
	s.mu.Lock()
	s.admitted = true
	s.mu.Unlock()
	code := tests()
	ctx, cancel := context.WithTimeout(context.Background(), teardown)
	defer cancel()
	failed := s.close(ctx)
	for _, check := range checks {
		if failed == nil && code == 0 {
			failed = check()
		}
	}
	if failed != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", failed)
		code = max(code, 1)
	}
	return code
}

// create makes a database and returns its name.
func (s *server) create(ctx context.Context, migrate Migrate) (string, error) {
	template, err := s.template(ctx, migrate)
	if err != nil {
		return "", err
	}
	name := newName()
	return name, s.clone(ctx, name, template)
}

// template returns the name of the database that migrate has filled, and fills
// it at the first call. Callers that come meanwhile wait.
func (s *server) template(ctx context.Context, migrate Migrate) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(ctx); err != nil || migrate == nil {
		return "template0", err
	}
	key := reflect.ValueOf(migrate).Pointer()
	if name, ok := s.templates[key]; ok {
		return name, nil
	}
	name := newName()
	if err := s.clone(ctx, name, "template0"); err != nil {
		return "", err
	}
	if err := migrate(ctx, s.url(name)); err != nil {
		return "", errors.Join(fmt.Errorf("fill the template: %w", err), s.drop(ctx, name))
	}
	s.templates[key] = name
	return name, nil
}

// open finds or starts the server. The caller holds the lock.
func (s *server) open(ctx context.Context) (err error) {
	if s.base != nil {
		return nil
	}
	if !s.admitted {
		return errNoMain
	}
	address := os.Getenv(Variable)
	if address == "" {
		if s.cluster, err = Start(ctx, Options{}); err != nil {
			return err
		}
		address = s.cluster.URL("postgres")
	}
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "postgres" && base.Scheme != "postgresql" {
		return fmt.Errorf("%s: want postgres://user:password@host:port/database", Variable) // the value may hold a password
	}
	s.base, s.templates = base, map[uintptr]string{}
	return nil
}

// close drops the templates and ends the cluster, if this process started one.
func (s *server) close(ctx context.Context) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cluster != nil {
		err = s.cluster.Close() // and the templates with it
	} else {
		for _, name := range s.templates {
			err = errors.Join(err, s.drop(ctx, name))
		}
	}
	s.admitted, s.base, s.cluster, s.templates = false, nil, nil, nil
	return err
}

// url returns the address of a database of the server.
func (s *server) url(name string) string {
	u := *s.base
	u.Path = "/" + name
	return u.String()
}

// clone makes a database from a template. It waits for connections to the
// template to end, which a server notices a moment after they were closed.
func (s *server) clone(ctx context.Context, name, template string) error {
	sql := "CREATE DATABASE " + name + " TEMPLATE " + template
	if s.cluster != nil {
		sql += " STRATEGY file_copy" // 20 ms in place of 50, where nothing waits for the disk
	}
	for {
		err := s.exec(ctx, sql)
		if !inUse(err) || pause(ctx) != nil {
			return err
		}
	}
}

// drop removes a database and throws out whoever is still connected.
func (s *server) drop(ctx context.Context, name string) error {
	return s.exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

func (s *server) exec(ctx context.Context, sql string) (err error) {
	conn, err := pgx.Connect(ctx, s.base.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// inUse reports whether err is SQLSTATE 55006, object_in_use.
func inUse(err error) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == "55006"
}

// newName returns a database name that needs no quotes and that no other test
// process has.
func newName() string { return "keyport_test_" + strings.ToLower(rand.Text()[:16]) }

// pause waits a moment before something is tried again, or returns the error of
// a context that has ended.
func pause(ctx context.Context) error {
	again := time.NewTimer(20 * time.Millisecond)
	defer again.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-again.C:
		return nil
	}
}
