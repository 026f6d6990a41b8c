package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Standby copies the cluster, whose Options allow for it, and starts a server that
// follows it under that name, takes reads alone, and lets the same passwords in.
// Its options are those of the cluster. It returns once the standby answers; its
// last user closes it, and it may be stopped, killed and started like any other.
// What it has not received when the cluster ends is lost to it, unless the cluster
// waits for it: see Await.
func (c *Cluster) Standby(ctx context.Context, name string) (*Cluster, error) {
	s := &Cluster{child: child{name: "PostgreSQL standby"}, options: c.options, password: c.password}
	return s.begin(ctx, func(ctx context.Context) error {
		return s.copy(ctx, c.port, name)
	})
}

// copy makes the data from those of the server at a port of this machine.
func (c *Cluster) copy(ctx context.Context, port int, name string) error {
	// The password is in a file, for everybody can read the arguments of a process.
	// It stays: the standby follows by it.
	secret := filepath.Join(c.folder, "passfile")
	if err := os.WriteFile(secret, []byte("*:*:*:*:"+c.password+"\n"), 0o600); err != nil {
		return err
	}
	if err := c.owner.own(secret); err != nil {
		return err
	}
	from := strings.Join([]string{
		"host=127.0.0.1", "port=" + strconv.Itoa(port), "user=postgres", "sslmode=disable",
		"passfile=" + secret, "application_name=" + name,
	}, " ")
	args := []string{
		"--dbname", from, "--pgdata", c.data(), "--wal-method", "stream", "--checkpoint", "fast", "--write-recovery-conf",
	}
	if !c.options.Durable {
		args = append(args, "--no-sync")
	}
	return c.do(ctx, "pg_basebackup", args...)
}

// Await has every commit wait until it is on the disk of the standby of that name
// too, and returns once that is so. "" has them wait for none, and releases those
// that do: it is what a new primary needs, and one that has lost its standby.
// It outlives a restart. Where the cluster is not Durable, its Settings must have
// synchronous_commit on: commits wait for nothing otherwise.
func (c *Cluster) Await(ctx context.Context, standby string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.session(ctx, func(conn *pgx.Conn) error {
		// The server takes no parameters here, and the name is in quotes of its own.
		value := pgx.Identifier{standby}.Sanitize()
		if standby == "" {
			value = ""
		}
		_, err := conn.Exec(ctx, "ALTER SYSTEM SET synchronous_standby_names = '"+strings.ReplaceAll(value, "'", "''")+"'")
		if err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "SELECT pg_reload_conf()"); err != nil {
			return err
		}
		const inForce = `SELECT current_setting('synchronous_standby_names') = $1 AND
			($2 = '' OR EXISTS (SELECT FROM pg_stat_replication WHERE application_name = $2 AND sync_state = 'sync'))`
		for {
			var done bool
			if err := conn.QueryRow(ctx, inForce, value, standby).Scan(&done); err != nil || done {
				return err
			}
			if err := pause(ctx); err != nil {
				return fmt.Errorf("the standby %q is not waited for: %w", standby, err)
			}
		}
	})
}

// Promote makes a standby a primary, and returns once it takes writes. Those wait
// for the standby that the old primary waited for, if it was told so before it was
// copied, until Await says otherwise.
func (c *Cluster) Promote(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.session(ctx, func(conn *pgx.Conn) error {
		var done bool
		err := conn.QueryRow(ctx, "SELECT pg_promote(true, $1)", int32(patience.Seconds())).Scan(&done)
		if err == nil && !done {
			err = errors.New("the standby was not promoted in time")
		}
		return err
	})
}

// URLOf returns the address of the database db on whichever of some clusters with
// the same password takes writes. The first that does is used.
func URLOf(db string, clusters ...*Cluster) string {
	hosts := make([]string, len(clusters))
	for i, c := range clusters {
		hosts[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port))
	}
	return address(clusters[0].password, strings.Join(hosts, ","), db) + "&target_session_attrs=read-write"
}

// session runs f on a connection.
func (c *Cluster) session(ctx context.Context, f func(*pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return f(conn)
}
