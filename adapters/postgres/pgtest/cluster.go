package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Options say what cluster is wanted. The zero value is right for tests.
type Options struct {
	// Durable has every commit reach the disk, as in production. Without it a
	// commit is only as safe as the machine's memory, and much faster.
	Durable bool
	// Standbys is how many servers may follow this one. With 0 it writes no more
	// to its log than it needs for itself.
	Standbys int
	// Settings are added to the server's own, and win over those chosen here. They
	// are given on the command line, so that ALTER SYSTEM does not change them.
	Settings map[string]string
}

// A Mode is a way to stop a server.
type Mode syscall.Signal

// Fast ends every session, writes all to disk and leaves a clean cluster.
// Immediate leaves at once; the next start recovers from the log.
const (
	Fast      = Mode(syscall.SIGINT)
	Immediate = Mode(syscall.SIGQUIT)
)

// patience bounds each start and stop of a server.
const patience = time.Minute

// A Cluster is a PostgreSQL server with its data in a temporary folder. It
// listens on 127.0.0.1 alone, on a port that the system chose, and wants the
// password that its URL holds. The last goroutine to use it calls Close; Start,
// Stop, Kill and Close are for one goroutine at a time. Should the process die
// before that, a guard ends the server and removes the folder.
type Cluster struct {
	child
	programs programs
	options  Options
	owner    *owner // nil: whoever runs this
	guard    *guard
	folder   string
	password string
	port     int
}

// Start makes a cluster and starts its server, and returns once that answers.
// It fails with ErrNoServer where PostgreSQL is not installed.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	c := &Cluster{child: child{name: "PostgreSQL server"}, options: options, password: rand.Text()}
	return c.begin(ctx, c.initialise)
}

