package app_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/keyport-go/keyport/domain"
)

// An act is what somebody asked of Keyport.
type act struct {
	verb     verb
	account  domain.AccountID
	session  domain.SessionID // the one it is done to; for changePassword and endOthers the one that goes on
	counter  domain.Counter   // refresh: of the token that was presented
	password int              // signIn and changePassword: the one that was given
	next     int              // changePassword
}

type verb uint8

const (
	signIn verb = iota
	refresh
	check     // an access token
	signOut   // told if the session is over already
	revoke    // not told
	endOthers // all sessions but one
	changePassword
	suspend
	restore
	remove // the account
)

var verbs = [...]string{"sign in", "refresh", "check", "sign out", "revoke", "end others", "change password", "suspend", "restore", "remove"}

// A result is what came of an act.
type result struct {
	done    bool             // it was granted, or took effect
	theft   bool             // refresh: it ended the session
	session domain.SessionID // signIn: the one that was opened
	counter domain.Counter   // refresh: of the token that came
	account domain.Revision  // suspend and restore: the one that the account has come to
}

// A life is what there is to know of one session and its account, if all acts
// come one after another. The zero life is that of an account with the password
// 0, before the session was opened.
type life struct {
	revision  domain.Revision // of the account, less 1
	password  int
	suspended bool
	removed   bool
	session   domain.SessionID // "" before it is opened
	live      bool
	counter   domain.Counter
}

// lives is the sequential model of sessions. Time stands still in it, so that a
// grace passes at once or never.
func lives(grace bool) porcupine.Model {
	return porcupine.Model{
		Init:      func() any { return life{} },
		Partition: partition,
		Step: func(state, input, output any) (bool, any) {
			return state.(life).after(input.(act), output.(result), grace)
		},
	}
}

// partition gives each session a history of its own, with what was done to its
// account and to it, and each account one with what was done to it, and all the
// sign-ins that were tried.
func partition(history []porcupine.Operation) [][]porcupine.Operation {
	accounts := make(map[domain.AccountID][]porcupine.Operation)
	sessions := make(map[domain.SessionID][]porcupine.Operation)
	owner := make(map[domain.SessionID]domain.AccountID)
	everySession := make(map[domain.AccountID][]porcupine.Operation)
	for _, o := range history {
		a, r := o.Input.(act), o.Output.(result)
		switch a.verb {
		case signIn:
			accounts[a.account] = append(accounts[a.account], o)
			if r.done {
				sessions[r.session] = append(sessions[r.session], o)
				owner[r.session] = a.account
			}
		case refresh, check, signOut, revoke:
			sessions[a.session] = append(sessions[a.session], o)
		case endOthers:
			everySession[a.account] = append(everySession[a.account], o)
		case changePassword, suspend, restore, remove:
			accounts[a.account] = append(accounts[a.account], o)
			everySession[a.account] = append(everySession[a.account], o)
		}
	}
	var all [][]porcupine.Operation
	for _, of := range accounts {
		all = append(all, of)
	}
	for id, of := range sessions {
		all = append(all, slices.Concat(of, everySession[owner[id]]))
	}
	return all
}

// after reports whether the act can have had the result, and returns the life
// that follows.
func (l life) after(a act, r result, grace bool) (bool, life) {
	switch a.verb {
	case signIn:
		may := a.password == l.password && !l.suspended && !l.removed
		if r.done {
			l.session, l.live, l.counter = r.session, true, 0
		}
		return r.done == may, l
	case refresh:
		want := result{}
		switch {
		case !l.live:
		case a.counter == l.counter:
			l.counter++
			want = result{done: true, counter: l.counter}
		case a.counter == l.counter-1 && grace:
			want = result{done: true, counter: l.counter}
		default:
			l.live = false
			want = result{theft: true}
		}
		return r == want, l
	case check:
		return r.done == l.live, l
	case signOut:
		was := l.live
		l.live = false
		return r.done == was, l
	case revoke:
		l.live = false
		return true, l
	case endOthers:
		l.live = l.live && l.session == a.session
		return true, l
	case changePassword:
		may := a.password == l.password && !l.removed
		if r.done {
			l.password = a.next
			l.revision++
			l.live = l.live && l.session == a.session
		}
		return r.done == may, l
	case suspend, restore:
		if l.removed {
			return r == result{}, l
		}
		if to := a.verb == suspend; to != l.suspended {
			l.suspended = to
			l.revision++
		}
		l.live = l.live && !l.suspended
		return r == result{done: true, account: l.revision + 1}, l
	case remove:
		may := !l.removed
		if r.done {
			l.removed, l.live = true, false
		}
		return r.done == may, l
	}
	panic("an act that nobody knows")
}

