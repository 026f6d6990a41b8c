package jose

import (
	"bytes"
	"fmt"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// A series is the keys of one use, in the order of their numbers, as they rest
// and opened. There is one at least. It is immutable.
type series[K any] struct {
	stored []domain.Key
	opened []K // of each that is stored
}

// read returns the series of a use, out of a list of all keys. What s has opened
// already is taken from s.
func (s series[K]) read(list []domain.Key, use string, open func(domain.Key) (K, error)) (series[K], error) {
	next := series[K]{stored: keysFor(use, list)}
	if len(next.stored) == 0 {
		return series[K]{}, fmt.Errorf("jose: there is no key for %q", use)
	}
	for _, k := range next.stored {
		opened, ok := s.find(k)
		if !ok {
			var err error
			if opened, err = open(k); err != nil {
				return series[K]{}, err
			}
		}
		next.opened = append(next.opened, opened)
	}
	return next, nil
}

// find returns the opened key for a stored one of the same id and the same seal.
// The seal vouches for the id, the use and the algorithm.
func (s series[K]) find(k domain.Key) (opened K, ok bool) {
	for i, have := range s.stored {
		if have.ID == k.ID && have.Algorithm == k.Algorithm && bytes.Equal(have.Sealed, k.Sealed) {
			return s.opened[i], true
		}
	}
	return opened, false
}

// signer returns the key that signs at now.
func (s series[K]) signer(now time.Time) K {
	id := domain.KeyPolicy{}.Signer(s.stored, now).ID
	for i := range s.stored {
		if s.stored[i].ID == id {
			return s.opened[i]
		}
	}
	return s.opened[0]
}

// keysFor returns those keys of a list that are for a use.
func keysFor(use string, list []domain.Key) []domain.Key {
	var keys []domain.Key
	for _, k := range list {
		if k.Use == use {
			keys = append(keys, k)
		}
	}
	return keys
}
