package domain

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// ChangeRetention is how long a change is of interest: the longest life that an
// access token may have, and ten minutes for clocks that differ. It does not follow
// the setting, which may have been longer when the token was issued.
const ChangeRetention = time.Hour + 10*time.Minute

// A Board is what somebody who checks access tokens has heard from the bulletin: a
// replica, or another service. It may be used by several goroutines.
type Board struct {
	mu    sync.RWMutex
	ended map[SessionID]time.Time // when it ended
	least map[AccountID]least
	keys  map[keyNews]time.Time // when it was

	refused map[string]time.Time // single access tokens, by jti, and since when

	changed chan struct{} // closed, and replaced, when something new is learnt

	heard bool
	asOf  time.Duration // uptime just before the poll was sent that was answered last
	lag   time.Duration // from the latest cause that was new to us, to its effect here
}

// A least is the authority below which an account's access tokens are not valid.
type least struct {
	authority int64
	at        time.Time
}

// A keyNews is a change of the keys, of which a board only needs to know that it is
// not news.
type keyNews struct {
	kind ChangeKind
	key  string
}

// NewBoard returns a Board that has heard nothing.
func NewBoard() *Board {
	return &Board{
		ended: make(map[SessionID]time.Time), least: make(map[AccountID]least), keys: make(map[keyNews]time.Time),
		refused: make(map[string]time.Time),
		changed: make(chan struct{}),
	}
}

// Learn applies changes that are known at now; twice does no harm. Of kinds that it
// does not know it takes no notice: a newer release may have more.
func (b *Board) Learn(changes []Change, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	news := false
	for _, c := range changes {
		if b.apply(c) {
			news, b.lag = true, now.Sub(c.At)
		}
	}
	if news {
		close(b.changed)
		b.changed = make(chan struct{})
	}
}

// apply applies one change, and reports whether it was news.
func (b *Board) apply(c Change) bool {
	switch c.Kind {
	case SessionEnded:
		id := SessionID(c.Subject)
		if _, known := b.ended[id]; known {
			return false
		}
		b.ended[id] = c.At
	case AuthorityRaised:
		id := AccountID(c.Subject)
		if c.Value <= b.least[id].authority {
			return false
		}
		b.least[id] = least{c.Value, c.At}
	case TokenRefused:
		if _, known := b.refused[c.Subject]; known {
			return false
		}
		b.refused[c.Subject] = c.At
	case KeyAdded, KeyRetired:
		news := keyNews{c.Kind, c.Subject}
		if _, known := b.keys[news]; known {
			return false
		}
		b.keys[news] = c.At
	default:
		return false // of a newer release
	}
	return true
}

// Rekeys reports whether the changes hold one of the keys that is news.
func (b *Board) Rekeys(changes []Change) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.ContainsFunc(changes, func(c Change) bool {
		_, known := b.keys[keyNews{c.Kind, c.Subject}]
		return !known && (c.Kind == KeyAdded || c.Kind == KeyRetired)
	})
}

// News returns a channel that is closed when something new is learnt.
func (b *Board) News() <-chan struct{} {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.changed
}

// Confirm notes that all is known that was committed before asOf, an uptime.
func (b *Board) Confirm(asOf time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.heard || asOf > b.asOf {
		b.heard, b.asOf = true, asOf
	}
}

// Forget drops what is of no interest any more.
func (b *Board) Forget(before time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.ended, func(_ SessionID, at time.Time) bool { return at.Before(before) })
	maps.DeleteFunc(b.least, func(_ AccountID, l least) bool { return l.at.Before(before) })
	maps.DeleteFunc(b.refused, func(_ string, at time.Time) bool { return at.Before(before) })
	maps.DeleteFunc(b.keys, func(_ keyNews, at time.Time) bool { return at.Before(before) })
}

// Recent reports whether the board was heard no longer than most before uptime.
func (b *Board) Recent(uptime, most time.Duration) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.heard && uptime-b.asOf <= most
}

// Revokes reports whether the board has anything against the claims.
func (b *Board) Revokes(c Claims) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	_, ended := b.ended[c.Session]
	_, refused := b.refused[c.TokenID]
	return ended || refused || c.Authority < b.least[c.Subject].authority
}

// A BoardState is how a Board stands, for metrics.
type BoardState struct {
	Heard   bool
	AsOf    time.Duration // uptime as of which it last heard
	Lag     time.Duration // from the latest cause to when it was learnt
	Changes int           // that it has in mind
}

// State returns the figures of this moment.
func (b *Board) State() BoardState {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return BoardState{b.heard, b.asOf, b.lag, len(b.ended) + len(b.least) + len(b.keys) + len(b.refused)}
}