// A history is judged by what it says: each of these differs in one answer, or in
// one time, from one that can be explained.
func TestAWrongHistoryIsNotLinearizable(t *testing.T) {
	const a, s = domain.AccountID("ada"), domain.SessionID("s")
	opened := porcupine.Operation{Input: act{verb: signIn, account: a}, Output: result{done: true, session: s}, Call: 1, Return: 2}
	at := func(call, back int64, input act, output result) porcupine.Operation {
		input.account, input.session = a, cmp.Or(input.session, s)
		return porcupine.Operation{Input: input, Output: output, Call: call, Return: back}
	}
	granted := func(c domain.Counter) result { return result{done: true, counter: c} }
	changed := func(to domain.Revision) result { return result{done: true, account: to} }
	done, refused, theft := result{done: true}, result{}, result{theft: true}
	for _, c := range []struct {
		name  string
		grace bool
		right bool
		then  []porcupine.Operation
	}{
		{"a token is traded, and so is its successor", false, true, []porcupine.Operation{
			at(3, 4, act{verb: refresh}, granted(1)), at(5, 6, act{verb: refresh, counter: 1}, granted(2)),
		}},
		{"two that present one token at once are answered alike within the grace", true, true, []porcupine.Operation{
			at(3, 6, act{verb: refresh}, granted(1)), at(4, 5, act{verb: refresh}, granted(1)),
		}},
		{"two that present one token at once are both answered without a grace", false, false, []porcupine.Operation{
			at(3, 6, act{verb: refresh}, granted(1)), at(4, 5, act{verb: refresh}, granted(1)),
		}},
		{"a token has two successors", true, false, []porcupine.Operation{
			at(3, 6, act{verb: refresh}, granted(1)), at(4, 5, act{verb: refresh}, granted(2)),
		}},
		{"an older token is answered within the grace", true, false, []porcupine.Operation{
			at(3, 4, act{verb: refresh}, granted(1)), at(5, 6, act{verb: refresh, counter: 1}, granted(2)), at(7, 8, act{verb: refresh}, granted(1)),
		}},
		{"an honest client is taken for a thief", true, false, []porcupine.Operation{
			at(3, 4, act{verb: refresh}, granted(1)), at(5, 6, act{verb: refresh}, theft),
		}},
		{"a theft ends the session", false, true, []porcupine.Operation{
			at(3, 4, act{verb: refresh}, granted(1)), at(5, 6, act{verb: refresh}, theft), at(7, 8, act{verb: refresh, counter: 1}, refused),
		}},
		{"a session survives its theft", false, false, []porcupine.Operation{
			at(3, 4, act{verb: refresh}, granted(1)), at(5, 6, act{verb: refresh}, theft), at(7, 8, act{verb: refresh, counter: 1}, granted(2)),
		}},
		{"a refresh that races a password change comes before it", false, true, []porcupine.Operation{
			at(3, 6, act{verb: changePassword, session: "other", next: 1}, done), at(4, 8, act{verb: refresh}, granted(1)), at(9, 10, act{verb: check}, refused),
		}},
		{"a refresh begins when a password change was acknowledged", false, false, []porcupine.Operation{
			at(3, 4, act{verb: changePassword, session: "other", next: 1}, done), at(5, 6, act{verb: refresh}, granted(1)),
		}},
		{"a refresh that races a password change survives it", false, false, []porcupine.Operation{
			at(3, 6, act{verb: changePassword, session: "other", next: 1}, done), at(4, 8, act{verb: refresh}, granted(1)), at(9, 10, act{verb: check}, done),
		}},
		{"the session that changes the password goes on", false, true, []porcupine.Operation{
			at(3, 4, act{verb: changePassword, next: 1}, done), at(5, 6, act{verb: refresh}, granted(1)),
		}},
		{"the session that changes the password ends", false, false, []porcupine.Operation{
			at(3, 4, act{verb: changePassword, next: 1}, done), at(5, 6, act{verb: refresh}, refused),
		}},
		{"two change one password at once", false, false, []porcupine.Operation{
			at(3, 6, act{verb: changePassword, next: 1}, done), at(4, 5, act{verb: changePassword, next: 2}, done),
		}},
		{"a session comes back with its account", false, false, []porcupine.Operation{
			at(3, 4, act{verb: suspend}, changed(2)), at(5, 6, act{verb: restore}, changed(3)), at(7, 8, act{verb: check}, done),
		}},
		{"a session ends with its account, and does not come back", false, true, []porcupine.Operation{
			at(3, 4, act{verb: suspend}, changed(2)), at(5, 6, act{verb: restore}, changed(3)), at(7, 8, act{verb: check}, refused),
		}},
		{"two changes of an account come to one revision", false, false, []porcupine.Operation{
			at(3, 6, act{verb: suspend}, changed(2)), at(4, 5, act{verb: restore}, changed(2)), at(7, 8, act{verb: restore}, changed(2)),
		}},
		{"a session survives its account", false, false, []porcupine.Operation{
			at(3, 4, act{verb: remove}, done), at(5, 6, act{verb: refresh}, granted(1)),
		}},
		{"a session is signed out of twice", false, false, []porcupine.Operation{
			at(3, 4, act{verb: signOut}, done), at(3, 4, act{verb: signOut}, done),
		}},
		{"a revoked session is over", false, false, []porcupine.Operation{
			at(3, 4, act{verb: revoke}, done), at(5, 6, act{verb: signOut}, done),
		}},
		{"another session survives the ending of all but one", false, false, []porcupine.Operation{
			at(3, 4, act{verb: endOthers, session: "other"}, done), at(5, 6, act{verb: check}, done),
		}},
		{"the old password signs in", false, false, []porcupine.Operation{
			at(3, 4, act{verb: changePassword, session: "other", next: 1}, done), at(5, 6, act{verb: signIn}, result{done: true, session: "new"}),
		}},
		{"a sign-in that races a suspension survives it", false, false, []porcupine.Operation{
			at(3, 6, act{verb: suspend}, changed(2)), at(4, 8, act{verb: signIn}, result{done: true, session: "new"}), at(9, 10, act{verb: check, session: "new"}, done),
		}},
		{"the right password is refused", false, false, []porcupine.Operation{at(3, 4, act{verb: signIn}, refused)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			history := append([]porcupine.Operation{opened}, c.then...)
			if right := porcupine.CheckOperations(lives(c.grace), history); right != c.right {
				t.Errorf("taken for right: %t, want %t", right, c.right)
			}
		})
	}
}
