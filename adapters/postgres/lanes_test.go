package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/postgres"
	"github.com/keyport-go/keyport/domain"
)

// Whoever wants a locked table takes no connection that others need.
func TestATableThatIsLockedHoldsUpNobodyElse(t *testing.T) {
	s, url := open(t, postgres.Config{MaxConns: 4, LockTimeout: time.Minute, StatementTimeout: time.Minute, AcquireTimeout: time.Minute})
	register(t, s, ada, "ada")
	for _, c := range []struct {
		table string
		want  func() error // the table
		other func() error
	}{
		{
			"records",
			func() error {
				_, err := s.Records().Get(t.Context(), domain.CollectionRef{Name: "ships"}, "01890a5d-ac96-774b-bcce-b302099a8057")
				return err
			},
			func() error { _, err := s.Accounts().ByID(t.Context(), ada); return err },
		},
		{
			"sessions",
			func() error { _, err := s.Sessions().ByID(t.Context(), session(1, ada).ID, noon); return err },
			func() error { _, err := s.Collections().List(t.Context()); return err },
		},
	} {
		t.Run(c.table, func(t *testing.T) {
			watch := connect(t, url)
			lock, err := connect(t, url).Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := lock.Exec(t.Context(), `LOCK TABLE `+c.table+` IN ACCESS EXCLUSIVE MODE`); err != nil {
				t.Fatal(err)
			}
			var waiting sync.WaitGroup
			for range 16 {
				waiting.Go(func() { _ = c.want() })
			}
			for held := 0; held < 2; {
				err := watch.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&held)
				if err != nil {
					t.Fatal(err)
				}
				if held > 2 {
					t.Errorf("%d of 4 connections wait for one table, want two at most", held)
				}
			}
			if err := c.other(); err != nil {
				t.Errorf("somebody else: %v", err)
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("whether the server is there: %v", err)
			}
			if err := lock.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
			waiting.Wait()
		})
	}
}
