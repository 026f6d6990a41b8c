package app

import (
	"context"
	"sync/atomic"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/adapters/sqlite"
)

// What the parts know of themselves, as metrics. docs/metrics.md lists them.

func (o *opened) gauge(name, help string, f func() float64)   { o.metrics.Gauge(name, help, f) }
func (o *opened) counter(name, help string, f func() float64) { o.metrics.Counter(name, help, f) }

// measure offers what all stores have in common.
func (o *opened) measure(hasher *password.Hasher) {
	o.gauge("keyport_hashes_running", "Password hashes that run now.", func() float64 { return float64(hasher.Stats().Running) })
	o.gauge("keyport_hashes_waiting", "Password hashes that wait for their turn.", func() float64 { return float64(hasher.Stats().Waiting) })
	o.counter("keyport_hashes_refused_total", "Password hashes that were refused because too many waited.", func() float64 { return float64(hasher.Stats().Refused) })
	o.counter("keyport_token_signatures_total", "Access tokens whose signature was checked.", func() float64 { return float64(o.keys.Stats().Signatures) })
	o.counter("keyport_token_recalled_total", "Access tokens that were remembered, so that no signature was checked.", func() float64 { return float64(o.keys.Stats().Recalled) })
	o.gauge("keyport_tokens_remembered", "Access tokens that are remembered, about.", func() float64 { return float64(o.keys.Stats().Remembered) })
	o.counter("keyport_trace_spans_sent_total", "Spans that the collector of traces has taken.", func() float64 { sent, _ := o.tracing.Sent(); return float64(sent) })
	o.counter("keyport_trace_spans_lost_total", "Spans that it would not take.", func() float64 { _, lost := o.tracing.Sent(); return float64(lost) })
}

func (o *opened) measureSQLite(store *sqlite.Store) {
	o.counter("keyport_sqlite_groups_total", "Commits, each of a group of writes.", func() float64 { return float64(store.Stats().Groups) })
	o.counter("keyport_sqlite_writes_total", "Writes that were committed in groups.", func() float64 { return float64(store.Stats().Members) })
	o.counter("keyport_sqlite_groups_lost_total", "Groups of writes that could not be committed, as on a disk that is full; whoever sent them was told.", func() float64 { return float64(store.Stats().Lost) })
	o.gauge("keyport_sqlite_writes_waiting", "Writes that wait for the next group.", func() float64 { return float64(store.Stats().Waiting) })
}

func (o *opened) measurePostgres(store *postgres.Store) {
	o.gauge("keyport_pool_connections", "Connections to PostgreSQL that are open.", func() float64 { return float64(store.Stats().Open) })
	o.gauge("keyport_pool_busy", "Connections to PostgreSQL that are in use.", func() float64 { return float64(store.Stats().InUse) })
	o.gauge("keyport_pool_idle", "Connections to PostgreSQL that are open and not in use.", func() float64 { return float64(store.Stats().Idle) })
	o.gauge("keyport_pool_max", "Connections to PostgreSQL that may be open at once.", func() float64 { return float64(store.Stats().Max) })
	o.counter("keyport_pool_waits_total", "Times that no connection was free at once.", func() float64 { return float64(store.Stats().Waits) })
	o.counter("keyport_pool_wait_seconds_total", "Time that was spent waiting for a connection.", func() float64 { return store.Stats().Waited.Seconds() })
	o.counter("keyport_pool_abandoned_total", "Waits for a connection that were given up.", func() float64 { return float64(store.Stats().Abandoned) })
	o.counter("keyport_notices_sent_total", "Times that this replica told others that there may be news on the bulletin.", func() float64 { return float64(store.Stats().NoticesSent) })
	o.counter("keyport_notices_heard_total", "Times that this replica was told so.", func() float64 { return float64(store.Stats().NoticesHeard) })
	o.counter("keyport_notices_broken_total", "Times that the connection on which it listens was lost.", func() float64 { return float64(store.Stats().HearingBroken) })
}

func (o *opened) measureServices(c Config, s wire.Services) {
	o.gauge("keyport_bulletin_age_seconds", "Time since this replica last heard what was revoked.", func() float64 { return s.Tokens.News().Age.Seconds() })
	o.gauge("keyport_bulletin_age_max_seconds", "Age past which the store is asked on each request: KEYPORT_REVOCATION_MAX.", func() float64 { return c.RevocationMax.Seconds() })
	o.gauge("keyport_bulletin_lag_seconds", "Time from the latest revocation to its effect on this replica.", func() float64 { return s.Tokens.News().Lag.Seconds() })
	o.gauge("keyport_bulletin_changes", "Revocations that this replica has in mind.", func() float64 { return float64(s.Tokens.News().Changes) })
	o.gauge("keyport_watchers", "Streams that watch records on this replica.", func() float64 { return float64(s.Resources.Watching()) })
	o.gauge("keyport_imports_running", "Imports of records that are under way on this replica.", func() float64 { return float64(s.Resources.Tally().Importing) })
	o.counter("keyport_import_records_stored_total", "Records that imports have stored.", func() float64 { return float64(s.Resources.Tally().Stored) })
	o.counter("keyport_import_records_refused_total", "Lines of imports that were refused.", func() float64 { return float64(s.Resources.Tally().Refused) })
	o.counter("keyport_sessions_opened_total", "Sessions that were opened.", func() float64 { return float64(s.Tokens.Tally().Opened) })
	o.counter("keyport_sessions_refreshed_total", "Refresh tokens that were traded for their successor.", func() float64 { return float64(s.Tokens.Tally().Rotated) })
	o.counter("keyport_sessions_repeated_total", "Refreshes whose answer was given again, within the grace.", func() float64 { return float64(s.Tokens.Tally().Repeated) })
	o.counter("keyport_sessions_reused_total", "Refresh tokens that had been used before, so that their session ended: perhaps somebody stole one.", func() float64 { return float64(s.Tokens.Tally().Reused) })
	o.counter("keyport_sessions_refused_total", "Refresh tokens whose session was over.", func() float64 { return float64(s.Tokens.Tally().Refused) })
	o.counter("keyport_sessions_ended_total", "Sessions that were ended one by one, those of reused tokens too; not those that ran out, or whose account was suspended or deleted.", func() float64 { return float64(s.Tokens.Tally().Ended) })
}

// measureStore returns hear, which asks the store for news several times a second, and
// shows whether it was answered.
func (o *opened) measureStore(hear func(context.Context) error) func(context.Context) error {
	var up atomic.Int32
	o.gauge("keyport_store_up", "Whether the store answered when this replica last asked for news, as it does several times a second.", func() float64 { return float64(up.Load()) })
	return func(ctx context.Context) error {
		err := hear(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			up.Store(0)
		default:
			up.Store(1)
		}
		return err
	}
}
