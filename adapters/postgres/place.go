package postgres

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Place returns the url of a database as others may see it: where it is, and who comes
// there, without a password. It is one that the server's own programs take (PostgreSQL
// manual, section 34.1.1.2): what only pgx knows is left out.
func Place(text string) (string, error) {
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		return "", fmt.Errorf("postgres: %w", err)
	}
	c := config.ConnConfig
	place := "postgres://"
	if c.User != "" {
		place += url.User(c.User).String() + "@"
	}
	place += strings.Join(addresses(c), ",") + "/" + url.PathEscape(c.Database)
	if more := settings(text); more != "" {
		place += "?" + more
	}
	return place, nil
}

// addresses returns the hosts in their order, each once: a connection with TLS and one
// without are two to pgx.
func addresses(c *pgx.ConnConfig) []string {
	var all []string
	add := func(host string, port uint16) {
		if strings.HasPrefix(host, "/") { // a socket
			host = url.PathEscape(host)
		}
		if at := net.JoinHostPort(host, strconv.Itoa(int(port))); !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	add(c.Host, c.Port)
	for _, f := range c.Fallbacks {
		add(f.Host, f.Port)
	}
	return all
}

// shown are the parameters that both libpq and pgx know, and that hold no secret.
var shown = []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs", "connect_timeout", "options"}

func settings(text string) string {
	_, query, _ := strings.Cut(text, "?")
	given, _ := url.ParseQuery(query) // it was parsed before
	kept := make(url.Values)
	for _, name := range shown {
		if given.Has(name) {
			kept[name] = given[name]
		}
	}
	return kept.Encode()
}
