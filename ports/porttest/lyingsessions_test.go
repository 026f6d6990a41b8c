package porttest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingSessions = []liar{
	{
		name:   "counts in 32 bits",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return narrow{r.Sessions()} }),
		caught: []string{"a session is read as it was opened"},
	},
	{
		name: "opens every session to rotate",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return rotator{r.Sessions()} }),
		caught: []string{
			"a refresh token is judged as the domain judges it",
			"a session is read as it was opened",
			"a session is renewed no more",
		},
	},
	{
		name:   "stops the renewal of anybody's session",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return anyStopper{r.Sessions(), r} }),
		caught: []string{"a session is renewed no more"},
	},
	{
		name:   "stops the renewal of no session with success",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return quietStopper{r.Sessions()} }),
		caught: []string{"a session is renewed no more"},
	},
	{
		name: "ends a session that is renewed no more",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return hardStopper{r.Sessions()} }),
		caught: []string{
			"a session is renewed no more",
			"a session that is renewed no more goes on",
			"times come back in UTC",
		},
	},
	{
		name: "shortens a session that is renewed no more by a moment",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return earlyStopper{r.Sessions()} }),
		caught: []string{
			"a session is renewed no more",
			"a session that is renewed no more goes on",
			"times come back in UTC",
		},
	},
	{
		name:   "lengthens a session that is renewed no more",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return lengthener{r.Sessions(), r} }),
		caught: []string{"a session is renewed no more"},
	},
	{
		name: "opens for an old password",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return credulous{r.Sessions(), r} }),
		caught: []string{
			"a session is not opened for anybody else",
			"a sign-in with an old password does not survive its change",
		},
	},
	{
		name: "takes the account's revision for the credential's",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return confused{r.Sessions(), r} }),
		caught: []string{
			"a session is opened for who proved the password",
			"times come back in UTC",
		},
	},
	{
		name: "opens for the suspended",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return lenient{r.Sessions(), r} }),
		caught: []string{
			"a session is not opened for anybody else",
			"a sign-in does not survive a suspension",
		},
	},
	{
		name: "lets a reused session live",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return reviver{r.Sessions(), r} }),
		caught: []string{
			"a refresh token is judged as the domain judges it",
			"a verdict is no error",
			"an ending is news",
			"there is no ending without its news",
			"who is being signed out makes no access key",
		},
	},
	{
		name: "ends a reused session in silence",
		open: onSessions(func(r ports.Repositories) ports.Sessions {
			return teller{r.Sessions(), r, func(domain.RefreshToken, time.Time) []domain.Change { return nil }}
		}),
		caught: []string{
			"an ending is news",
			"there is no ending without its news",
			"times come back in UTC",
		},
	},
	{
		name: "tells the end of a session by a clock of its own",
		open: onSessions(func(r ports.Repositories) ports.Sessions {
			return teller{r.Sessions(), r, func(t domain.RefreshToken, now time.Time) []domain.Change {
				return []domain.Change{{Kind: domain.SessionEnded, Subject: string(t.Session), At: now.Add(time.Second)}}
			}}
		}),
		caught: []string{
			"an ending is news",
			"there is no ending without its news",
			"times come back in UTC",
		},
	},
	{
		name: "tells the end of a session at each refresh",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return alarmist{r.Sessions(), r.Bulletin()} }),
		caught: []string{
			"a session is renewed no more",
			"an ending is news",
			"times come back in UTC",
		},
	},
	{
		name: "lets the grace last a moment longer",
		open: onSessions(func(r ports.Repositories) ports.Sessions {
			return policyBender{r.Sessions(), func(p domain.SessionPolicy) domain.SessionPolicy { p.Grace += time.Microsecond; return p }}
		}),
		caught: []string{
			"a refresh token is judged as the domain judges it",
			"a refresh token is rotated once, and without a grace the session ends",
		},
	},
	{
		name: "lets idle sessions last a moment longer",
		open: onSessions(func(r ports.Repositories) ports.Sessions {
			return policyBender{r.Sessions(), func(p domain.SessionPolicy) domain.SessionPolicy { p.Idle += time.Microsecond; return p }}
		}),
		caught: []string{"a refresh token is judged as the domain judges it"},
	},
	{
		name: "always grants a grace",
		open: onSessions(func(r ports.Repositories) ports.Sessions {
			return policyBender{r.Sessions(), func(p domain.SessionPolicy) domain.SessionPolicy { p.Grace = max(p.Grace, time.Minute); return p }}
		}),
		caught: []string{
			"a refresh token is judged as the domain judges it",
			"a refresh token is rotated once, and without a grace the session ends",
		},
	},
	{
		name: "tells everybody that they rotated",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return flatterer{r.Sessions()} }),
		caught: []string{
			"an ending is news",
			"a refresh token is judged as the domain judges it",
			"a refresh token is rotated once, and repeated within the grace",
		},
	},
	{
		name: "fails for the suspended and the ended",
		open: onSessions(func(r ports.Repositories) ports.Sessions {
			return failing{r.Sessions(), domain.Refused, domain.ErrSessionNotFound}
		}),
		caught: []string{
			"a refresh token is judged as the domain judges it",
			"a refresh token is rotated once, and without a grace the session ends",
			"a refresh token of no session",
			"a session is renewed no more",
			"an account is removed with what is its own",
			"an ended session is gone",
			"an ending is news",
		},
	},
	{
		name: "fails on a reuse",
		open: onSessions(func(r ports.Repositories) ports.Sessions {
			return failing{r.Sessions(), domain.Reused, domain.ErrTokenReused}
		}),
		caught: []string{
			"a refresh token is judged as the domain judges it",
			"a refresh token is rotated once, and without a grace the session ends",
			"a verdict is no error",
			"an ending is news",
			"there is no ending without its news",
			"times come back in UTC",
			"who is being signed out makes no access key",
		},
	},
	{
		name: "remembers authorities",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{sessions: func(r ports.Repositories) ports.Sessions { return rememberer{r.Sessions(), memory} }}}
		},
		caught: []string{"a session tells what its account may do at the moment"},
	},
	{
		name: "lets a session act at its end",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return lateAuthority{r.Sessions()} }),
		caught: []string{
			"a session that is renewed no more goes on",
			"a session without authority",
		},
	},
	{
		name:   "finds a session at its end",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return lateByID{r.Sessions()} }),
		caught: []string{"a session is found by its id"},
	},
	{
		name:   "lists sessions by use",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return byUse{r.Sessions()} }),
		caught: []string{"sessions are listed by id"},
	},
	{
		name: "lists a session at its end",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return lateLister{r.Sessions()} }),
		caught: []string{
			"a session that is renewed no more goes on",
			"sessions that are over are not listed",
		},
	},
	{
		name:   "ends anybody's session",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return intruder{r.Sessions()} }),
		caught: []string{"a session is ended by its account"},
	},
	{
		name: "ends what has ended with success",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return quietEnder{r.Sessions()} }),
		caught: []string{
			"an ended session is gone",
			"a session is ended by its account",
		},
	},
	{
		name:   "spares nobody",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return merciless{r.Sessions()} }),
		caught: []string{"all sessions of an account are ended but one"},
	},
	{
		name: "does not say what it ends",
		open: onSessions(func(r ports.Repositories) ports.Sessions { return wordless{r.Sessions()} }),
		caught: []string{
			"a refresh token is judged as the domain judges it",
			"an ended session is gone",
			"all sessions of an account are ended but one",
			"many use a store at once",
		},
	},
	{
		name:   "keeps the address of a session in 45 bytes",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return shortAddressed{r.Sessions()} }),
		caught: []string{"a session is read as it was opened"},
	},
	{
		name: "keeps no address that a session is seen at",
		open: onSessions(func(r ports.Repositories) ports.Sessions {
			return sightings{r.Sessions(), func(list []domain.Sighting[domain.SessionID]) []domain.Sighting[domain.SessionID] {
				for i := range list {
					list[i].Address = ""
				}
				return list
			}}
		}),
		caught: []string{
			"a session that is renewed no more goes on",
			"it is noted when a session was used",
			"times come back in UTC",
			"what is no news of a session is passed over",
		},
	},
	{
		name: "sees the first session alone",
		open: onSessions(func(r ports.Repositories) ports.Sessions {
			return sightings{r.Sessions(), func(list []domain.Sighting[domain.SessionID]) []domain.Sighting[domain.SessionID] {
				return list[:min(1, len(list))]
			}}
		}),
		caught: []string{
			"it is noted when a session was used",
			"what is no news of a session is passed over",
		},
	},
	{
		name:   "sees sessions a moment early",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return early{r.Sessions(), r} }),
		caught: []string{"what is no news of a session is passed over"},
	},
	{
		name:   "fails to see a session that has ended",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return strictSeer{r.Sessions()} }),
		caught: []string{"what is no news of a session is passed over"},
	},
	{
		name:   "prunes at the end itself",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return earlyPruner{r.Sessions()} }),
		caught: []string{"sessions that are over are forgotten"},
	},
	{
		name:   "prunes without a limit",
		open:   onSessions(func(r ports.Repositories) ports.Sessions { return greedyPruner{r.Sessions()} }),
		caught: []string{"sessions that are over are forgotten"},
	},
}

