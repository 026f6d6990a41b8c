package tokens

import (
	"sync/atomic"

	"github.com/keyport-go/keyport/domain"
)

// A Tally is what was done with sessions on this replica since it started, for
// metrics. What another replica does it counts itself.
type Tally struct {
	Opened   int64 // sessions
	Rotated  int64 // refresh tokens that were traded for their successor
	Repeated int64 // answers to a refresh that were given again, within the grace
	Reused   int64 // refresh tokens that somebody had used before: their sessions ended
	Refused  int64 // refresh tokens of ours whose session was over
	Ended    int64 // sessions that were ended one by one, those of Reused among them
}

// Tally returns the figures of this moment. A session that just ran out is not Ended,
// nor are those of an account that was suspended or deleted: no one counts them.
func (s *Service) Tally() Tally {
	return Tally{
		Opened: s.tally.opened.Load(), Ended: s.tally.ended.Load(),
		Rotated: s.tally.verdicts[domain.Rotated].Load(), Repeated: s.tally.verdicts[domain.Repeated].Load(),
		Reused: s.tally.verdicts[domain.Reused].Load(), Refused: s.tally.verdicts[domain.Refused].Load(),
	}
}

type tally struct {
	opened, ended atomic.Int64
	verdicts      [4]atomic.Int64 // by domain.Verdict
}

func (t *tally) refreshed(v domain.Verdict) { t.verdicts[v].Add(1) }

// learned counts what was ended here. It is told of every change that is made here,
// also by others than this service.
func (t *tally) learned(changes []domain.Change) {
	for _, c := range changes {
		if c.Kind == domain.SessionEnded {
			t.ended.Add(1)
		}
	}
}
