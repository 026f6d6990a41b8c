package verify_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyport-go/keyport/adapters/verify"
	"github.com/keyport-go/keyport/domain"
)

// pass lets time pass in a bubble.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestATokenIsTakenOnceTheFeedWasHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		token := s.token(t, bearer{kid: "k1", authority: 7})
		s.fault(feedAt, hangs)
		p := guard(t, s, verify.Config{})
		synctest.Wait()
		p.refuses(token, domain.ErrUnavailable)
		p.refuses("junk", domain.ErrUnavailable)
		if got := p.State(); got != (verify.State{RevocationMax: 5 * time.Second, Keys: 1}) {
			t.Errorf("before the feed: %+v", got)
		}

		s.fault(feedAt, nil)
		pass(time.Minute)
		claims, err := p.Verify(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if claims.Subject != ada || claims.Session != sessionA || claims.Authority != 7 || !slices.Equal(claims.Roles, []domain.Role{"editor"}) {
			t.Errorf("it reads %+v", claims)
		}
		if got := p.State(); !got.Ready || got.Keys != 1 || got.Changes != 0 {
			t.Errorf("it stands at %+v", got)
		}

		s.fault(feedAt, hangs)
		p.stop()
		if err := <-p.end; err != nil {
			t.Errorf("the end of its context: %v", err)
		}
		p.end <- nil
		p.refuses(token, domain.ErrUnavailable)
	})
}

func TestAVerifierKnowsNothingBeforeItRunsAndRunsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		v, err := verify.New(verify.Config{Issuer: issuer, Key: accessKey, Client: &http.Client{Transport: s}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(t.Context(), s.token(t, bearer{kid: "k1"})); !errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("before it runs: %v", err)
		}
		if s.count(metadataAt) > 0 {
			t.Error("New has asked")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := v.Run(ctx); err != nil {
			t.Errorf("a context that has ended: %v", err)
		}
		if err := v.Run(t.Context()); err == nil {
			t.Error("it ran twice")
		}
	})
}

func TestATokenIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		other := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		synctest.Wait()
		good := s.token(t, bearer{kid: "k1", authority: 3})
		short := s.token(t, bearer{kid: "k1", life: time.Minute})
		p.takes(good)
		p.takes(short)
		pass(2 * time.Minute)
		for name, token := range map[string]string{
			"that has expired":          short,
			"for another audience":      s.token(t, bearer{kid: "k1", audience: "https://other.example"}),
			"that another key signed":   other.token(t, bearer{kid: "k1"}),
			"that was altered":          good[:len(good)-2] + "AA",
			"that is an access key":     accessKey.Reveal(),
			"that is none":              "",
			"with a header that is not": "e30.e30.AAAA",
		} {
			if _, err := p.Verify(t.Context(), token); !errors.Is(err, domain.ErrInvalidToken) {
				t.Errorf("a token %s: %v", name, err)
			}
		}
		p.takes(good)
	})
}

func TestWhatIsRevokedIsRefused(t *testing.T) {
	for _, test := range []struct {
		name    string
		kind    domain.ChangeKind
		subject string
		value   int64
	}{
		{"by the end of its session", domain.SessionEnded, sessionA, 0},
		{"by new roles of its account", domain.AuthorityRaised, ada, 5},
		{"by the end of its account", domain.AuthorityRaised, ada, domain.MaxAuthority},
		{"by the end of its key", domain.KeyRetired, "k1", 0},
	} {
		for _, already := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newStation(t, "k1", "k2")
					token := s.token(t, bearer{kid: "k1", authority: 4})
					another := s.token(t, bearer{kid: "k2", session: sessionB, authority: 5})
					if already {
						s.tell(test.kind, test.subject, test.value)
					}
					p := guard(t, s, verify.Config{})
					pass(time.Minute)
					if !already {
						p.takes(token)
						s.tell("something that a later release tells", "x", 1)
						s.tell(test.kind, test.subject, test.value)
						pass(100 * time.Millisecond)
					}
					p.refuses(token, domain.ErrInvalidToken)
					if test.value != domain.MaxAuthority {
						p.takes(another)
					}
				})
			})
		}
	}
}

