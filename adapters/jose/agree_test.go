package jose_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

// A fleet is two replicas on one store, and all that they have issued and that is
// still to be taken.
type fleet struct {
	rapid.TB

	c      jose.Config
	clock  *fake.Clock
	rings  [2]*jose.Keyring
	read   [2]time.Time // when each has read the keys last
	issued []issued
	signed map[string]bool // the kid of each key that signed an access token
}

// An issued text is known until it ends.
type issued struct {
	what string
	ends time.Time
	take func(*jose.Keyring) error
}

func newFleet(t rapid.TB, ahead, turn time.Duration, algorithms [2]domain.Algorithm) *fleet {
	f := &fleet{TB: t, c: config(), clock: fake.NewClock(noon), signed: make(map[string]bool)}
	f.c.Now, f.c.Ahead, f.c.Turn, f.c.SessionMax = f.clock.Now, ahead, turn, 30*time.Hour
	for i := range f.rings {
		f.restart(i, algorithms[i])
	}
	return f
}

func (f *fleet) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fleet) restart(i int, a domain.Algorithm) {
	c := f.c
	c.Algorithm = a
	k, err := jose.Open(context.Background(), c)
	f.must(err)
	if f.rings[i] != nil {
		f.rings[i].Close()
	}
	f.rings[i], f.read[i] = k, f.clock.Now()
}

func (f *fleet) close() {
	for _, k := range f.rings {
		k.Close()
	}
}

func (f *fleet) turn(i int) {
	f.Helper()
	changed, err := f.rings[i].Turn(context.Background())
	f.must(err)
	if changed {
		f.read[i] = f.clock.Now()
	}
}

func (f *fleet) rotate(i int) {
	f.Helper()
	_, err := f.rings[i].Rotate(context.Background())
	f.must(err)
	f.read[i] = f.clock.Now()
}

// advance lets less time go by than Ahead, and has each replica read the keys
// whenever otherwise it would not have for as long as Ahead: at the last moment.
func (f *fleet) advance(d time.Duration) {
	for i, k := range f.rings {
		if f.clock.Now().Add(d).Sub(f.read[i]) >= f.c.Ahead {
			f.must(k.Reload(context.Background()))
			f.read[i] = f.clock.Now()
		}
	}
	f.clock.Advance(d)
}

func (f *fleet) issue(i int) {
	k, now := f.rings[i], f.clock.Now()
	by := fmt.Sprintf("of replica %d at %s", i, now)
	c := claims()
	c.SignedIn, c.Issued, c.Expires = now.Truncate(time.Second), now.Truncate(time.Second), now.Truncate(time.Second).Add(time.Hour)
	token, err := k.Tokens().Issue(context.Background(), c)
	f.must(err)
	f.signed[kidOf(f, token.Reveal())] = true
	refresh := domain.RefreshToken{Session: claims().Session, Counter: domain.Counter(len(f.issued))}
	text, place := k.Refresh().Issue(refresh), by
	cursor := k.Cursors().Seal("ships", place)
	concealed, digest := k.Vault().Conceal("receipts", []byte(by)), k.Vault().Digest("bodies", []byte(by))
	f.issued = append(f.issued,
		issued{"the access token " + by, c.Expires, func(k *jose.Keyring) error {
			_, err := k.Tokens().Verify(context.Background(), token.Reveal())
			return err
		}},
		issued{"the refresh token " + by, now.Add(f.c.SessionMax), func(k *jose.Keyring) error {
			if got, err := k.Refresh().Verify(text.Reveal()); err != nil || got != refresh {
				return fmt.Errorf("got %+v, %w", got, err)
			}
			return nil
		}},
		issued{"the receipt " + by, now.Add(domain.ReceiptRetention), func(k *jose.Keyring) error {
			if got := k.Vault().Digest("bodies", []byte(by)); got != digest {
				return fmt.Errorf("got another digest of its body, %x", got)
			}
			if got, err := k.Vault().Reveal("receipts", concealed); err != nil || string(got) != by {
				return fmt.Errorf("got %q, %w", got, err)
			}
			return nil
		}},
		issued{"the cursor " + by, now.Add(24 * time.Hour), func(k *jose.Keyring) error {
			if got, err := k.Cursors().Open("ships", cursor); err != nil || got != place {
				return fmt.Errorf("got %q, %w", got, err)
			}
			return nil
		}})
}

func (f *fleet) check() {
	f.Helper()
	now := f.clock.Now()
	f.issued = slices.DeleteFunc(f.issued, func(i issued) bool { return !now.Before(i.ends) })
	for _, text := range f.issued {
		for j, k := range f.rings {
			if err := text.take(k); err != nil {
				f.Fatalf("at %s replica %d refuses %s: %v", now, j, text.what, err)
			}
		}
	}
}

func TestNothingThatOneReplicaIssuesIsRefusedByAnother(t *testing.T) {
	minutes := func(t *rapid.T, least, most int, label string) time.Duration {
		return time.Duration(rapid.IntRange(least, most).Draw(t, label)) * time.Minute
	}
	// To make an RSA key takes a thousand times as long as another.
	algorithms := append(slices.Repeat([]domain.Algorithm{"ES256", "EdDSA"}, 30), "RS256")
	rapid.Check(t, func(t *rapid.T) {
		algorithm := rapid.SampledFrom(algorithms)
		ahead := minutes(t, 2, 300, "ahead")
		f := newFleet(t, ahead, minutes(t, 0, 600, "turn"), [2]domain.Algorithm{algorithm.Draw(t, "one"), algorithm.Draw(t, "two")})
		defer f.close()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := rapid.IntRange(0, 1).Draw(t, "replica")
			switch rapid.SampledFrom([]string{"time", "time", "time", "time", "turn", "turn", "rotate", "restart", "issue", "issue"}).Draw(t, "step") {
			case "time":
				f.advance(time.Duration(rapid.Int64Range(0, int64(ahead-1)).Draw(t, "time")))
			case "turn":
				f.turn(i)
			case "rotate":
				f.rotate(i)
			case "restart":
				f.restart(i, algorithm.Draw(t, "algorithm"))
			case "issue":
				f.issue(i)
			}
			f.check()
		}
	})
}

// The same without chance, long enough that keys of all algorithms come and go.
func TestReplicasAgreeWhileTheAlgorithmChanges(t *testing.T) {
	f := newFleet(t, 50*time.Minute, 2*time.Hour, [2]domain.Algorithm{"ES256", "ES256"})
	defer f.close()
	for _, a := range []domain.Algorithm{"EdDSA", "RS256", "ES256"} {
		f.restart(0, a) // and the other one disagrees for a while
		for hour := range 8 {
			if hour == 2 {
				f.restart(1, a)
			}
			for range 3 {
				f.advance(20 * time.Minute)
				f.turn(0)
				f.issue(0)
				f.turn(1)
				f.issue(1)
				f.check()
			}
		}
	}
	if got := len(f.signed); got < 9 {
		t.Errorf("%d keys have signed, which is too few to tell", got)
	}
	if got := keysOf(t, f.c.Store, "sign"); len(got) > 4 {
		t.Errorf("%d keys are kept: %+v", len(got), got)
	}
}
