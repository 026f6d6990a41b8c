package verify_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyport-go/keyport/adapters/verify"
	"github.com/keyport-go/keyport/domain"
)

func TestTheKeySetIsReadAgainWhenItIsDue(t *testing.T) {
	for _, test := range []struct {
		cacheControl string
		atLeast      int // in an hour
		atMost       int
	}{
		{"public, max-age=60", 60, 61},
		{"max-age=600", 6, 7},
		{"", 12, 13},
		{"max-age=soon", 12, 13},
		{"no-cache", 3590, 3601},
		{"max-age=86400", 1, 1},
	} {
		t.Run(test.cacheControl, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStation(t, "k1")
				s.keySetMaxAge = test.cacheControl
				p := guard(t, s, verify.Config{})
				pass(time.Hour)
				p.takes(s.token(t, bearer{kid: "k1"}))
				if n := s.count(keySetAt); n < test.atLeast || n > test.atMost {
					t.Errorf("it was read %d times in an hour, want %d to %d", n, test.atLeast, test.atMost)
				}
			})
		})
	}
}

func TestKeysStayInUseWhileTheyCannotBeReadAgain(t *testing.T) {
	for name, f := range map[string]string{"a page": "<html>", "a private key": `{"keys":[{"kty":"oct","k":"AAAA","kid":"k1"}]}`} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStation(t, "k1", "k2")
				p := guard(t, s, verify.Config{})
				synctest.Wait()
				s.fault(keySetAt, answers(200, f))
				pass(30 * time.Minute)
				p.takes(s.token(t, bearer{kid: "k1"}))
				s.tell(domain.KeyRetired, "k1", 0)
				pass(time.Second)
				p.refuses(s.token(t, bearer{kid: "k1"}), domain.ErrInvalidToken)
				p.takes(s.token(t, bearer{kid: "k2"}))

				// The feed may even begin anew meanwhile.
				s.fault(feedAt, isCut)
				pass(time.Minute)
				s.fault(feedAt, nil)
				pass(time.Minute)
				p.takes(s.token(t, bearer{kid: "k2"}))
			})
		})
	}
}

func TestAKeyThatTheFeedTellsOfIsReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		pass(time.Minute)
		s.publish(t, "k2")
		s.tell(domain.KeyAdded, "k2", 0)
		pass(200 * time.Millisecond)
		if n := s.count(keySetAt); n != 2 || p.State().Keys != 2 {
			t.Errorf("the key set was read %d times, and has %d keys", n, p.State().Keys)
		}
		p.takes(s.token(t, bearer{kid: "k2"}))
	})
}

func TestATokenOfAKeyThatNobodyToldOfIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		pass(time.Minute)
		s.publish(t, "k2")
		token := s.token(t, bearer{kid: "k2"})
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() { p.takes(token) })
		}
		callers.Wait()
		if n := s.count(keySetAt); n > 3 {
			t.Errorf("fifty callers had the key set read %d times", n-1)
		}
	})
}

func TestNamesThatStrangersMakeUpAreNoLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		pass(time.Minute)
		strange := newStation(t, "k9")
		key := strange.withdraw("k9")
		before := s.count(keySetAt)
		for i := range 600 {
			p.refuses(sign(t, key, bearer{kid: fmt.Sprint("made up ", i)}), domain.ErrInvalidToken)
			pass(100 * time.Millisecond)
		}
		if n := s.count(keySetAt) - before; n > 13 {
			t.Errorf("the key set was read %d times in a minute", n)
		}
		if n := s.count(metadataAt); n != 1 {
			t.Errorf("the metadata were read %d times", n)
		}
		p.takes(s.token(t, bearer{kid: "k1"}))
	})
}

func TestOfAKeyThatIsNotKnownNothingIsSaidWhileTheKeySetCannotBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		pass(time.Minute)
		s.publish(t, "k2")
		token := s.token(t, bearer{kid: "k2"})
		s.fault(keySetAt, hangs)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		asked := time.Now()
		if _, err := p.Verify(ctx, token); err == nil || time.Since(asked) > time.Second {
			t.Errorf("within its context: %v after %v", err, time.Since(asked))
		}
		p.refuses(token, domain.ErrUnavailable)
		pass(10 * time.Second)
		p.refuses(token, domain.ErrUnavailable)
		p.takes(s.token(t, bearer{kid: "k1"}))
		s.fault(keySetAt, nil)
		pass(10 * time.Second)
		p.takes(token)
	})
}

// The feed tells of the last 70 minutes. Of a key that was retired before, only the
// key set tells, by not having it.
func TestAKeyThatWasRetiredLongAgoUnheardIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1", "k2")
		s.retention, s.keySetMaxAge = domain.ChangeRetention, "max-age=86400"
		p := guard(t, s, verify.Config{})
		pass(time.Minute)
		s.fault(feedAt, isCut)
		s.fault(keySetAt, isCut)
		stolen := s.withdraw("k1")
		s.tell(domain.KeyRetired, "k1", 0)
		pass(2 * time.Hour)
		s.fault(feedAt, nil)
		pass(time.Minute)
		forged, genuine := sign(t, stolen, bearer{kid: "k1"}), s.token(t, bearer{kid: "k2"})
		p.refuses(forged, domain.ErrUnavailable)
		p.refuses(genuine, domain.ErrUnavailable)
		s.fault(keySetAt, nil)
		pass(10 * time.Second)
		p.refuses(forged, domain.ErrInvalidToken)
		p.takes(genuine)
	})
}

// A cache on the way that keeps old copies, and tells their age, is not believed.
func TestAnOldCopyOfTheKeySetIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		s.fault(keySetAt, answers(200, `{"keys":[]}`, "Age", "90000", "Cache-Control", "max-age=100000"))
		p := guard(t, s, verify.Config{})
		pass(time.Minute)
		p.refuses(s.token(t, bearer{kid: "k1"}), domain.ErrUnavailable)
		if n := s.count(keySetAt); n > 60 {
			t.Errorf("it was asked for %d times in a minute", n)
		}
		s.fault(keySetAt, nil)
		pass(10 * time.Second)
		p.takes(s.token(t, bearer{kid: "k1"}))
	})
}