type narrow struct{ ports.Sessions }

func (l narrow) Open(ctx context.Context, s domain.Session, rev domain.Revision) (domain.Authority, error) {
	s.Counter &= 1<<32 - 1
	return l.Sessions.Open(ctx, s, rev)
}

type credulous struct {
	ports.Sessions
	r ports.Repositories
}

func (l credulous) Open(ctx context.Context, s domain.Session, rev domain.Revision) (domain.Authority, error) {
	if c, err := l.r.Accounts().Credential(ctx, s.Account); err == nil {
		rev = c.Revision
	}
	return l.Sessions.Open(ctx, s, rev)
}

type confused struct {
	ports.Sessions
	r ports.Repositories
}

func (l confused) Open(ctx context.Context, s domain.Session, rev domain.Revision) (domain.Authority, error) {
	if a, err := l.r.Accounts().ByID(ctx, s.Account); err == nil && a.Revision != rev {
		return domain.Authority{}, domain.ErrCredentialChanged
	}
	return l.Sessions.Open(ctx, s, rev)
}

type lenient struct {
	ports.Sessions
	r ports.Repositories
}

func (l lenient) Open(ctx context.Context, s domain.Session, rev domain.Revision) (domain.Authority, error) {
	a, err := l.r.Accounts().ByID(ctx, s.Account)
	if err != nil || a.Status == domain.Active {
		return l.Sessions.Open(ctx, s, rev)
	}
	status := a.Status
	a.Status = domain.Active
	err = l.r.Accounts().Update(ctx, a)
	au, refused := l.Sessions.Open(ctx, s, rev)
	a.Status = status
	a.Revision++
	return au, cmp.Or(err, refused, l.r.Accounts().Update(ctx, a))
}

