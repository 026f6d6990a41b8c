package jose_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

func TestAMasterKeyChangesAndNoTokenOrSessionEnds(t *testing.T) {
	for _, replay := range []bool{false, true} {
		c, clock := timed()
		store := &fake.Store{Replay: replay}
		c.Store = store
		old, coming := c.Master, jose.NewMaster()
		k := open(t, c)
		_, err := k.Rotate(t.Context(), "sign")
		ok(t, err)
		clock.Advance(c.Ahead)
		refresh := domain.RefreshToken{Session: claims().Session, Counter: 3}
		token, text, cursor := issue(t, k, claims()), k.Refresh().Issue(refresh), k.Cursors().Seal("ships", "17")
		concealed, digest := k.Vault().Conceal("receipt", []byte("answer")), k.Vault().Digest("body", []byte("text"))
		valid := func(step string, k *jose.Keyring) {
			t.Helper()
			_, access := k.Tokens().Verify(t.Context(), token)
			_, session := k.Refresh().Verify(text.Reveal())
			_, place := k.Cursors().Open("ships", cursor)
			_, answer := k.Vault().Reveal("receipt", concealed)
			if err := errors.Join(access, session, place, answer); err != nil {
				t.Errorf("%s: %v", step, err)
			}
			if got := k.Vault().Digest("body", []byte("text")); got != digest {
				t.Errorf("%s: a text has another digest", step)
			}
		}

		// Each replica in its turn is told of the coming master key, and then to use it.
		c.Other = coming
		before := open(t, c)
		c.Master, c.Other = coming, old
		after := open(t, c)
		made, err := after.Rotate(t.Context(), "cursor") // sealed by the coming one
		ok(t, err)
		ok(t, before.Reload(t.Context()))
		valid("before", before)

		if n, err := after.Reseal(t.Context()); err != nil || n != 5 {
			t.Errorf("got %d sealed, %v, want 5", n, err)
		}
		if n, err := after.Reseal(t.Context()); err != nil || n != 0 {
			t.Errorf("once more: got %d sealed, %v, want 0", n, err)
		}
		for _, k := range []*jose.Keyring{before, after} {
			ok(t, k.Reload(t.Context()))
			valid("after", k)
		}
		c.Other = jose.Master{}
		alone := open(t, c)
		valid("with the new master key alone", alone)
		if got := ids(keysOf(t, c.Store, "cursor")); !slices.Contains(got, made[0].ID) {
			t.Errorf("got %q without %q", got, made[0].ID)
		}
		c.Master = old
		if _, err := jose.Open(t.Context(), c); !errors.Is(err, jose.ErrMasterKey) {
			t.Errorf("with the old master key alone: got %v, want ErrMasterKey", err)
		}
	}
}

func TestNothingIsSealedAnewIfOneKeyCannotBeOpened(t *testing.T) {
	c, _ := timed()
	open(t, c)
	c.Master, c.Other = jose.NewMaster(), c.Master
	k := open(t, c)
	settle(t, c.Store, jose.Seal(jose.NewMaster(), domain.Key{ID: "foreign", Use: "sign", Number: 2, Algorithm: "ES256"}, make([]byte, 32)))
	before := keysOf(t, c.Store, "cursor")
	if n, err := k.Reseal(t.Context()); !errors.Is(err, jose.ErrMasterKey) || n != 0 {
		t.Errorf("got %d, %v, want ErrMasterKey", n, err)
	}
	if after := keysOf(t, c.Store, "cursor"); !slices.Equal(after[0].Sealed, before[0].Sealed) {
		t.Error("a key was sealed anew")
	}
}

func TestNothingIsMadeByAMasterKeyThatDoesNotOpenTheRest(t *testing.T) {
	c, _ := timed()
	open(t, c)
	ok(t, c.Store.Keys().Drop(t.Context(), keysOf(t, c.Store, "cursor")[0].ID))
	c.Master = jose.NewMaster()
	if _, err := jose.Open(t.Context(), c); !errors.Is(err, jose.ErrMasterKey) {
		t.Errorf("got %v, want ErrMasterKey", err)
	}
	if got := keysOf(t, c.Store, "cursor"); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}
