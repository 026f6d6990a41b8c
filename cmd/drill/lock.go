package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// lockFree is how long before a lock ends a request must begin for it to have been
// refused, and how long after that all is well.
const lockFree = time.Second

// A locking is a table that somebody holds, and who asks for what is in it meanwhile.
type locking struct {
	table   string
	wanting []string // what needs the table
	others  []string
}

var lockings = []locking{
	{"records", []string{aRecord, aList, aNew, aRetry}, []string{aCheck, aMe, aRefresh, aSignIn, aLive, aReady}},
	{"sessions", []string{aRefresh, aSignIn}, []string{aRecord, aList, aNew, aRetry, aCheck, aMe, aLive, aReady}},
}

// locked has another session hold a table, so that nobody even reads it, while
// everybody asks for everything.
func locked(ctx context.Context, g *ground.Ground, s size, r *report) (err error) {
	site, err := g.PostgreSQL()
	if err != nil {
		return err
	}
	k, err := site.ServeDemo(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Kill()) }()
	client := k.Client()
	defer client.Close()
	secret, err := site.SetPassword(ctx, "admin")
	if err != nil {
		return err
	}
	admin, err := client.SignIn(ctx, "admin", secret)
	if err != nil {
		return err
	}
	people, err := newCast(ctx, client, "lock")
	if err != nil {
		return err
	}
	var broken []error
	for _, l := range lockings {
		if err := l.drill(ctx, g, s, r, site.Store, client, people, admin); err != nil {
			broken = append(broken, fmt.Errorf("%s locked: %w", l.table, err))
		}
	}
	return errors.Join(broken...)
}

func (l locking) drill(ctx context.Context, g *ground.Ground, s size, r *report, store string, c *process.Client, people *cast, admin process.Grant) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	t := new(traffic)
	for range 12 {
		refreshing, err := people.refreshing(ctx, c)
		if err != nil {
			stop()
			return errors.Join(err, t.wait())
		}
		t.send(working, c, 1, refreshing)
	}
	t.send(working, c, 24, people.reading())
	t.send(working, c, 8, people.listing())
	t.send(working, c, 8, people.writing(false))
	t.send(working, c, 8, people.writing(true))
	t.send(working, c, 4, checking(admin))
	t.send(working, c, 4, people.me())
	t.send(working, c, 2, people.signingIn())
	t.send(working, c, 1, probing(aLive))
	t.send(working, c, 1, probing(aReady))
	err := pause(ctx, before)
	var from, to time.Time
	if err == nil {
		from, to, err = hold(ctx, g.Postgres.URL("postgres"), l.table, s.lock)
	}
	err = errors.Join(err, pause(ctx, 2*lockFree))
	stop()
	if err := errors.Join(err, t.wait()); err != nil {
		return err
	}
	return l.judge(t, from, to, r, store)
}

func (l locking) judge(t *traffic, from, to time.Time, r *report, store string) error {
	all := t.between(from, to)
	when := fmt.Sprintf("while %s is locked for %v", l.table, to.Sub(from).Round(time.Second))
	tell(r, store, when, all)
	errs := []error{served(when, all, l.others...), prompt(when, all)}
	during := t.between(from, to.Add(-answeredWithin))
	for _, what := range l.wanting {
		if h := during[what]; h.refused() == 0 || h.refused() < len(h.times) {
			errs = append(errs, fmt.Errorf("%s %s: %v: the table was not locked, or the drill has proved nothing", what, when, h))
		}
	}
	after := "after the lock on " + l.table
	all = t.between(to.Add(lockFree), time.Now())
	errs = append(errs, served(after, all, l.wanting...), served(after, all, l.others...))
	return errors.Join(errs...)
}

// hold holds a table for a while, and says from when to when.
func hold(ctx context.Context, url, table string, long time.Duration) (from, to time.Time, err error) {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return from, to, err
	}
	defer func() { err = errors.Join(err, c.Close(context.WithoutCancel(ctx))) }()
	tx, err := c.Begin(ctx)
	if err != nil {
		return from, to, err
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE "+pgx.Identifier{table}.Sanitize()+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return from, to, err
	}
	from = time.Now()
	err = pause(ctx, long)
	to = time.Now()
	return from, to, errors.Join(err, tx.Rollback(ctx))
}