type reviver struct {
	ports.Sessions
	r ports.Repositories
}

func (l reviver) Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	au, _ := l.Authority(ctx, t.Session, noon)
	list, _ := l.List(ctx, au.Account, noon, "", 99)
	got, err := l.Sessions.Refresh(ctx, t, now, p)
	if i := slices.IndexFunc(list, func(s domain.Session) bool { return s.ID == t.Session }); i >= 0 && got.Verdict == domain.Reused {
		c, _ := l.r.Accounts().Credential(ctx, au.Account)
		_, err = l.Open(ctx, list[i], c.Revision)
	}
	return got, err
}

// teller ends a reused session by itself, and posts what tell says of it.
type teller struct {
	ports.Sessions
	r    ports.Repositories
	tell func(domain.RefreshToken, time.Time) []domain.Change
}

func (l teller) Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	s := found(ctx, l.r, t.Session)
	if _, verdict := s.Refresh(t.Counter, now, p); s.Account == "" || verdict != domain.Reused {
		return l.Sessions.Refresh(ctx, t, now, p)
	}
	if err := l.End(ctx, s.Account, s.ID); err != nil {
		return domain.Refreshed{}, quiet(err, domain.ErrSessionNotFound)
	}
	return domain.Refreshed{Verdict: domain.Reused}, l.r.Bulletin().Post(ctx, l.tell(t, now)...)
}

