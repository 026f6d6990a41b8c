package jose_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

const day = 24 * time.Hour

// timed is a config, and the clock that it goes by.
func timed() (jose.Config, *fake.Clock) {
	c, clock := config(), fake.NewClock(noon)
	c.Now = clock.Now
	return c, clock
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func turn(t testing.TB, k *jose.Keyring, want bool) {
	t.Helper()
	if got, err := k.Turn(t.Context()); err != nil || got != want {
		t.Fatalf("Turn: got %t, %v, want %t", got, err, want)
	}
}

// kidOf returns the kid in a token's header.
func kidOf(t rapid.TB, token string) string {
	t.Helper()
	header, _, _ := parts(t, token)
	var h struct{ Kid string }
	if err := json.Unmarshal([]byte(header), &h); err != nil {
		t.Fatal(err)
	}
	return h.Kid
}

// signerOf returns the id of the key that signs access tokens.
func signerOf(t testing.TB, k *jose.Keyring) string {
	t.Helper()
	return kidOf(t, issue(t, k, claims()))
}

// published returns the ids in the key set.
func published(t testing.TB, k *jose.Keyring) []string {
	t.Helper()
	var set struct {
		Keys []struct{ Kid string } `json:"keys"`
	}
	ok(t, json.Unmarshal([]byte(keySet(t, k)), &set))
	kids := make([]string, len(set.Keys))
	for i, key := range set.Keys {
		kids[i] = key.Kid
	}
	return kids
}

// told returns what the bulletin says of keys, in order.
func told(t testing.TB, s ports.Store) []string {
	t.Helper()
	news, _, err := s.Bulletin().News(t.Context(), "")
	ok(t, err)
	lines := make([]string, len(news))
	for i, c := range news {
		lines[i] = fmt.Sprint(c.Kind, " ", c.Subject)
	}
	return lines
}

func ids(keys []domain.Key) []string {
	var ids []string
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	return ids
}

func TestAKeyIsPublishedBeforeItSignsAndKeptUntilItsLastTokenHasEnded(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	first := signerOf(t, k)
	turn(t, k, false)
	clock.Advance(30*day - time.Hour - time.Microsecond)
	turn(t, k, false)
	clock.Advance(time.Microsecond)
	turn(t, k, true)
	turn(t, k, false)

	keys := keysOf(t, c.Store, "sign")
	if len(keys) != 2 {
		t.Fatalf("got %+v, want two keys", keys)
	}
	next := keys[1]
	if next.Number != 2 || !next.Created.Equal(clock.Now()) || !next.Signs.Equal(noon.Add(30*day)) || next.Algorithm != domain.ES256 {
		t.Errorf("got the successor %+v", next)
	}
	if got, want := published(t, k), []string{next.ID, first}; !slices.Equal(got, want) {
		t.Errorf("got %q published, want %q", got, want)
	}
	clock.Advance(time.Hour - time.Microsecond)
	last := issue(t, k, claims())
	if got := kidOf(t, last); got != first {
		t.Errorf("before its time %q signs", got)
	}
	clock.Advance(time.Microsecond)
	if got := signerOf(t, k); got != next.ID {
		t.Errorf("at its time %q signs, want %q", got, next.ID)
	}
	clock.Advance(70*time.Minute - time.Microsecond)
	turn(t, k, false)
	if _, err := k.Tokens().Verify(t.Context(), last); err != nil {
		t.Errorf("the last token of the old key: %v", err)
	}
	clock.Advance(time.Microsecond)
	turn(t, k, true)
	if got, want := published(t, k), []string{next.ID}; !slices.Equal(got, want) {
		t.Errorf("got %q published, want %q", got, want)
	}
	if _, err := k.Tokens().Verify(t.Context(), last); !errors.Is(err, domain.ErrInvalidToken) {
		t.Errorf("a token of a key that was dropped: got %v, want ErrInvalidToken", err)
	}
}

func TestEachUseKeepsItsKeysForAsLongAsItsTextsLive(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	_, err := k.Rotate(t.Context())
	ok(t, err)
	clock.Advance(c.Ahead)
	left := func() string {
		t.Helper()
		_, err := k.Turn(t.Context())
		ok(t, err)
		return fmt.Sprint(len(keysOf(t, c.Store, "sign")), len(keysOf(t, c.Store, "cursor")), len(keysOf(t, c.Store, "refresh")))
	}
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{70*time.Minute - 1000, "2 2 2"}, {70 * time.Minute, "1 2 2"}, {25*time.Hour - 1000, "1 2 2"}, {25 * time.Hour, "1 1 2"},
	} {
		clock.Advance(noon.Add(c.Ahead + step.after).Sub(clock.Now()))
		if got := left(); got != step.want {
			t.Errorf("%s after the successor began to sign: got %s keys to sign, for cursors and for refresh, want %s", step.after, got, step.want)
		}
	}
	oldest := keysOf(t, c.Store, "refresh")[0].ID
	clock.Advance(noon.Add(c.Ahead + c.SessionMax - 1000).Sub(clock.Now()))
	left()
	if got := ids(keysOf(t, c.Store, "refresh")); !slices.Contains(got, oldest) {
		t.Errorf("before the last session has ended: got %q without %q", got, oldest)
	}
	clock.Advance(1000)
	left()
	if got := ids(keysOf(t, c.Store, "refresh")); slices.Contains(got, oldest) {
		t.Errorf("when the last session has ended: got %q with %q", got, oldest)
	}
}