func TestAQuietFeedIsHeardAllTheSame(t *testing.T) {
	for _, promised := range []float64{1, 2, 3, 5, 60} {
		synctest.Test(t, func(t *testing.T) {
			s := newStation(t, "k1")
			s.revocationMax = promised
			p := guard(t, s, verify.Config{})
			synctest.Wait()
			token := s.token(t, bearer{kid: "k1"})
			for range 1500 {
				pass(97 * time.Millisecond)
				p.takes(token)
			}
			if got := p.log.String(); got != "" {
				t.Errorf("with %v seconds the log was told:\n%s", promised, got)
			}
			if n := s.count(feedAt); n > 700 {
				t.Errorf("with %v seconds it asked %d times", promised, n)
			}
		})
	}
}

func TestAConnectionThatHangsIsNoNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		synctest.Wait()
		token := s.token(t, bearer{kid: "k1"})
		for range 3 {
			p.takes(token)
			s.fault(feedAt, hangs)
			pass(8 * time.Second)
			p.refuses(token, domain.ErrUnavailable)
			if p.State().Ready || p.State().Age < 5*time.Second {
				t.Errorf("it stands at %+v", p.State())
			}
			s.fault(feedAt, nil)
			pass(15 * time.Second)
		}
		p.takes(token)
	})
}

func TestOneConnectionThatHangsIsGivenUpBeforeTokensAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		synctest.Wait()
		token := s.token(t, bearer{kid: "k1"})
		s.fault(feedAt, func(r *http.Request) (*http.Response, error) {
			s.fault(feedAt, nil)
			return hangs(r)
		})
		for range 200 {
			pass(50 * time.Millisecond)
			p.takes(token)
		}
		if s.begun() != 2 {
			t.Errorf("the feed was begun %d times, want a second time after the failure", s.begun())
		}
	})
}

// An answer is as old as the question to the store, however late it comes.
func TestAnAnswerThatWasLongOnItsWayIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		synctest.Wait()
		answered := make(chan struct{})
		s.fault(feedAt, func(r *http.Request) (*http.Response, error) {
			defer close(answered)
			s.fault(feedAt, hangs)
			time.Sleep(2 * time.Second)
			return answers(200, `{"changes":[],"next":"0","as_of":0.5}`)(r)
		})
		<-answered
		synctest.Wait()
		if age := p.State().Age; age != 1500*time.Millisecond {
			t.Errorf("an answer that took 2s, and whose as_of is half a second, is %v old", age)
		}
	})
}

func TestWhatWasRevokedInAnOutageIsHeardAfterIt(t *testing.T) {
	for name, fault := range map[string]func(*http.Request) (*http.Response, error){
		"a cut connection":        isCut,
		"a store that is away":    answers(503, `{"type":"/problems/unavailable"}`, "Retry-After", "1"),
		"a proxy's page":          answers(200, "<html>Come back later</html>"),
		"an empty object":         answers(200, "{}"),
		"a cursor that is none":   answers(422, `{"type":"/problems/invalid-cursor","title":"Invalid request","status":422}`),
		"a time in the future":    answers(200, `{"changes":[],"next":"1","as_of":-1}`),
		"a redirect to nowhere":   answers(302, "", "Location", "https://elsewhere.example/"),
		"an answer without bound": goesOn,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStation(t, "k1")
				p := guard(t, s, verify.Config{})
				synctest.Wait()
				token, another := s.token(t, bearer{kid: "k1"}), s.token(t, bearer{kid: "k1", session: sessionB})
				p.takes(token)
				s.fault(feedAt, fault)
				pass(10 * time.Second)
				p.refuses(token, domain.ErrUnavailable)
				s.tell(domain.SessionEnded, sessionA, 0)
				s.fault(feedAt, nil)
				pass(10 * time.Second)
				p.refuses(token, domain.ErrInvalidToken)
				p.takes(another)
				log := p.log.String()
				if strings.Count(log, "level=WARN") != 1 || strings.Count(log, "level=INFO") != 1 || !strings.Contains(log, "the feed of revocations can be had from Keyport again") {
					t.Errorf("the log was told:\n%s", log)
				}
				if name == "an answer without bound" && !strings.Contains(log, "longer than") {
					t.Errorf("the log is not told of the bound:\n%s", log)
				}
				if strings.Contains(log, "kpk_") || strings.Contains(log, "cursor=") {
					t.Errorf("the log tells too much:\n%s", log)
				}
			})
		})
	}
}

func TestACursorThatIsRefusedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		pass(time.Minute)
		token := s.token(t, bearer{kid: "k1"})
		s.fault(feedAt, func(r *http.Request) (*http.Response, error) {
			s.fault(feedAt, nil)
			return answers(422, `{"type":"/problems/invalid-cursor"}`)(r)
		})
		for range 100 {
			pass(100 * time.Millisecond)
			p.takes(token)
		}
		if s.begun() != 2 || !strings.Contains(p.log.String(), "/problems/invalid-cursor") {
			t.Errorf("the feed was begun %d times, and the log was told:\n%s", s.begun(), p.log)
		}
	})
}

func TestAFeedThatDoesNotWaitIsNotAskedWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		s.fault(feedAt, answers(200, `{"changes":[{"kind":"session","subject":"`+sessionB+`","at":"2000-01-01T00:00:00Z"}],"next":"1","as_of":0}`))
		p := guard(t, s, verify.Config{})
		pass(time.Minute)
		p.takes(s.token(t, bearer{kid: "k1"}))
		if n := s.count(feedAt); n > 601 {
			t.Errorf("with news each time it was asked %d times a minute", n)
		}
		before := s.count(feedAt)
		s.fault(feedAt, answers(200, `{"changes":[],"next":"1","as_of":0}`))
		pass(time.Minute)
		p.takes(s.token(t, bearer{kid: "k1"}))
		if n := s.count(feedAt) - before; n > 62 {
			t.Errorf("without news it was asked %d times a minute", n)
		}
	})
}

func TestRunEndsWhereWaitingIsNoUse(t *testing.T) {
	for _, test := range []struct {
		name, path string
		fault      func(*http.Request) (*http.Response, error)
		want       error
	}{
		{"at another issuer's metadata", metadataAt, answers(200, `{"issuer":"https://keyport.example/","jwks_uri":"https://keyport.example/jwks"}`), verify.ErrIssuer},
		{"where the access key has ended", feedAt, answers(401, `{"type":"/problems/invalid-token"}`), verify.ErrRefused},
		{"where the access key lacks the right", feedAt, answers(403, `{"type":"/problems/out-of-scope"}`), verify.ErrRefused},
	} {
		for _, late := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newStation(t, "k1")
					if !late {
						s.fault(test.path, test.fault)
					}
					p := guard(t, s, verify.Config{})
					synctest.Wait()
					s.fault(test.path, test.fault)
					err := <-p.end
					p.end <- nil
					if !errors.Is(err, test.want) || strings.Contains(err.Error(), "kpk_") {
						t.Errorf("it ended with %v, want %v", err, test.want)
					}
					p.refuses(s.token(t, bearer{kid: "k1"}), domain.ErrUnavailable)
				})
			})
		}
	}
}