type alarmist struct {
	ports.Sessions
	bulletin ports.Bulletin
}

func (l alarmist) Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	got, err := l.Sessions.Refresh(ctx, t, now, p)
	if err == nil && got.Verdict != domain.Reused {
		err = l.bulletin.Post(ctx, ending(0, now))
	}
	return got, err
}

type policyBender struct {
	ports.Sessions
	bend func(domain.SessionPolicy) domain.SessionPolicy
}

func (l policyBender) Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	return l.Sessions.Refresh(ctx, t, now, l.bend(p))
}

type flatterer struct{ ports.Sessions }

func (l flatterer) Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	got, err := l.Sessions.Refresh(ctx, t, now, p)
	if got.Verdict == domain.Repeated {
		got.Verdict = domain.Rotated
	}
	return got, err
}

type failing struct {
	ports.Sessions
	verdict domain.Verdict
	failure error
}

func (l failing) Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	got, err := l.Sessions.Refresh(ctx, t, now, p)
	if err == nil && got.Verdict == l.verdict {
		err = l.failure
	}
	return got, err
}

type rememberer struct {
	ports.Sessions
	memory *sync.Map
}

func (l rememberer) Authority(ctx context.Context, id domain.SessionID, now time.Time) (domain.Authority, error) {
	au, err := l.Sessions.Authority(ctx, id, now)
	if err != nil {
		return au, err
	}
	first, _ := l.memory.LoadOrStore(id, au)
	au = first.(domain.Authority)
	au.Roles = slices.Clone(au.Roles)
	return au, nil
}

type lateByID struct{ ports.Sessions }

func (l lateByID) ByID(ctx context.Context, id domain.SessionID, now time.Time) (domain.Session, error) {
	return l.Sessions.ByID(ctx, id, now.Add(-time.Microsecond))
}

type lateAuthority struct{ ports.Sessions }

func (l lateAuthority) Authority(ctx context.Context, id domain.SessionID, now time.Time) (domain.Authority, error) {
	return l.Sessions.Authority(ctx, id, now.Add(-time.Microsecond))
}

type byUse struct{ ports.Sessions }

func (l byUse) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.SessionID, limit int) ([]domain.Session, error) {
	list, err := l.Sessions.List(ctx, account, now, after, limit)
	slices.SortStableFunc(list, func(a, b domain.Session) int { return a.Used.Compare(b.Used) })
	return list, err
}

type lateLister struct{ ports.Sessions }

func (l lateLister) List(ctx context.Context, account domain.AccountID, now time.Time, after domain.SessionID, limit int) ([]domain.Session, error) {
	return l.Sessions.List(ctx, account, now.Add(-time.Microsecond), after, limit)
}

type intruder struct{ ports.Sessions }

func (l intruder) End(ctx context.Context, account domain.AccountID, id domain.SessionID) error {
	if au, err := l.Authority(ctx, id, noon); err == nil {
		account = au.Account
	}
	return l.Sessions.End(ctx, account, id)
}

type quietEnder struct{ ports.Sessions }

func (l quietEnder) End(ctx context.Context, account domain.AccountID, id domain.SessionID) error {
	return quiet(l.Sessions.End(ctx, account, id), domain.ErrSessionNotFound)
}

type merciless struct{ ports.Sessions }

func (l merciless) EndAll(ctx context.Context, account domain.AccountID, _ domain.SessionID) ([]domain.SessionID, error) {
	return l.Sessions.EndAll(ctx, account, "")
}

type wordless struct{ ports.Sessions }

func (l wordless) EndAll(ctx context.Context, account domain.AccountID, except domain.SessionID) ([]domain.SessionID, error) {
	_, err := l.Sessions.EndAll(ctx, account, except)
	return nil, err
}

type shortAddressed struct{ ports.Sessions }

