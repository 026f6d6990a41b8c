package tokens_test

// The parties to one session, all signed in by its first token. Two tabs of a
// browser share what is kept on its disk. A copy of that browser's profile, on
// another machine, keeps for itself. A thief has a token, and can read the
// browser's disk again.
const (
	tab = iota
	otherTab
	copied
	thief
	parties
)

var (
	names = [parties]string{"a tab", "the other tab", "the copied profile", "the thief"}
	disks = [parties]int{tab: 0, otherTab: 0, copied: 1, thief: 0}
)

// depth is how many steps an exploration goes.
const depth = 6

// A moment is the state of everything: the server, the parties, and as much of
// the past as is needed to say what must happen next. Tokens are called by their
// counters. What must happen is said without a look at the server.
type moment struct {
	server server
	held   [parties]int8 // what each party would present
	kept   [2]int8       // what lies on each disk
	newest int8          // the highest token that was issued
	first  [depth]int8   // ticks: when each token below the newest was first presented
	ended  bool          // an ending was acknowledged
	found  bool          // a token came that must end the session
	apart  bool          // two uses of one token lay the grace or further apart
}

// A fate is what must come of a token that is presented.
type fate uint8

const (
	granted fate = iota // its successor is answered
	exposed             // it ends the session
	refused             // the session is over already
)

// fate says what must come of a token, from the past alone.
func (m moment) fate(token int8) fate {
	switch {
	case m.ended || m.found:
		return refused
	case token == m.newest:
		return granted
	case token == m.newest-1 && !m.late(token):
		return granted
	}
	return exposed
}

// late reports whether a token was first presented the grace ago, or longer.
func (m moment) late(token int8) bool {
	return token >= 0 && token < m.newest && m.server.now-m.first[token] >= 2
}

// A clerk answers requests; a machine room is one, and so is a machine.
type clerk func(server, request) (server, reply)

// present has a party present what it holds. If the answer is not lost, it holds
// that from then on.
func (m moment) present(party int, how verb, ask clerk) moment {
	token := m.held[party]
	fate, late := m.fate(token), m.late(token)
	var r reply
	m.server, r = ask(m.server, request{verb: how, token: token})
	if fate != refused {
		m.apart = m.apart || late
		m.found = fate == exposed
	}
	if fate == granted && token == m.newest {
		m.first[token] = m.server.now
		m.newest++
	}
	if r.granted {
		m.held[party] = r.token
	}
	return m
}

// A step is one thing that can happen next.
type step struct {
	name string
	take func(moment, clerk) moment
}

// steps are all that can happen. Each can happen at any moment.
func steps() []step {
	var all []step
	may := func(name string, take func(moment, clerk) moment) { all = append(all, step{name, take}) }
	for p, name := range names {
		may(name+" refreshes", func(m moment, ask clerk) moment { return m.present(p, refresh, ask) })
		may(name+" refreshes, and the answer is lost", func(m moment, ask clerk) moment { return m.present(p, lost, ask) })
		read := func(m moment, _ clerk) moment {
			m.held[p] = m.kept[disks[p]]
			return m
		}
		if p == thief {
			may(name+" reads the disk", read)
			continue
		}
		may(name+" crashes, and reads the disk", read)
		may(name+" stores its token", func(m moment, _ clerk) moment {
			m.kept[disks[p]] = m.held[p]
			return m
		})
	}
	for _, passes := range []struct {
		name  string
		ticks int8
	}{{"half the grace passes", 1}, {"more than the grace passes", 3}} {
		may(passes.name, func(m moment, ask clerk) moment {
			m.server, _ = ask(m.server, request{verb: wait, elapsed: passes.ticks})
			return m
		})
	}
	for _, ending := range []struct {
		name string
		verb verb
	}{{"the user signs out", signOut}, {"the password is changed elsewhere", changePassword}, {"the account is suspended", suspend}} {
		may(ending.name, func(m moment, ask clerk) moment {
			m.server, _ = ask(m.server, request{verb: ending.verb})
			m.ended = true
			return m
		})
	}
	may("the account is restored", func(m moment, ask clerk) moment {
		m.server, _ = ask(m.server, request{verb: restore})
		return m
	})
	return all
}