func TestKeysStayUntilSomebodyTurnsThemWhereTurnIsZero(t *testing.T) {
	c, clock := timed()
	c.Turn = 0
	k := open(t, c)
	clock.Advance(100 * 365 * day)
	turn(t, k, false)
}

func TestASettingOfAnotherAlgorithmTurnsTheSigningKeyAlone(t *testing.T) {
	c, clock := timed()
	c.Turn = 0
	old := open(t, c)
	token, refresh := issue(t, old, claims()), ids(keysOf(t, c.Store, "refresh"))
	c.Algorithm = domain.EdDSA
	k := open(t, c)
	if got := keysOf(t, c.Store, "sign"); len(got) != 2 || got[1].Algorithm != domain.EdDSA {
		t.Fatalf("got %+v", got)
	}
	if got := ids(keysOf(t, c.Store, "refresh")); !slices.Equal(got, refresh) {
		t.Errorf("got the keys %q for refresh tokens, want %q", got, refresh)
	}
	if got := issue(t, k, claims()); kidOf(t, got) != kidOf(t, token) {
		t.Error("the new key signs before its time")
	}
	clock.Advance(c.Ahead)
	ok(t, old.Reload(t.Context()))
	for _, ring := range []*jose.Keyring{old, k} {
		header, _, _ := parts(t, issue(t, ring, claims()))
		if !strings.Contains(header, `"alg":"EdDSA"`) {
			t.Errorf("got the header %s", header)
		}
		for _, text := range []string{token, issue(t, k, claims())} {
			if _, err := ring.Tokens().Verify(t.Context(), text); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestReplicasThatTurnAtOnceMakeOneSuccessorBetweenThem(t *testing.T) {
	for _, replay := range []bool{false, true} {
		c, clock := timed()
		c.Store = &fake.Store{Replay: replay}
		rings := make([]*jose.Keyring, 8)
		for i := range rings {
			rings[i] = open(t, c)
		}
		clock.Advance(c.Turn)
		for range 2 {
			var replicas sync.WaitGroup
			for _, k := range rings {
				replicas.Go(func() {
					if _, err := k.Turn(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			replicas.Wait()
		}
		var want []string
		for _, use := range []string{"sign", "refresh", "cursor"} {
			keys := keysOf(t, c.Store, use)
			if len(keys) != 2 {
				t.Fatalf("got %+v for %s, want two", keys, use)
			}
			want = append(want, "key "+keys[1].ID)
		}
		got := told(t, c.Store)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got %q on the bulletin, want %q", got, want)
		}
		for i, k := range rings {
			ok(t, k.Reload(t.Context()))
			if got := published(t, k); !slices.Equal(got, published(t, rings[0])) {
				t.Errorf("replica %d publishes %q", i, got)
			}
		}
	}
}

func TestReplicasThatDisagreeOfTheAlgorithmMakeOneKeyEachAhead(t *testing.T) {
	c, clock := timed()
	one := open(t, c)
	c.Algorithm = domain.EdDSA
	two := open(t, c)
	made := make(map[string]bool)
	const aheads = 10
	for range aheads * 4 {
		for range 3 {
			for _, k := range []*jose.Keyring{one, two} {
				_, err := k.Turn(t.Context())
				ok(t, err)
			}
		}
		for _, id := range ids(keysOf(t, c.Store, "sign")) {
			made[id] = true
		}
		clock.Advance(c.Ahead / 4)
	}
	if got := len(made); got > 1+aheads {
		t.Errorf("%d keys were made in %d times Ahead", got, aheads)
	}
}

func TestAKeyIsToldOfOrNotMade(t *testing.T) {
	c, clock := timed()
	fault := errors.New("the bulletin is full")
	var failing bool
	c.Store = &fake.Store{Fault: func(op string) (bool, error) {
		if failing && op == "bulletin.post" {
			return false, fault
		}
		return false, nil
	}}
	k := open(t, c)
	first := signerOf(t, k)
	clock.Advance(c.Turn)
	failing = true
	if _, err := k.Turn(t.Context()); !errors.Is(err, fault) {
		t.Errorf("Turn: got %v, want the fault", err)
	}
	if _, err := k.Rotate(t.Context()); !errors.Is(err, fault) {
		t.Errorf("Rotate: got %v, want the fault", err)
	}
	if err := k.Retire(t.Context(), first); !errors.Is(err, fault) {
		t.Errorf("Retire: got %v, want the fault", err)
	}
	for _, use := range []string{"sign", "refresh", "cursor"} {
		if got := keysOf(t, c.Store, use); len(got) != 1 {
			t.Errorf("got %+v", got)
		}
	}
	if got := signerOf(t, k); got != first {
		t.Errorf("got %q signing, want %q", got, first)
	}
}

func TestAUseWhoseKeysAreAllGoneGetsOneThatSignsAtOnce(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	ok(t, c.Store.Keys().Drop(t.Context(), signerOf(t, k)))
	clock.Advance(time.Minute)
	if err := k.Reload(t.Context()); err == nil {
		t.Error("keys were read that are not there")
	}
	turn(t, k, true)
	got := keysOf(t, c.Store, "sign")
	if len(got) != 1 || got[0].Number != 1 || !got[0].Signs.Equal(clock.Now()) || signerOf(t, k) != got[0].ID {
		t.Errorf("got %+v", got)
	}
}

func TestKeysAreRotatedByHand(t *testing.T) {
	c, clock := timed()
	c.Turn = 0
	k := open(t, c)
	first := signerOf(t, k)
	clock.Advance(day)

	if _, err := k.Rotate(t.Context(), "sign", "seal"); err == nil || !strings.Contains(err.Error(), `"sign" "refresh" "cursor"`) {
		t.Errorf("an unknown use: got %v", err)
	}
	got, err := k.Rotate(t.Context(), "sign")
	ok(t, err)
	if len(got) != 1 || got[0].Use != "sign" || got[0].Number != 2 || !got[0].Created.Equal(clock.Now()) || !got[0].Signs.Equal(clock.Now().Add(c.Ahead)) {
		t.Fatalf("got %+v", got)
	}
	if news := told(t, c.Store); !slices.Equal(news, []string{"key " + got[0].ID}) {
		t.Errorf("got %q on the bulletin", news)
	}
	if published := published(t, k); !slices.Equal(published, []string{got[0].ID, first}) {
		t.Errorf("got %q published", published)
	}

	clock.Advance(c.Ahead - 1000)
	all, err := k.Rotate(t.Context())
	ok(t, err)
	if len(all) != 3 || all[0].ID != got[0].ID || all[1].Use != "refresh" || all[1].Number != 2 || all[2].Use != "cursor" || all[2].Number != 2 {
		t.Errorf("while one waits: got %+v", all)
	}
	clock.Advance(1000)
	if signer := signerOf(t, k); signer != got[0].ID {
		t.Errorf("got %q signing, want %q", signer, got[0].ID)
	}
	again, err := k.Rotate(t.Context(), "sign")
	ok(t, err)
	if len(again) != 1 || again[0].Number != 3 {
		t.Errorf("when none waits: got %+v", again)
	}
}

func TestWhoRotatesWhatWaitsAlreadyKnowsIt(t *testing.T) {
	c, clock := timed()
	k, other := open(t, c), open(t, c)
	clock.Advance(time.Nanosecond)
	made, err := k.Rotate(t.Context(), "sign")
	ok(t, err)
	if made[0].Sealed != nil {
		t.Error("the seal is handed out")
	}
	if got := made[0].Signs.Sub(clock.Now()); got < c.Ahead {
		t.Errorf("it signs after %s, before Ahead has gone by", got)
	}
	got, err := other.Rotate(t.Context(), "sign")
	ok(t, err)
	if got[0].ID != made[0].ID || !slices.Contains(published(t, other), made[0].ID) {
		t.Errorf("got %+v, want %+v, published", got, made)
	}
}

func TestOldRefreshTokensAndCursorsOutliveATurn(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	refresh := domain.RefreshToken{Session: claims().Session, Counter: 3}
	texts, cursors := make(map[domain.Secret]bool), make(map[string]bool)
	for range 5 {
		texts[k.Refresh().Issue(refresh)] = true
		cursors[k.Cursors().Seal("ships", "17")] = true
		_, err := k.Rotate(t.Context())
		ok(t, err)
		clock.Advance(c.Ahead)
	}
	if len(texts) != 5 || len(cursors) != 5 {
		t.Errorf("got %d texts and %d cursors of 5 keys", len(texts), len(cursors))
	}
	for text := range texts {
		if got, err := k.Refresh().Verify(text.Reveal()); err != nil || got != refresh {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	for text := range cursors {
		if got, err := k.Cursors().Open("ships", text); err != nil || got != "17" {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestChoosingTheKeyAllocatesNothing(t *testing.T) {
	c, clock := timed()
	k := open(t, c)
	for range 3 {
		_, err := k.Rotate(t.Context())
		ok(t, err)
		clock.Advance(c.Ahead)
	}
	if got := testing.AllocsPerRun(100, func() { jose.Choose(k, noon) }); got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}
