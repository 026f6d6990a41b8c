package postgres

import (
	"context"
	"strings"
)

// A lane is a share of the connections. What has to do with records is in one, what
// has to do with accounts in another, and a transaction, whose inside is its caller's
// own, in a third. Neither lane has all connections, nor have that of the transactions
// and one of the others together. So while a lock holds up all that wants one table,
// everything else finds a connection, and need not wait for a timeout.
//
// Writes have not the whole of a lane, nor all lanes together the whole of the
// connections. So while every commit waits for a standby that is lost, readers find
// one.
type lane int

const (
	anyLane  lane = iota // what few ask for at once: the bulletin, events, keys, whether the server is there
	content              // records and collections
	identity             // accounts and sessions
	several              // transactions

	contentWrites  // of content, the statements that change something
	identityWrites // of identity
	allWrites      // all that changes something, the transactions too
	allLanes       // is none, but their number
)

// way lists the lanes that are entered, in this order, by what belongs in l. Who waits
// in a narrow one takes no room in a wide one.
func (l lane) way(change bool) []lane {
	switch {
	case l == anyLane:
		return nil
	case !change:
		return []lane{l}
	case l == content:
		return []lane{contentWrites, content, allWrites}
	case l == identity:
		return []lane{identityWrites, identity, allWrites}
	default:
		return []lane{l, allWrites}
	}
}

// changes reports whether a statement of this package may change something. All of
// them have their key words in capitals, and nothing that somebody sent is in their
// text. One that locks rows for an update counts as a change.
func changes(sql string) bool {
	return strings.Contains(sql, "INSERT ") || strings.Contains(sql, "UPDATE ") || strings.Contains(sql, "DELETE ")
}

// Lanes hold an element for each connection that is lent or waited for in them. That
// of anyLane is nil, and has no bound.
type lanes [allLanes]chan struct{}

// newLanes shares out n connections: half of them to records, half to accounts, and
// three of eight to transactions; of the two halves three quarters to writes, and of
// all connections seven of eight. Each has one at least.
func newLanes(n int32) (l lanes) {
	for in, most := range map[lane]int32{
		content: n / 2, identity: n / 2, several: 3 * n / 8,
		contentWrites: 3 * n / 8, identityWrites: 3 * n / 8, allWrites: n - n/8,
	} {
		l[in] = make(chan struct{}, max(most, 1))
	}
	return l
}

// enter waits for room in all lanes of a way, first come, first served. leave is
// called by who has entered.
func (l lanes) enter(ctx context.Context, way []lane) (leave func(), err error) {
	entered := 0
	leave = func() {
		for _, in := range way[:entered] {
			<-l[in]
		}
	}
	for _, in := range way {
		select {
		case l[in] <- struct{}{}:
			entered++
		case <-ctx.Done():
			leave()
			return nil, ctx.Err()
		}
	}
	return leave, nil
}
