package app_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/app"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/ports"
)

// So many clients share so many accounts, of which some are removed before the
// end, and each does so much.
const (
	clients = 50
	shared  = 5
	removed = 3
	acts    = 60
)

// TestSessionsAreLinearizable has many clients sign in, refresh, check and end
// sessions of a few accounts, while their passwords change, and they are
// suspended, restored and removed. Whatever the store, what each was told is what
// they would be told if all had come one after another: a sign-in or a refresh
// that races an ending does not survive it, and a token has one successor.
func TestSessionsAreLinearizable(t *testing.T) {
	for store, open := range stores {
		for _, grace := range []time.Duration{0, time.Minute} {
			t.Run(fmt.Sprintf("%s, with a grace of %v", store, grace), func(t *testing.T) {
				p := newPlay(t, open(t), grace)
				var all sync.WaitGroup
				for n := range clients {
					all.Go(func() { p.client(t.Context(), n) })
				}
				all.Wait()
				p.roll(t.Context())
				for _, err := range p.surprises {
					t.Error(err)
				}
				verify(t, p.history, grace > 0)
				p.tally(t)
			})
		}
	}
}

// patience bounds one check. It takes a second; one that does not end is a fault.
const patience = time.Minute

// verify fails the test unless the history is linearizable.
func verify(t *testing.T, history []porcupine.Operation, grace bool) {
	t.Helper()
	model := lives(grace)
	parts := model.Partition(history)
	began := time.Now()
	for _, part := range parts {
		switch porcupine.CheckOperationsTimeout(porcupine.Model{Init: model.Init, Step: model.Step}, part, patience) {
		case porcupine.Ok:
		case porcupine.Illegal:
			t.Errorf("no order explains what was told:\n%s", retell(part))
		case porcupine.Unknown:
			t.Errorf("in %v no order was found that explains %d acts", patience, len(part))
		}
	}
	t.Logf("%d acts in %d histories, checked in %v", len(history), len(parts), time.Since(began).Round(time.Millisecond))
}

// retell writes a history down in the order in which its acts began.
func retell(history []porcupine.Operation) string {
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	text := ""
	for _, o := range history {
		a := o.Input.(act)
		text += fmt.Sprintf("%6d to %6d  %s %+v: %+v\n", o.Call, o.Return, verbs[a.verb], a, o.Output)
	}
	return text
}

// A play is Keyport on some store, the accounts that clients share, and what they
// were told.
type play struct {
	wire.Services
	root     domain.Asker
	clock    atomic.Int64 // counts calls and returns
	accounts []*mutual

	mu        sync.Mutex
	history   []porcupine.Operation
	surprises []error
}

// A mutual account is what the clients tell one another of it. It may be out of
// date.
type mutual struct {
	id    domain.AccountID
	login domain.Login

	mu        sync.Mutex
	passwords int // so many there were; the last is thought to be current
	current   int
	tokens    []bearer // in the order in which they came
}

// A bearer is what one grant gave.
type bearer struct {
	session domain.SessionID
	counter domain.Counter
	refresh string
	access  string
}

func newPlay(t *testing.T, store ports.Store, grace time.Duration) *play {
	t.Helper()
	c, clock := defaults(), fake.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	c.RefreshGrace = grace
	p := &play{root: domain.Asker{Account: "root", Roles: []domain.Role{domain.Administrator}}}
	p.Services = app.Services(c, app.Parts{
		Store: store, Issuer: fake.Issuer{}, Refresher: fake.RefreshIssuer{}, Cursors: fake.Cursors{}, Vault: fake.Vault{},
		Hasher: fake.Hasher{}, Blocklist: fake.Blocklist{}, NewID: fake.UUIDs(),
		Now: func() time.Time {
			runtime.Gosched() // between one statement and the next: let others come between
			return clock.Now()
		},
	})
	for n := range shared {
		login, err := domain.ParseLogin(fmt.Sprintf("ada%d", n))
		if err != nil {
			t.Fatal(err)
		}
		a, err := p.Accounts.Register(t.Context(), accounts.Registration{Logins: []domain.Login{login}, Password: nthPassword(0)})
		if err != nil {
			t.Fatal(err)
		}
		p.accounts = append(p.accounts, &mutual{id: a.ID, login: login, passwords: 1})
	}
	return p
}

