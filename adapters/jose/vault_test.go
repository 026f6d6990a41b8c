package jose_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

func TestWhatIsConcealedIsRevealedInItsOwnScopeAlone(t *testing.T) {
	v := open(t, config()).Vault()
	rapid.Check(t, func(t *rapid.T) {
		scope, text := rapid.String().Draw(t, "scope"), rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		concealed := v.Conceal(scope, text)
		if got, err := v.Reveal(scope, concealed); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("got %x, %v, want %x", got, err, text)
		}
		other := rapid.String().Draw(t, "other")
		if got, err := v.Reveal(other, concealed); other != scope && (!errors.Is(err, domain.ErrInvalidToken) || got != nil) {
			t.Fatalf("in scope %q: got %x, %v, want ErrInvalidToken", other, got, err)
		}
		if other != scope && v.Digest(other, text) == v.Digest(scope, text) {
			t.Fatalf("in scope %q and %q a text has one digest", other, scope)
		}
	})
}

func TestEqualTextsDoNotShow(t *testing.T) {
	v := open(t, config()).Vault()
	seen := make(map[string]bool)
	for range 100 {
		concealed := v.Conceal("receipts", []byte("answer"))
		if len(concealed) != len("answer")+45 {
			t.Fatalf("got %d bytes", len(concealed))
		}
		seen[string(concealed[5:29])], seen[string(concealed[29:])] = true, true
	}
	if len(seen) != 200 {
		t.Errorf("%d nonces and sealed texts of 200 are different", len(seen))
	}
}

func TestScopeAndTextOfADigestDoNotRunTogether(t *testing.T) {
	v := open(t, config()).Vault()
	if v.Digest("a", []byte("bc")) == v.Digest("ab", []byte("c")) || v.Digest("", []byte("\x01a")) == v.Digest("a", nil) {
		t.Error("two texts have one digest")
	}
}

// A cursor and what is concealed are made with one key, but neither can be turned into
// the other.
func TestACursorRevealsNothing(t *testing.T) {
	ring := open(t, config())
	concealed := ring.Vault().Conceal("ships", []byte("17"))
	if _, err := ring.Cursors().Open("ships", encode(string(concealed))); !errors.Is(err, domain.ErrInvalidCursor) {
		t.Errorf("got %v, want ErrInvalidCursor", err)
	}
	if _, err := ring.Vault().Reveal("ships", []byte(ring.Cursors().Seal("ships", strings.Repeat("1", 64)))); !errors.Is(err, domain.ErrInvalidToken) {
		t.Errorf("got %v, want ErrInvalidToken", err)
	}
}

func TestEveryByteOfWhatIsConcealedIsAuthentic(t *testing.T) {
	v := open(t, config()).Vault()
	concealed := v.Conceal("receipts", []byte("answer"))
	for i := range concealed {
		altered := slices.Clone(concealed)
		altered[i] ^= 0x80
		if got, err := v.Reveal("receipts", altered); !errors.Is(err, domain.ErrInvalidToken) || got != nil {
			t.Errorf("byte %d: got %q, %v, want ErrInvalidToken", i, got, err)
		}
		if got, err := v.Reveal("receipts", concealed[:i]); !errors.Is(err, domain.ErrInvalidToken) || got != nil {
			t.Errorf("%d bytes: got %q, %v, want ErrInvalidToken", i, got, err)
		}
	}
}

func TestAReceiptIsRevealedAsLongAsItIsKeptThoughKeysTurn(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	digest := k.Vault().Digest("bodies", []byte("body"))
	_, err := k.Rotate(t.Context())
	ok(t, err)
	clock.Advance(c.Ahead - time.Microsecond)
	concealed := k.Vault().Conceal("receipts", []byte("answer")) // the last of the old key
	clock.Advance(domain.ReceiptRetention)
	for range 2 {
		_, err := k.Turn(t.Context())
		ok(t, err)
		if got, err := k.Vault().Reveal("receipts", concealed); err != nil || string(got) != "answer" {
			t.Errorf("got %q, %v", got, err)
		}
		clock.Advance(time.Hour)
	}
	clock.Advance(time.Microsecond)
	turn(t, k, true)
	if got, err := k.Vault().Reveal("receipts", concealed); !errors.Is(err, domain.ErrInvalidToken) || got != nil {
		t.Errorf("with a key that is gone: got %q, %v, want ErrInvalidToken", got, err)
	}
	for range 4 {
		clock.Advance(c.Turn)
		_, err := k.Turn(t.Context())
		ok(t, err)
	}
	if k.Vault().Digest("bodies", []byte("body")) != digest || open(t, c).Vault().Digest("bodies", []byte("body")) != digest {
		t.Error("a text has another digest after some turns")
	}
	if got := keysOf(t, c.Store, "digest"); len(got) != 1 || got[0].Number != 1 {
		t.Errorf("got %+v, want one key that never turned", got)
	}
}

func TestTheKeyOfDigestsDoesNotTurnByHandEither(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	clock.Advance(day)
	if _, err := k.Rotate(t.Context(), "digest"); err == nil {
		t.Error("it was rotated")
	}
	made, err := k.Rotate(t.Context())
	ok(t, err)
	if len(made) != 3 || len(keysOf(t, c.Store, "digest")) != 1 {
		t.Errorf("got %+v", made)
	}
}

func TestRetiringAKeyTakesItsReceipts(t *testing.T) {
	c, _ := timed()
	k, other := open(t, c), open(t, c)
	concealed, digest := k.Vault().Conceal("receipts", []byte("answer")), k.Vault().Digest("bodies", []byte("body"))
	ok(t, k.Retire(t.Context(), keysOf(t, c.Store, "cursor")[0].ID))
	ok(t, k.Retire(t.Context(), keysOf(t, c.Store, "digest")[0].ID))
	ok(t, other.Reload(t.Context()))
	for i, ring := range []*jose.Keyring{k, other} {
		if got, err := ring.Vault().Reveal("receipts", concealed); !errors.Is(err, domain.ErrInvalidToken) || got != nil {
			t.Errorf("replica %d: got %q, %v, want ErrInvalidToken", i, got, err)
		}
		if ring.Vault().Digest("bodies", []byte("body")) == digest {
			t.Errorf("replica %d: a text has the digest of before", i)
		}
	}
	if k.Vault().Digest("bodies", []byte("body")) != other.Vault().Digest("bodies", []byte("body")) {
		t.Error("two replicas have two digests of a text")
	}
}

// A store of a Keyport before there were digests gets a key for them, and only that.
func TestAnOlderStoreGetsAKeyOfDigests(t *testing.T) {
	c, _ := timed()
	k := open(t, c)
	cursor := k.Cursors().Seal("ships", "17")
	ok(t, c.Store.Keys().Drop(t.Context(), keysOf(t, c.Store, "digest")[0].ID))
	now := open(t, c)
	if got := keysOf(t, c.Store, "digest"); len(got) != 1 {
		t.Errorf("got %+v", got)
	}
	if _, err := now.Cursors().Open("ships", cursor); err != nil {
		t.Error(err)
	}
}
