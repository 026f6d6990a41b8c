package domain_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

// keyPolicy turns keys each 30 days.
var keyPolicy = domain.KeyPolicy{Turn: 720 * time.Hour, Ahead: 10 * time.Minute, Keep: 70 * time.Minute}

// signing returns keys of one use that begin to sign so long after noon.
func signing(after ...time.Duration) []domain.Key {
	var keys []domain.Key
	for i, d := range after {
		keys = append(keys, domain.Key{
			ID: fmt.Sprintf("kid-%d", i+1), Use: "sign", Number: i + 1, Algorithm: domain.ES256,
			Created: noon.Add(d - keyPolicy.Ahead), Signs: noon.Add(d),
		})
	}
	return keys
}

func TestTheLastKeyWhoseTurnHasComeSigns(t *testing.T) {
	const µs = time.Microsecond
	for _, c := range []struct {
		name string
		keys []domain.Key
		now  time.Duration
		want int
	}{
		{"the only key", signing(0), time.Hour, 1},
		{"the only key at the very beginning", signing(0), 0, 1},
		{"the only key before its time, since somebody must", signing(time.Hour), 0, 1},
		{"the first of keys that all wait", signing(time.Hour, 2*time.Hour), 0, 1},
		{"the first, while its successor is only published", signing(0, time.Hour), time.Hour - µs, 1},
		{"the second from its very turn on", signing(0, time.Hour), time.Hour, 2},
		{"the second, while the third is only published", signing(0, time.Hour, 2*time.Hour), 2*time.Hour - µs, 2},
		{"the last, long after", signing(0, time.Hour, 2*time.Hour), 9999 * time.Hour, 3},
		{"the later of two with one turn", signing(0, time.Hour, time.Hour), time.Hour, 3},
		{"the second, when the first is forgotten", signing(0, time.Hour)[1:], 2 * time.Hour, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := keyPolicy.Signer(c.keys, noon.Add(c.now)); got.Number != c.want {
				t.Errorf("key %d signs, want %d", got.Number, c.want)
			}
		})
	}
}

func TestASuccessorIsDueAheadOfItsTurn(t *testing.T) {
	const µs = time.Microsecond
	due := keyPolicy.Turn - keyPolicy.Ahead
	still := keyPolicy
	still.Turn = 0
	for _, c := range []struct {
		name      string
		policy    domain.KeyPolicy
		keys      []domain.Key
		algorithm domain.Algorithm
		now       time.Duration
		want      bool
	}{
		{"where there is no key", keyPolicy, nil, domain.ES256, 0, true},
		{"where there is no key, and none turns by itself", still, nil, domain.ES256, 0, true},
		{"when the key is new", keyPolicy, signing(0), domain.ES256, 0, false},
		{"a moment too early", keyPolicy, signing(0), domain.ES256, due - µs, false},
		{"so early that it signs when the key's time is up", keyPolicy, signing(0), domain.ES256, due, true},
		{"late", keyPolicy, signing(0), domain.ES256, 9999 * time.Hour, true},
		{"late, and none turns by itself", still, signing(0), domain.ES256, 9999 * time.Hour, false},
		{"while one waits already", keyPolicy, signing(0, keyPolicy.Turn), domain.ES256, keyPolicy.Turn - µs, false},
		{"when the one that waited has its turn", keyPolicy, signing(0, keyPolicy.Turn), domain.ES256, keyPolicy.Turn, false},
		{"a turn after that", keyPolicy, signing(0, keyPolicy.Turn), domain.ES256, keyPolicy.Turn + due, true},
		{"of another algorithm", keyPolicy, signing(0), domain.EdDSA, 0, true},
		{"of another algorithm, and none turns by itself", still, signing(0), domain.RS256, 0, true},
		{"of another algorithm, while one waits", keyPolicy, signing(0, time.Hour), domain.EdDSA, time.Hour - µs, false},
		{"of another algorithm, when that one signs", keyPolicy, signing(0, time.Hour), domain.EdDSA, time.Hour, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.policy.Due(c.keys, c.algorithm, noon.Add(c.now)); got != c.want {
				t.Errorf("due: %t", got)
			}
		})
	}
}