// begin makes the folder, has fill put the data there, and starts the server.
func (c *Cluster) begin(ctx context.Context, fill func(context.Context) error) (_ *Cluster, err error) {
	if c.programs, err = find(ctx); err != nil {
		return nil, err
	}
	if c.owner, err = unprivileged(); err != nil {
		return nil, err
	}
	if c.folder, err = os.MkdirTemp(c.room(), "keyport-postgres-"); err != nil {
		return nil, err
	}
	if err = c.prepare(); err == nil {
		err = fill(ctx)
	}
	if err == nil {
		err = c.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// room says where the folder should be: in memory where nothing needs to last,
// there is plenty of it, and nobody has asked for another place. A database is
// 300 files; to make them took 20 ms in memory and up to 250 on a busy disk.
func (c *Cluster) room() string {
	const memory, plenty = "/dev/shm", 1 << 30 // bytes
	if c.options.Durable || os.Getenv("TMPDIR") != "" || free(memory) < plenty {
		return os.TempDir()
	}
	return memory
}

// prepare posts the guard: it stands before there is anything to guard.
func (c *Cluster) prepare() (err error) {
	c.log = filepath.Join(c.folder, "log")
	if err := c.owner.own(c.folder); err != nil {
		return err
	}
	c.guard, err = stand(c.folder, c.lockFile(), c.data(), c.owner)
	return err
}

// initialise makes the data of a new cluster.
func (c *Cluster) initialise(ctx context.Context) error {
	secret := filepath.Join(c.folder, "password")
	kept := c.password
	if !c.options.Durable {
		var err error
		if kept, err = quickSecret(c.password); err != nil {
			return err
		}
	}
	if err := os.WriteFile(secret, []byte(kept), 0o600); err != nil {
		return err
	}
	if err := c.owner.own(secret); err != nil {
		return err
	}
	// A collation of a language, as most servers have, and not the order of
	// bytes: a query that leans on the order of bytes without saying so fails here.
	err := c.do(ctx, "initdb", "--pgdata", c.data(),
		"--username", "postgres", "--pwfile", secret, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--locale", "C", "--locale-provider", "icu", "--icu-locale", "en", "--no-sync")
	if err != nil {
		return err
	}
	return os.Remove(secret)
}

// do runs one of the server's programs to its end.
func (c *Cluster) do(ctx context.Context, program string, args ...string) error {
	p := exec.CommandContext(ctx, c.programs.path(program), args...)
	p.Dir, p.Env, p.SysProcAttr = c.folder, c.programs.environment(c.folder), c.owner.attributes()
	if out, err := p.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

// URL returns the address of the database db, for the superuser. It stays the
// same while the cluster lives.
func (c *Cluster) URL(db string) string {
	return address(c.password, net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)), db)
}

func address(password, host, db string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", password), Host: host, Path: "/" + db, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Start starts the server again after Stop or Kill, on the same data and the
// same port, and returns once it answers. It does nothing while one runs.
func (c *Cluster) Start(ctx context.Context) error {
	if c.running() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	chosen := c.port
	for {
		if chosen == 0 {
			var err error
			if c.port, err = freePort(); err != nil {
				return err
			}
		}
		if err := c.launch(c.command(), c.programs.environment(c.folder), c.folder, c.owner); err != nil {
			return err
		}
		err := c.answers(ctx, c.URL("postgres"))
		if err == nil {
			return nil
		}
		// A port that was free a moment ago may have been taken since.
		if !errors.Is(err, errExited) || !c.lastSaid("could not bind IPv4 address") || pause(ctx) != nil {
			return errors.Join(err, c.Kill())
		}
	}
}

// Stop ends the server by its own means and waits until it has gone. It does
// nothing where none runs.
func (c *Cluster) Stop(mode Mode) error {
	if !c.running() {
		return nil
	}
	if err := syscall.Kill(c.pid, syscall.Signal(mode)); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for c.running() {
		if err := pause(ctx); err != nil {
			return errors.Join(fmt.Errorf("the server has not stopped: %w", err), c.Kill())
		}
	}
	return nil
}

// Kill ends the server and all its processes by SIGKILL, as a crash of the
// machine would but for the memory of the disk, and waits until they have gone.
func (c *Cluster) Kill() error {
	if !c.running() {
		return nil
	}
	// Held still, the server can have no more children than those listed.
	if err := syscall.Kill(c.pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("kill the server: %w", err)
	}
	family, err := children(c.pid)
	for _, pid := range append(family, c.pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have gone by itself
	}
	if err != nil {
		return fmt.Errorf("list the server's processes: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for c.running() || slices.ContainsFunc(family, alive) {
		if err := pause(ctx); err != nil {
			return fmt.Errorf("the server has not died: %w", err)
		}
	}
	return nil
}

// Close ends the server, if it runs, and removes all that the cluster left. The
// cluster cannot be used again.
func (c *Cluster) Close() error {
	err := c.Stop(Immediate)
	forget(c.lockFile())
	return errors.Join(err, c.guard.dismiss(), os.RemoveAll(c.folder))
}

func (c *Cluster) data() string     { return filepath.Join(c.folder, "data") }
func (c *Cluster) lockFile() string { return filepath.Join(c.data(), "postmaster.pid") }

// command is how the server is called.
func (c *Cluster) command() []string {
	argv := []string{c.programs.path("postgres"), "-D", c.data()} // which finds its own files by this name
	settings := c.settings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		argv = append(argv, "-c", name+"="+settings[name])
	}
	return argv
}

// settings keep the server small, and all of it inside its folder.
func (c *Cluster) settings() map[string]string {
	s := map[string]string{
		"listen_addresses":           "127.0.0.1",
		"port":                       strconv.Itoa(c.port),
		"unix_socket_directories":    "",
		"dynamic_shared_memory_type": "mmap",
		"shared_buffers":             "16MB",
		"max_connections":            "100",
		"wal_level":                  "minimal",
		"max_wal_senders":            "0",
		"log_min_messages":           "log", // not the errors that tests provoke
		"logging_collector":          "off",
	}
	if !c.options.Durable {
		maps.Copy(s, map[string]string{
			"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
			"min_wal_size": "32MB", "max_wal_size": "128MB",
		})
	}
	if n := c.options.Standbys; n > 0 {
		maps.Copy(s, map[string]string{
			"wal_level":       "replica",
			"max_wal_senders": strconv.Itoa(2*n + 2), // two while one is copied; the connection of one that was killed may linger
			"wal_keep_size":   "256MB",               // for one that comes back
		})
	}
	maps.Copy(s, c.options.Settings)
	return s
}
