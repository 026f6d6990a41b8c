package v1

import (
	"context"
	"net/http"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// maxWait bounds how long a request for revocations waits, in seconds: less than
// what proxies usually give up after.
const maxWait = 25

// A revocation is one thing that is not valid any more.
type revocation struct {
	Kind    domain.ChangeKind `json:"kind" enum:"session,authority,token,key,retired" doc:"session: access tokens whose sid it is are not valid. authority: those whose sub it is and whose av is below value are not. token: the one whose jti it is is not. retired: those whose kid it is are not. key: there is a new key; read the key set."`
	Subject string            `json:"subject"`
	Value   int64             `json:"value,omitzero"`
	At      time.Time         `json:"at"`
}

// A feed is what there is to tell.
type feed struct {
	Changes []revocation `json:"changes" nullable:"false" doc:"In no particular order; some may have been told before."`
	Next    string       `json:"next" doc:"The cursor to go on with."`
	AsOf    float64      `json:"as_of" doc:"Seconds from when the request came to the moment up to which all has been told."`
}

func (d dialect) revocations() {
	asked(d, operation("read-revocations", http.MethodGet, "/v1/revocations", "Hear what was revoked (introspect or admin)", http.StatusOK, 401, 403), d.readRevocations)
}

func (d dialect) readRevocations(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Cursor string `query:"cursor" doc:"The next of the answer before. Without it all is told that is still of interest: of the last 70 minutes."`
	Wait   int    `query:"wait" minimum:"0" maximum:"25" doc:"Seconds to wait for something new, and never longer than the server lets a request take. 0: do not wait."`
},
) (*struct{ Body feed }, error) {
	var wait <-chan time.Time
	if in.Wait > 0 {
		timer := time.NewTimer(d.patience(ctx, time.Duration(min(in.Wait, maxWait))*time.Second))
		defer timer.Stop()
		wait = timer.C
	}
	r, err := d.Tokens.Revocations(ctx, who, in.Cursor, wait)
	if err != nil {
		return nil, err
	}
	if wait != nil { // its right may have ended while it waited
		if who, err = d.asker(ctx, in.Authorization); err == nil {
			err = who.MustInspect()
		}
		if err != nil {
			return nil, err
		}
	}
	out := feed{Changes: make([]revocation, 0, len(r.Changes)), Next: r.Next, AsOf: r.AsOf.Seconds()}
	for _, c := range r.Changes {
		out.Changes = append(out.Changes, revocation{c.Kind, c.Subject, c.Value, c.At})
	}
	return &struct{ Body feed }{out}, nil
}

// patience returns how much of wait a request has time for: it is answered some
// way before its deadline.
func (dialect) patience(ctx context.Context, wait time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(wait, time.Until(deadline)*3/4)
	}
	return wait
}
