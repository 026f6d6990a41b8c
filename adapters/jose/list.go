package jose

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A State is what a key does at a moment.
type State string

// The states, in the order in which a key passes through them.
const (
	Waits    State = "waits"    // it is published, and will sign
	Signs    State = "signs"    // and verifies
	Verifies State = "verifies" // what it signed once
)

// A Listed key is what there is to tell of one: nothing of it is secret.
type Listed struct {
	ID        string
	Use       string // "sign", "refresh", "cursor" or "digest"
	Number    int
	Algorithm domain.Algorithm
	Created   time.Time
	Signs     time.Time // from when on, until its successor does
	State     State
}

// List returns all keys and what each does at now, ordered by use and number. It
// needs no master key.
func List(ctx context.Context, keys ports.Keys, now time.Time) ([]Listed, error) {
	list, err := keys.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("jose: listing the keys: %w", err)
	}
	listed := make([]Listed, 0, len(list))
	for _, k := range list {
		// The one that signs stands between those that did and those that will.
		series := keysFor(k.Use, list)
		place := func(id string) int { return slices.IndexFunc(series, func(k domain.Key) bool { return k.ID == id }) }
		signer := place(domain.KeyPolicy{}.Signer(series, now).ID)
		state := Signs
		switch at := place(k.ID); {
		case at < signer:
			state = Verifies
		case at > signer:
			state = Waits
		}
		listed = append(listed, Listed{k.ID, k.Use, k.Number, k.Algorithm, k.Created, k.Signs, state})
	}
	return listed, nil
}
