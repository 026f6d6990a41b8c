package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keyport-go/keyport/cmd/internal/ground"
)

// cutEachSecond ends the connections by which replicas listen, once a second until
// ctx ends, and says how many those were.
func cutEachSecond(ctx context.Context, g *ground.Ground) (cuts int, err error) {
	const sql = `
		SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event = 'ClientRead' AND query ~ '^LISTEN '`
	c, err := pgx.Connect(ctx, g.Postgres.URL("postgres"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	for {
		var n int
		if err := c.QueryRow(ctx, sql).Scan(&n); err != nil && ctx.Err() == nil {
			return cuts, fmt.Errorf("cutting the connections that listen: %w", err)
		}
		cuts += n
		if pause(ctx, time.Second) != nil {
			return cuts, nil
		}
	}
}