// nthPassword is the nth password of an account. No two of them agree.
func nthPassword(n int) domain.Password {
	return domain.NewPassword(fmt.Sprintf("the password of number %d", n))
}

// client does what chance says, one act after another. Mostly it refreshes what
// it has itself, as an honest one does.
func (p *play) client(ctx context.Context, n int) {
	chance := rand.New(rand.NewPCG(uint64(n), 0))
	own := make(map[*mutual]bearer)
	for i := range acts {
		m := p.accounts[chance.IntN(len(p.accounts))]
		b := own[m]
		if b == (bearer{}) || chance.IntN(3) == 0 {
			b = m.any(chance)
		}
		switch roll := chance.IntN(200); {
		case i == acts*3/4 && n < removed:
			p.remove(ctx, p.accounts[n])
		case b == (bearer{}) || roll < 25 || own[m] == (bearer{}) && roll < 75:
			own[m] = p.signIn(ctx, m, chance.IntN(10) == 0)
		case roll < 140:
			own[m] = p.refresh(ctx, m, b)
		case roll < 170:
			p.check(ctx, m, b)
		case roll < 177:
			p.signOut(ctx, m, b)
		case roll < 182:
			p.revoke(ctx, m, b)
		case roll < 184:
			p.endOthers(ctx, m, b)
		case roll < 187:
			p.changePassword(ctx, m, b)
		case roll < 189:
			p.set(ctx, m, suspend, domain.Suspended)
		default:
			p.set(ctx, m, restore, domain.Active)
		}
	}
}

// roll asks, when all is quiet, which sessions are left.
func (p *play) roll(ctx context.Context) {
	for _, m := range p.accounts {
		seen := make(map[domain.SessionID]bool)
		for _, b := range slices.Backward(m.tokens) {
			if !seen[b.session] {
				seen[b.session] = true
				p.check(ctx, m, b)
				p.refresh(ctx, m, b)
			}
		}
	}
}

// tally fails the test if there is something that nobody got as far as to do.
func (p *play) tally(t *testing.T) {
	t.Helper()
	var done [len(verbs)]int
	thefts := 0
	for _, o := range p.history {
		r := o.Output.(result)
		if r.done {
			done[o.Input.(act).verb]++
		}
		if r.theft {
			thefts++
		}
	}
	text := fmt.Sprintf("theft: %d", thefts)
	for v, name := range verbs {
		text += fmt.Sprintf(", %s: %d", name, done[v])
		if done[v] == 0 {
			t.Errorf("nobody got as far as to %s", name)
		}
	}
	t.Log(text)
}

// act does one thing, and writes down what came of it. Failures that the result
// does not tell apart are named; any other is a surprise.
func (p *play) act(a act, do func() (result, error), refusals ...*domain.Error) {
	call := p.clock.Add(1)
	r, err := do()
	back := p.clock.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case errors.Is(err, domain.ErrStale): // it tried in vain, and did nothing
		return
	case err != nil && !slices.ContainsFunc(refusals, func(e *domain.Error) bool { return errors.Is(err, e) }):
		p.surprises = append(p.surprises, fmt.Errorf("%s %+v: %w", verbs[a.verb], a, err))
		return
	}
	p.history = append(p.history, porcupine.Operation{Input: a, Output: r, Call: call, Return: back})
}

// signIn returns what it was granted, or nothing.
func (p *play) signIn(ctx context.Context, m *mutual, old bool) (b bearer) {
	n := m.password(old)
	p.act(act{verb: signIn, account: m.id, password: n}, func() (result, error) {
		proof, err := p.Accounts.Authenticate(ctx, m.login, nthPassword(n))
		if err != nil {
			return result{}, err
		}
		g, err := p.Tokens.Open(ctx, proof.Account, proof.Credential, domain.Client{})
		if err != nil {
			return result{}, err
		}
		b = m.note(g)
		return result{done: true, session: b.session}, nil
	}, domain.ErrInvalidCredentials, domain.ErrAccountSuspended)
	return b
}