func (l shortAddressed) Open(ctx context.Context, s domain.Session, rev domain.Revision) (domain.Authority, error) {
	s.Address = s.Address[:min(45, len(s.Address))]
	return l.Sessions.Open(ctx, s, rev)
}

// sightings takes sightings for others.
type sightings struct {
	ports.Sessions
	bend func([]domain.Sighting[domain.SessionID]) []domain.Sighting[domain.SessionID]
}

func (l sightings) Saw(ctx context.Context, list []domain.Sighting[domain.SessionID]) error {
	return l.Sessions.Saw(ctx, l.bend(slices.Clone(list)))
}

// early keeps a sighting that comes too early, as if it came in time.
type early struct {
	ports.Sessions
	r ports.Repositories
}

func (l early) Saw(ctx context.Context, list []domain.Sighting[domain.SessionID]) error {
	list = slices.Clone(list)
	for i, seen := range list {
		if in := found(ctx, l.r, seen.ID).Seen.Add(domain.SightingInterval); seen.At.Equal(in.Add(-time.Microsecond)) {
			list[i].At = in
		}
	}
	return l.Sessions.Saw(ctx, list)
}

type strictSeer struct{ ports.Sessions }

func (l strictSeer) Saw(ctx context.Context, list []domain.Sighting[domain.SessionID]) error {
	for _, seen := range list {
		if _, err := l.ByID(ctx, seen.ID, noon.AddDate(-200, 0, 0)); err != nil {
			return err
		}
	}
	return l.Sessions.Saw(ctx, list)
}

type earlyPruner struct{ ports.Sessions }

func (l earlyPruner) Prune(ctx context.Context, t time.Time, limit int) (int, error) {
	return l.Sessions.Prune(ctx, t.Add(time.Microsecond), limit)
}

type greedyPruner struct{ ports.Sessions }

func (l greedyPruner) Prune(ctx context.Context, t time.Time, _ int) (int, error) {
	return l.Sessions.Prune(ctx, t, 1000)
}

type rotator struct{ ports.Sessions }

func (l rotator) Open(ctx context.Context, s domain.Session, credential domain.Revision) (domain.Authority, error) {
	return l.Sessions.Open(ctx, renewedBy(s, domain.Rotating), credential)
}

type anyStopper struct {
	ports.Sessions
	r ports.Repositories
}

func (l anyStopper) StopRenewal(ctx context.Context, account domain.AccountID, id domain.SessionID, ends time.Time) error {
	return l.Sessions.StopRenewal(ctx, cmp.Or(found(ctx, l.r, id).Account, account), id, ends)
}

type quietStopper struct{ ports.Sessions }

func (l quietStopper) StopRenewal(ctx context.Context, account domain.AccountID, id domain.SessionID, ends time.Time) error {
	return quiet(l.Sessions.StopRenewal(ctx, account, id, ends), domain.ErrSessionNotFound)
}

type hardStopper struct{ ports.Sessions }

func (l hardStopper) StopRenewal(ctx context.Context, account domain.AccountID, id domain.SessionID, _ time.Time) error {
	return l.End(ctx, account, id)
}

type earlyStopper struct{ ports.Sessions }

func (l earlyStopper) StopRenewal(ctx context.Context, account domain.AccountID, id domain.SessionID, ends time.Time) error {
	return l.Sessions.StopRenewal(ctx, account, id, ends.Add(-time.Microsecond))
}

// lengthener gives a session that is renewed no more the end that it is told.
type lengthener struct {
	ports.Sessions
	r ports.Repositories
}

func (l lengthener) StopRenewal(ctx context.Context, account domain.AccountID, id domain.SessionID, ends time.Time) error {
	s := found(ctx, l.r, id)
	err := l.Sessions.StopRenewal(ctx, account, id, ends)
	if err != nil || !ends.After(s.Ends) {
		return err
	}
	c, err := l.r.Accounts().Credential(ctx, account)
	if err != nil {
		return err
	}
	s.Ends, s.Renewal = ends, domain.NoMore
	if err := l.End(ctx, account, id); err != nil {
		return err
	}
	return opened(l.Open(ctx, s, c.Revision))
}
