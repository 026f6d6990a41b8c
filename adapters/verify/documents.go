package verify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

const maxKeySet = 64 << 10 // bytes

// restraint is the least time between two tries to find keys that only tokens have
// named: who makes up names does not send us to Keyport more often.
const restraint = 5 * time.Second

// lookPatience bounds how long a caller waits for such a try.
const lookPatience = 3 * time.Second

// keysTrusted is how old a key set may be when the feed is begun anew. The feed
// tells which keys were retired within domain.ChangeRetention, so this is less.
const keysTrusted = domain.ChangeRetention - 10*time.Minute

// documents are the metadata and the key set as they were read last. keepDocuments
// alone reads them, and whoever wants them anew wakes it.
type documents struct {
	wake     chan struct{} // holds an item when they are wanted before they are due
	readings atomic.Int64  // of the key set; written with mu

	mu     sync.Mutex
	ended  chan struct{}  // closed, and replaced, when a try has ended
	tried  *time.Duration // uptime at which the last try ended; nil: there was none
	failed bool           // that try
	sought bool           // lookAgain has wanted the next
	read   *time.Duration // uptime as of which the keys are known; nil: they are not
	count  int            // of keys

	metadata metadata      // zero: not read yet
	due      time.Duration // uptime, of the metadata
}

func newDocuments() *documents {
	return &documents{wake: make(chan struct{}, 1), ended: make(chan struct{})}
}

// want has the key set read anew, soon.
func (d *documents) want() {
	select {
	case d.wake <- struct{}{}:
	default: // it is wanted already
	}
}

// keepDocuments reads the metadata and the key set whenever they are due or wanted,
// until ctx ends or there is no use.
func (v *Verifier) keepDocuments(ctx context.Context) error {
	d, o := v.documents, outage{what: "the key set", log: v.c.Log}
	for {
		select { // what was wanted until now is what is done now
		case <-d.wake:
		default:
		}
		fresh, err := v.readDocuments(ctx)
		d.end(v.uptime(), err)
		if final(ctx, err) {
			return err
		}
		if err != nil {
			o.wait(ctx, err)
			continue
		}
		o.over()
		due := time.NewTimer(fresh)
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-due.C:
		}
		due.Stop()
	}
}

// readDocuments reads the key set, and the metadata before it if they are due. It
// returns how long the key set is fresh.
func (v *Verifier) readDocuments(ctx context.Context) (fresh time.Duration, err error) {
	d := v.documents
	if due := d.metadataDue(); due <= v.uptime() {
		m, life, err := v.readMetadata(ctx)
		if err != nil {
			return 0, err
		}
		d.learnMetadata(m, v.uptime()+life)
		v.most.Store(int64(m.revocationMax(v.c.RevocationMax)))
	}
	sent := v.uptime()
	header, body, err := v.ask(ctx, inquiry{url: d.know().KeySet, patience: documentPatience, most: maxKeySet})
	if err != nil {
		return 0, err
	}
	fresh, age := freshness(header)
	if age > keysTrusted {
		return 0, fmt.Errorf("verify: the key set is a copy from %v ago", age)
	}
	if err := d.learnKeys(v.reader, body, sent-age); err != nil {
		return 0, fmt.Errorf("verify: the key set cannot be read: %w", err)
	}
	return fresh, nil
}

func (d *documents) metadataDue() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.due
}

func (d *documents) learnMetadata(m metadata, due time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.metadata, d.due = m, due
}

// learnKeys has the reader learn a key set that is known as of an uptime.
func (d *documents) learnKeys(r *jose.Reader, keySet []byte, asOf time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := r.Learn(keySet); err != nil {
		return err
	}
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	_ = json.Unmarshal(keySet, &set) // the reader has read it
	d.count, d.read = len(set.Keys), &asOf
	d.readings.Add(1)
	return nil
}

// readAgain reports whether the key set was read since there were so many readings.
// Where the reader knows the keys of one already, it is counted.
func (d *documents) readAgain(readings int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.readings.Load() != readings
}

// end notes that a try has ended, and lets those go on that wait for it.
func (d *documents) end(uptime time.Duration, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tried, d.failed, d.sought = &uptime, err != nil, false
	close(d.ended)
	d.ended = make(chan struct{})
}

// know returns the metadata; they are zero while none were read.
func (d *documents) know() metadata {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.metadata
}

func (d *documents) keys() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// await waits until the keys are no older than keysTrusted, and has them read if
// they are not.
func (d *documents) await(ctx context.Context, uptime func() time.Duration) error {
	for {
		d.mu.Lock()
		trusted := d.read != nil && uptime()-*d.read <= keysTrusted
		trying, ended := d.read == nil || d.failed, d.ended
		d.mu.Unlock()
		if trusted {
			return nil
		}
		if !trying {
			d.want()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ended:
		}
	}
}

// lookAgain has the key set read anew for a token that names a key that is not
// known, and waits for that. If it was tried lately it does nothing. It fails where
// the last try failed, so that nobody knows what keys there are, and where there is
// no end to it in time.
func (d *documents) lookAgain(ctx context.Context, uptime time.Duration) error {
	d.mu.Lock()
	lately := d.tried != nil && uptime-*d.tried < restraint
	if !lately && !d.sought {
		d.sought = true
		d.want()
	}
	failed, ended := d.failed, d.ended
	d.mu.Unlock()
	if !lately {
		patience := time.NewTimer(lookPatience)
		defer patience.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-patience.C:
			return errSilence
		case <-ended:
		}
		d.mu.Lock()
		failed = d.failed
		d.mu.Unlock()
	}
	if failed {
		return errKeys
	}
	return nil
}

var errKeys = errors.New("the token names a key that is not known, and the key set cannot be had")