func TestAKeyIsSpentWhenAllThatItSignedHasEnded(t *testing.T) {
	const µs = time.Microsecond
	for _, c := range []struct {
		name string
		keys []domain.Key
		now  time.Duration
		want int // how many, from the first on
	}{
		{"no key", nil, 0, 0},
		{"the only key is never", signing(0), 9999 * time.Hour, 0},
		{"not while its successor waits", signing(0, time.Hour), 0, 0},
		{"not as its successor begins to sign", signing(0, time.Hour), time.Hour, 0},
		{"not a moment too early", signing(0, time.Hour), time.Hour + keyPolicy.Keep - µs, 0},
		{"from then on", signing(0, time.Hour), time.Hour + keyPolicy.Keep, 1},
		{"long after, and the last is not", signing(0, time.Hour, 2*time.Hour), 9999 * time.Hour, 2},
		{"the first, while the second is kept", signing(0, time.Hour, 3*time.Hour), 3 * time.Hour, 1},
		{"the first, while the third waits", signing(0, time.Hour, 999*time.Hour), 99 * time.Hour, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := keyPolicy.Spent(c.keys, noon.Add(c.now)); len(got) != c.want || len(got) > 0 && &got[0] != &c.keys[0] {
				t.Errorf("spent are %v, want the first %d", got, c.want)
			}
		})
	}
}

// However seldom somebody looks after the keys, and whenever one turns them by hand
// or changes the algorithm: there is a signer, which was published Ahead before it
// signed; the key that signed before it is there for Keep; and turns are regular
// where somebody looks often enough.
func TestHoweverKeysTurnEachIsPublishedBeforeItSignsAndKeptAfterwards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := domain.KeyPolicy{
			Ahead: rapid.SampledFrom([]time.Duration{0, time.Second, 10 * time.Minute}).Draw(t, "ahead"),
			Keep:  rapid.SampledFrom([]time.Duration{0, time.Minute, 70 * time.Minute}).Draw(t, "keep"),
		}
		p.Turn = p.Ahead + rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour}).Draw(t, "turn")
		now, algorithm := noon, domain.ES256
		var keys, all []domain.Key
		signedUntil := make(map[int]time.Time) // the last time that a key signed
		settle := func(signs time.Time) {
			k := domain.Key{Number: len(all) + 1, Algorithm: algorithm, Created: now, Signs: signs}
			keys, all = append(keys, k), append(all, k)
		}
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Hour)).Draw(t, "later")))
			algorithm = rapid.SampledFrom([]domain.Algorithm{algorithm, algorithm, algorithm, domain.EdDSA}).Draw(t, "algorithm")
			switch byHand := rapid.IntRange(0, 9).Draw(t, "by hand") == 0; {
			case len(keys) == 0:
				if !p.Due(keys, algorithm, now) {
					t.Fatal("there is no key, and none is due")
				}
				settle(now)
			case p.Due(keys, algorithm, now) || byHand && !now.Before(keys[len(keys)-1].Signs):
				settle(now.Add(p.Ahead))
			}
			if waiting := len(keys) - 1 - slices.IndexFunc(keys, func(k domain.Key) bool { return k.Number == p.Signer(keys, now).Number }); waiting > 1 {
				t.Fatalf("%d keys wait for their turn", waiting)
			}

			spent := p.Spent(keys, now)
			for _, k := range spent {
				successor := all[k.Number] // numbers begin at 1
				if now.Before(successor.Signs.Add(p.Keep)) {
					t.Fatalf("key %d is dropped %v after its successor began to sign", k.Number, now.Sub(successor.Signs))
				}
				if until := signedUntil[k.Number]; now.Before(until.Add(p.Keep)) {
					t.Fatalf("key %d is dropped %v after it signed", k.Number, now.Sub(until))
				}
			}
			keys = slices.Clone(keys[len(spent):])

			signer := p.Signer(keys, now)
			if signer.Number == 0 || now.Before(signer.Signs) {
				t.Fatalf("key %d signs at %v, and was to sign at %v", signer.Number, now, signer.Signs)
			}
			if signer.Number > 1 && now.Sub(signer.Created) < p.Ahead {
				t.Fatalf("key %d signs %v after it was published", signer.Number, now.Sub(signer.Created))
			}
			for number, until := range signedUntil {
				if number > signer.Number {
					t.Fatalf("key %d signed at %v, and key %d signs later", number, until, signer.Number)
				}
			}
			signedUntil[signer.Number] = now
			if p.Turn > 0 && now.Sub(signer.Signs) >= p.Turn && signer.Number == all[len(all)-1].Number {
				t.Fatalf("key %d signs for %v, and has no successor", signer.Number, now.Sub(signer.Signs))
			}
		}
	})
}
