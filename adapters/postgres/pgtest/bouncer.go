package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// ErrNoBouncer is returned where PgBouncer is not to be found.
var ErrNoBouncer = errors.New("no PgBouncer is installed here: type `make pgbouncer`")

// A Bouncer is a PgBouncer in transaction mode before a PostgreSQL server. It
// listens on 127.0.0.1 alone, on a port that the system chose, and lets the one
// role in that it was started for, by the password that its URL holds. The last
// goroutine to use it calls Stop. Should the process die before that, a guard ends
// it and removes what it left.
type Bouncer struct {
	child
	guard    *guard
	folder   string
	server   *pgx.ConnConfig
	greeting string
	port     int
}

// StartBouncer starts a PgBouncer before the server at the URL server, and returns
// once it lets a client through to the database of that URL. It leads to all other
// databases of the server too. Each of its connections begins with the statements of
// greeting; "" are none. It fails with ErrNoBouncer where PgBouncer is not installed.
func StartBouncer(ctx context.Context, server, greeting string) (_ *Bouncer, err error) {
	b := &Bouncer{child: child{name: "PgBouncer"}, greeting: greeting}
	if b.server, err = pgx.ParseConfig(server); err != nil {
		return nil, err
	}
	program, ok := findBouncer()
	if !ok {
		return nil, ErrNoBouncer
	}
	o, err := unprivileged() // it, too, refuses to run as root
	if err != nil {
		return nil, err
	}
	if b.folder, err = os.MkdirTemp("", "keyport-pgbouncer-"); err != nil {
		return nil, err
	}
	if err = b.start(ctx, program, o); err != nil {
		return nil, errors.Join(err, b.Stop())
	}
	return b, nil
}

// findBouncer looks for PgBouncer: on the path, where Debian installs it, then in
// the folder .tools at the root of the repository.
func findBouncer() (programs, bool) {
	if file, err := exec.LookPath("pgbouncer"); err == nil {
		return programs{bin: filepath.Dir(file)}, true
	}
	roots := []string{"/"}
	if root, ok := repository(); ok {
		roots = append(roots, filepath.Join(root, ".tools/pgbouncer"))
	}
	for _, root := range roots {
		p := programs{bin: filepath.Join(root, "usr/sbin")}
		if root != "/" {
			p.libraries = unpackedLibraries(root)
		}
		if _, err := exec.LookPath(p.path("pgbouncer")); err == nil {
			return p, true
		}
	}
	return programs{}, false
}

func (b *Bouncer) start(ctx context.Context, program programs, o *owner) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	b.log = filepath.Join(b.folder, "log")
	if err := o.own(b.folder); err != nil {
		return err
	}
	if b.guard, err = stand(b.folder, b.file("pid"), b.file("settings"), o); err != nil {
		return err
	}
	if err := b.write(o, "roles", fmt.Sprintf("%s %s\n", quoted(b.server.User), quoted(b.server.Password))); err != nil {
		return err
	}
	for {
		if b.port, err = freePort(); err != nil {
			return err
		}
		if err := b.write(o, "settings", b.settings()); err != nil {
			return err
		}
		argv := []string{program.path("pgbouncer"), b.file("settings")}
		if err := b.launch(argv, program.environment(b.folder), b.folder, o); err != nil {
			return err
		}
		err := b.answers(ctx, b.URL(b.server.Database))
		// A port that was free a moment ago may have been taken since.
		if err == nil || !errors.Is(err, errExited) || !b.lastSaid("nowhere to listen on") || pause(ctx) != nil {
			return err
		}
	}
}

// settings leave as PgBouncer has it whatever a client can notice, but for the
// mode.
func (b *Bouncer) settings() string {
	way := fmt.Sprintf("* = host=%s port=%d", b.server.Host, b.server.Port)
	if b.greeting != "" {
		way += " connect_query=" + literal(b.greeting)
	}
	return fmt.Sprintf(`[databases]
%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
pidfile = %s
pool_mode = transaction
max_client_conn = 500
`, way, b.port, b.file("roles"), b.file("pid"))
}

// URL returns the address of the database db behind the PgBouncer.
func (b *Bouncer) URL(db string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(b.server.User, b.server.Password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)),
		Path:     "/" + db,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Stop ends the PgBouncer at once, whoever is connected, and removes all that it
// left. It cannot be used again.
func (b *Bouncer) Stop() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for end := syscall.SIGTERM; b.running(); { // from 1.23 on the second one is for those who are connected
		if err = syscall.Kill(b.pid, end); err != nil {
			break
		}
		if pause(ctx) != nil {
			end = syscall.SIGKILL
		}
	}
	return errors.Join(err, b.guard.dismiss(), os.RemoveAll(b.folder))
}

func (b *Bouncer) file(name string) string { return filepath.Join(b.folder, name) }

func (b *Bouncer) write(o *owner, name, text string) error {
	if err := os.WriteFile(b.file(name), []byte(text), 0o600); err != nil {
		return err
	}
	return o.own(b.file(name))
}

// literal spells a value for PgBouncer's connection strings.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// quoted spells a word for PgBouncer's list of roles.
func quoted(word string) string { return `"` + strings.ReplaceAll(word, `"`, `""`) + `"` }
