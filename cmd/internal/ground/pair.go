package ground

import (
	"context"
	"errors"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
)

// A Pair is a PostgreSQL server, and another that follows it and that each commit
// waits for. What is done to them is for its callers. One goroutine at a time uses it.
type Pair struct {
	Primary, Standby *pgtest.Cluster
	g                *Ground
}

// Pair starts a pair. The caller closes it.
func (g *Ground) Pair(ctx context.Context) (_ *Pair, err error) {
	const name = "second"
	p := &Pair{g: g}
	if p.Primary, err = pgtest.Start(ctx, pgtest.Options{Durable: true, Standbys: 1}); err != nil {
		return nil, err
	}
	if p.Standby, err = p.Primary.Standby(ctx, name); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if err = p.Primary.Await(ctx, name); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Close ends both servers.
func (p *Pair) Close() error {
	errs := []error{p.Primary.Close()}
	if p.Standby != nil {
		errs = append(errs, p.Standby.Close())
	}
	return errors.Join(errs...)
}

// Site returns a site in the database of whichever server takes writes.
func (p *Pair) Site() (Site, error) {
	return p.g.site("PostgreSQL", "KEYPORT_DATABASE_URL="+pgtest.URLOf("postgres", p.Primary, p.Standby), "KEYPORT_MASTER_KEY="+p.g.master)
}
