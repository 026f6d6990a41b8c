package pgtest

import (
	"context"
	"crypto/rand"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Tenant makes a role, and a database that it owns, both of a name that is new, and
// returns the database's address for that role. It is no superuser: of the connections
// that the server keeps back for those it gets none.
func (c *Cluster) Tenant(ctx context.Context) (string, error) {
	name, password := newName(), strings.ToLower(rand.Text())
	err := c.session(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "CREATE ROLE "+name+" LOGIN PASSWORD '"+password+"'"); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "CREATE DATABASE "+name+" OWNER "+name+" TEMPLATE template0")
		return err
	})
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(name, password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)), Path: "/" + name, RawQuery: "sslmode=disable",
	}
	return u.String(), err
}
