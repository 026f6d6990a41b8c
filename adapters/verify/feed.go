package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/domain"
)

const (
	maxFeed = 64 << 20         // bytes of one answer
	maxWait = 25 * time.Second // that Keyport lets a request wait

	// snapshotPatience bounds the wait for the answer that tells all.
	snapshotPatience = 10 * time.Second

	// The least times from one request to the next: after one that brought nothing,
	// at most, and after others.
	idlePace = time.Second
	busyPace = 100 * time.Millisecond
)

// news is one answer of the feed.
type news struct {
	Changes []struct {
		Kind    domain.ChangeKind `json:"kind"`
		Subject string            `json:"subject"`
		Value   int64             `json:"value"`
		At      time.Time         `json:"at"`
	} `json:"changes"`
	Next string  `json:"next"`
	AsOf float64 `json:"as_of"` // seconds from when the request came
}

// followFeed hears what was revoked until ctx ends or there is no use. After a
// failure it begins without a cursor, whatever the reason was: the cursor may have
// been refused, or another store may answer next that knows another past.
func (v *Verifier) followFeed(ctx context.Context) error {
	o := outage{what: "the feed of revocations", log: v.c.Log}
	cursor, swept := "", v.uptime()
	for {
		sent := v.uptime()
		next, some, err := v.hear(ctx, cursor)
		if final(ctx, err) {
			return err
		}
		begins := cursor == ""
		cursor = next
		if err != nil {
			o.wait(ctx, err)
			continue
		}
		if !begins { // a feed that can only be begun is not to be had
			o.over()
		}
		if now := v.uptime(); now-swept > time.Minute {
			v.board.Forget(time.Now().Add(-domain.ChangeRetention))
			swept = now
		}
		// Keyport may answer without waiting, and under load there is always news.
		pace := min(v.revocationMax()/4, idlePace)
		if some || begins {
			pace = min(pace, busyPace)
		}
		sleep(ctx, sent+pace-v.uptime())
	}
}

// hear asks the feed once, for all that is of interest if cursor is "", and learns
// what it says. It returns the next cursor, and whether there was any news.
func (v *Verifier) hear(ctx context.Context, cursor string) (next string, some bool, err error) {
	if cursor == "" {
		if err := v.documents.await(ctx, v.uptime); err != nil {
			return "", false, err
		}
	}
	query, patience := make(url.Values), snapshotPatience
	if cursor != "" {
		wait, more := v.patience()
		query.Set("cursor", cursor)
		query.Set("wait", strconv.Itoa(int(wait/time.Second)))
		patience = wait + more
	}
	sent := v.uptime()
	_, body, err := v.ask(ctx, inquiry{
		url: v.documents.know().Feed + "?" + query.Encode(), key: v.c.Key.Reveal(), patience: patience, most: maxFeed,
	})
	if no, ok := errors.AsType[*refusal](err); ok && (no.status == http.StatusUnauthorized || no.status == http.StatusForbidden) {
		return "", false, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err != nil {
		return "", false, err
	}
	var n news
	if err := json.Unmarshal(body, &n); err != nil || n.Next == "" || n.AsOf < 0 {
		return "", false, errors.New("verify: the answer of the feed cannot be read")
	}
	v.learn(n)
	// It was sent before it came, so this is no later than when the store was asked.
	asOf := sent + time.Duration(min(n.AsOf, time.Hour.Seconds())*float64(time.Second))
	v.board.Confirm(min(asOf, v.uptime()))
	return n.Next, len(n.Changes) > 0, nil
}

// patience returns how long Keyport is to wait for news, in whole seconds, and how
// much longer its answer may take to begin. Together they stay within the time after
// which tokens are refused, so that a connection that hangs is given up before.
func (v *Verifier) patience() (wait, more time.Duration) {
	third := v.revocationMax() / 3
	return min(third.Truncate(time.Second), maxWait), max(third, 500*time.Millisecond)
}

// learn applies what the feed has told.
func (v *Verifier) learn(n news) {
	changes := make([]domain.Change, len(n.Changes))
	for i, c := range n.Changes {
		changes[i] = domain.Change{Kind: c.Kind, Subject: c.Subject, Value: c.Value, At: c.At}
	}
	for c := range slices.Values(changes) {
		if c.Kind == domain.KeyRetired {
			v.reader.Retire(c.Subject)
		}
	}
	if v.board.Rekeys(changes) {
		v.documents.want()
	}
	v.board.Learn(changes, time.Now())
}
