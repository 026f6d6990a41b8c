package jose_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

func TestNothingThatARetiredKeySignedIsValid(t *testing.T) {
	for _, replay := range []bool{false, true} {
		c, clock := timed()
		c.Store = &fake.Store{Replay: replay}
		k, other := open(t, c), open(t, c)
		refresh := domain.RefreshToken{Session: claims().Session, Counter: 3}
		token, text, cursor := issue(t, k, claims()), k.Refresh().Issue(refresh), k.Cursors().Seal("ships", "17")
		for range 2 { // the second time it is remembered
			for _, ring := range []*jose.Keyring{k, other} {
				_, err := ring.Tokens().Verify(t.Context(), token)
				ok(t, err)
			}
		}
		clock.Advance(time.Minute)
		for _, use := range []string{"sign", "refresh", "cursor"} {
			old := keysOf(t, c.Store, use)
			ok(t, k.Retire(t.Context(), old[0].ID))
			now := keysOf(t, c.Store, use)
			if len(now) != 1 || now[0].ID == old[0].ID || !now[0].Signs.Equal(clock.Now()) || !now[0].Created.Equal(clock.Now()) {
				t.Errorf("of %s: got %+v", use, now)
			}
			if news := told(t, c.Store); news[len(news)-1] != "retired "+old[0].ID {
				t.Errorf("of %s: got %q on the bulletin", use, news)
			}
			if err := k.Retire(t.Context(), old[0].ID); !errors.Is(err, domain.ErrKeyNotFound) {
				t.Errorf("of %s, once more: got %v, want ErrKeyNotFound", use, err)
			}
		}
		ok(t, other.Reload(t.Context()))
		for i, ring := range []*jose.Keyring{k, other} {
			if _, err := ring.Tokens().Verify(t.Context(), token); !errors.Is(err, domain.ErrInvalidToken) {
				t.Errorf("replica %d on an access token: got %v, want ErrInvalidToken", i, err)
			}
			if _, err := ring.Refresh().Verify(text.Reveal()); !errors.Is(err, domain.ErrInvalidToken) {
				t.Errorf("replica %d on a refresh token: got %v, want ErrInvalidToken", i, err)
			}
			if _, err := ring.Cursors().Open("ships", cursor); !errors.Is(err, domain.ErrInvalidCursor) {
				t.Errorf("replica %d on a cursor: got %v, want ErrInvalidCursor", i, err)
			}
		}
		fresh := issue(t, k, claims())
		if _, err := other.Tokens().Verify(t.Context(), fresh); err != nil {
			t.Errorf("a token of the successor: %v", err)
		}
	}
}

func TestAKeyThatWaitsIsNotDisturbedWhenTheOneThatSignsIsRetired(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	first := signerOf(t, k)
	waiting, err := k.Rotate(t.Context(), "sign")
	ok(t, err)
	clock.Advance(c.Ahead / 2)
	ok(t, k.Retire(t.Context(), first))

	keys := keysOf(t, c.Store, "sign")
	if len(keys) != 2 || keys[1].ID != waiting[0].ID || keys[1].Number != waiting[0].Number || !keys[1].Signs.Equal(waiting[0].Signs) {
		t.Fatalf("got %+v, want one before %+v", keys, waiting[0])
	}
	if got := signerOf(t, k); got != keys[0].ID || got == first {
		t.Errorf("got %q signing, want %q", got, keys[0].ID)
	}
	turn(t, k, false)
	clock.Advance(c.Ahead/2 - time.Microsecond)
	if got := signerOf(t, k); got != keys[0].ID {
		t.Errorf("before its time: got %q signing, want %q", got, keys[0].ID)
	}
	clock.Advance(time.Microsecond)
	if got := signerOf(t, k); got != waiting[0].ID {
		t.Errorf("at its time: got %q signing, want %q", got, waiting[0].ID)
	}
}

func TestAKeyThatDoesNotSignIsRetiredWithoutASuccessor(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	first := signerOf(t, k)
	old := issue(t, k, claims())
	_, err := k.Rotate(t.Context(), "sign")
	ok(t, err)
	clock.Advance(c.Ahead)
	second := signerOf(t, k)
	waiting, err := k.Rotate(t.Context(), "sign")
	ok(t, err)

	ok(t, k.Retire(t.Context(), first))
	ok(t, k.Retire(t.Context(), waiting[0].ID))
	if got := ids(keysOf(t, c.Store, "sign")); !slices.Equal(got, []string{second}) {
		t.Errorf("got %q, want %q alone", got, second)
	}
	if _, err := k.Tokens().Verify(t.Context(), old); !errors.Is(err, domain.ErrInvalidToken) {
		t.Errorf("got %v, want ErrInvalidToken", err)
	}
	if got := signerOf(t, k); got != second {
		t.Errorf("got %q signing, want %q", got, second)
	}
}

func TestTheOnlyKeyIsReplacedAlthoughItWaits(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	first := signerOf(t, k)
	waiting, err := k.Rotate(t.Context(), "sign")
	ok(t, err)
	ok(t, c.Store.Keys().Drop(t.Context(), first))
	ok(t, k.Retire(t.Context(), waiting[0].ID))
	keys := keysOf(t, c.Store, "sign")
	if len(keys) != 1 || keys[0].ID == waiting[0].ID || !keys[0].Signs.Equal(clock.Now()) || signerOf(t, k) != keys[0].ID {
		t.Errorf("got %+v", keys)
	}
}

func TestOfManyWhoRetireAKeyOneDoes(t *testing.T) {
	c, _ := timed()
	k, other := open(t, c), open(t, c)
	first := signerOf(t, k)
	errs := make([]error, 8)
	var callers sync.WaitGroup
	for i := range errs {
		ring := []*jose.Keyring{k, other}[i%2]
		callers.Go(func() { errs[i] = ring.Retire(t.Context(), first) })
	}
	callers.Wait()
	var done int
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, domain.ErrKeyNotFound):
			t.Errorf("got %v, want ErrKeyNotFound", err)
		}
	}
	if keys := keysOf(t, c.Store, "sign"); done != 1 || len(keys) != 1 || keys[0].ID == first {
		t.Errorf("%d retired it; got %+v", done, keys)
	}
}

func TestAKeyThatIsNotThereIsNotRetired(t *testing.T) {
	c, _ := timed()
	k := open(t, c)
	settle(t, c.Store, domain.Key{ID: "later", Use: "a use of a later Keyport", Number: 1, Algorithm: "HS512"})
	for _, id := range []string{"", "nothing", "later", signerOf(t, k) + " "} {
		if err := k.Retire(t.Context(), id); !errors.Is(err, domain.ErrKeyNotFound) {
			t.Errorf("%q: got %v, want ErrKeyNotFound", id, err)
		}
	}
}