// refresh returns what it was granted, or nothing.
func (p *play) refresh(ctx context.Context, m *mutual, b bearer) (next bearer) {
	p.act(act{verb: refresh, account: m.id, session: b.session, counter: b.counter}, func() (result, error) {
		g, err := p.Tokens.Refresh(ctx, b.refresh)
		if err != nil {
			return result{theft: errors.Is(err, domain.ErrTokenReused)}, err
		}
		next = m.note(g)
		return result{done: true, counter: next.counter}, nil
	}, domain.ErrInvalidToken, domain.ErrTokenReused)
	return next
}

func (p *play) check(ctx context.Context, m *mutual, b bearer) {
	p.act(act{verb: check, account: m.id, session: b.session}, func() (result, error) {
		_, err := p.Tokens.Check(ctx, b.access, "")
		return result{done: err == nil}, err
	}, domain.ErrInvalidToken)
}

func (p *play) signOut(ctx context.Context, m *mutual, b bearer) {
	p.act(act{verb: signOut, account: m.id, session: b.session}, func() (result, error) {
		err := p.Tokens.End(ctx, domain.Asker{Account: m.id, Session: b.session}, b.session)
		return result{done: err == nil}, err
	}, domain.ErrSessionNotFound)
}

func (p *play) revoke(ctx context.Context, m *mutual, b bearer) {
	p.act(act{verb: revoke, account: m.id, session: b.session}, func() (result, error) {
		return result{done: true}, p.Tokens.Revoke(ctx, b.refresh)
	})
}

func (p *play) endOthers(ctx context.Context, m *mutual, b bearer) {
	p.act(act{verb: endOthers, account: m.id, session: b.session}, func() (result, error) {
		return result{done: true}, p.Tokens.EndAll(ctx, domain.Asker{Account: m.id, Session: b.session}, b.session)
	})
}

func (p *play) changePassword(ctx context.Context, m *mutual, b bearer) {
	n, next := m.password(false), m.newPassword()
	p.act(act{verb: changePassword, account: m.id, session: b.session, password: n, next: next}, func() (result, error) {
		err := p.Accounts.ChangePassword(ctx, domain.Asker{Account: m.id, Session: b.session}, nthPassword(n), nthPassword(next))
		if err == nil {
			m.changed(next)
		}
		return result{done: err == nil}, err
	}, domain.ErrWrongPassword, domain.ErrCredentialChanged, domain.ErrAccountNotFound)
}

func (p *play) set(ctx context.Context, m *mutual, v verb, to domain.Status) {
	p.act(act{verb: v, account: m.id}, func() (result, error) {
		a, err := p.Accounts.Change(ctx, p.root, m.id, 0, domain.AccountChange{Status: &to})
		return result{done: err == nil, account: a.Revision}, err
	}, domain.ErrAccountNotFound)
}

func (p *play) remove(ctx context.Context, m *mutual) {
	p.act(act{verb: remove, account: m.id}, func() (result, error) {
		err := p.Accounts.Delete(ctx, p.root, m.id, 0)
		return result{done: err == nil}, err
	}, domain.ErrAccountNotFound)
}

// any returns something that was granted: mostly one of the latest, now and then
// an older one, and nothing before anything was.
func (m *mutual) any(chance *rand.Rand) bearer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.tokens) == 0 {
		return bearer{}
	}
	back := chance.IntN(3)
	if chance.IntN(10) == 0 {
		back = chance.IntN(12)
	}
	return m.tokens[max(0, len(m.tokens)-1-back)]
}

// note tells the other clients of a grant.
func (m *mutual) note(g domain.Grant) bearer {
	token, err := fake.RefreshIssuer{}.Verify(g.Refresh.Reveal())
	if err != nil {
		panic(err)
	}
	b := bearer{token.Session, token.Counter, g.Refresh.Reveal(), g.Access.Reveal()}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens = append(m.tokens, b)
	return b
}

func (m *mutual) password(old bool) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old {
		return max(0, m.current-1)
	}
	return m.current
}

func (m *mutual) newPassword() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.passwords++
	return m.passwords - 1
}

func (m *mutual) changed(to int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.current = to
}