func TestMetadataThatAreOfNoUseAreReadAgain(t *testing.T) {
	for name, fault := range map[string]func(*http.Request) (*http.Response, error){
		"none":                      answers(404, "no such page"),
		"a connection that hangs":   hangs,
		"a text that is none":       answers(200, "keyport"),
		"of nobody":                 answers(200, `{}`),
		"without end":               goesOn,
		"with a feed elsewhere":     answers(200, `{"issuer":"https://keyport.example","jwks_uri":"https://keyport.example/.well-known/jwks.json","keyport_revocations_endpoint":"https://keyport.example.other.example/v1/revocations","keyport_revocation_max":5}`),
		"with keys elsewhere":       answers(200, `{"issuer":"https://keyport.example","jwks_uri":"http://keyport.example/.well-known/jwks.json","keyport_revocations_endpoint":"https://keyport.example/v1/revocations","keyport_revocation_max":5}`),
		"without a feed":            answers(200, `{"issuer":"https://keyport.example","jwks_uri":"https://keyport.example/.well-known/jwks.json"}`),
		"that promise no bound":     answers(200, `{"issuer":"https://keyport.example","jwks_uri":"https://keyport.example/.well-known/jwks.json","keyport_revocations_endpoint":"https://keyport.example/v1/revocations","keyport_revocation_max":0}`),
		"that promise it backwards": answers(200, `{"issuer":"https://keyport.example","jwks_uri":"https://keyport.example/.well-known/jwks.json","keyport_revocations_endpoint":"https://keyport.example/v1/revocations","keyport_revocation_max":-1}`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStation(t, "k1")
				s.fault(metadataAt, fault)
				p := guard(t, s, verify.Config{})
				pass(time.Minute)
				token := s.token(t, bearer{kid: "k1"})
				p.refuses(token, domain.ErrUnavailable)
				if n := s.count(feedAt); n > 0 {
					t.Errorf("a feed was asked %d times", n)
				}
				s.fault(metadataAt, nil)
				pass(10 * time.Second)
				p.takes(token)
				if log := p.log.String(); strings.Count(log, "level=WARN") != 1 || strings.Count(log, "level=INFO") != 1 {
					t.Errorf("the log was told:\n%s", log)
				}
			})
		})
	}
}

func TestTheLesserBoundIsInForce(t *testing.T) {
	for _, test := range []struct {
		name     string
		asked    time.Duration
		promised float64
		want     time.Duration
	}{
		{"Keyport's, where none was asked for", 0, 7, 7 * time.Second},
		{"the one that was asked for", 2 * time.Second, 7, 2 * time.Second},
		{"Keyport's, where more was asked for", time.Minute, 7, 7 * time.Second},
		{"an hour, whatever Keyport promises", 0, 1e300, time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStation(t, "k1")
				s.revocationMax = test.promised
				p := guard(t, s, verify.Config{RevocationMax: test.asked})
				synctest.Wait()
				token := s.token(t, bearer{kid: "k1"})
				p.takes(token)
				if got := p.State().RevocationMax; got != test.want {
					t.Errorf("%v is in force, want %v", got, test.want)
				}
				s.fault(feedAt, isCut)
				pass(test.want + 30*time.Second)
				p.refuses(token, domain.ErrUnavailable)
			})
		})
	}
}

func TestKeyportMayPromiseLessLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		synctest.Wait()
		s.fault(metadataAt, answers(200, `{"issuer":"https://keyport.example","jwks_uri":"https://keyport.example/.well-known/jwks.json","keyport_revocations_endpoint":"https://keyport.example/v1/revocations","keyport_revocation_max":2.5}`))
		pass(time.Hour)
		if got := p.State().RevocationMax; got != 2500*time.Millisecond {
			t.Errorf("%v is in force", got)
		}
	})
}

func TestWhatIsForgottenCannotBeTakenAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, "k1")
		p := guard(t, s, verify.Config{})
		synctest.Wait()
		s.tell(domain.SessionEnded, sessionB, 0)
		pass(domain.ChangeRetention - time.Minute)
		if p.State().Changes != 1 {
			t.Errorf("it has %d changes in mind, want one", p.State().Changes)
		}
		pass(3 * time.Minute)
		if p.State().Changes != 0 {
			t.Errorf("it has %d changes in mind after all tokens have expired", p.State().Changes)
		}
	})
}
