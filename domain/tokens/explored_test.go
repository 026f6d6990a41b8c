package tokens_test

import (
	"fmt"
	"strings"
	"testing"
)

// What holds at every moment, however the parties take turns (design, section 4).
const (
	oneSuccessor   = "there are never two live successors"
	honestStaysIn  = "an honest client that presents the last token within the grace, whose successor was not presented, is not logged out"
	othersEndIt    = "any older, later or future token ends the session"
	sharingIsFound = "two parties that share a token are found out once two uses of it lie the grace apart"
	endedIsEnded   = "nothing refreshes after an ending was acknowledged"
)

// TestRotationIsExploredWhole takes every step at every moment that any six steps
// lead to, and asks at each what would come of every token. The server is a real
// one, on the fake store, and is started again before each step: it may crash
// between any two.
func TestRotationIsExploredWhole(t *testing.T) {
	e := explore(t, newMachineRoom(t))
	for promise, way := range e.broken {
		t.Errorf("broken: %s\n%s", promise, way)
	}
	paths, longest := 1, 1
	for range depth {
		longest *= len(steps())
		paths += longest
	}
	t.Logf("%d moments, to which %d interleavings of up to %d out of %d steps lead; %d answers of servers", e.moments, paths, depth, len(steps()), e.answers)
	if paths < interleavings || len(e.broken) == 0 && e.moments < moments {
		t.Errorf("want at least %d moments and %d interleavings", moments, interleavings)
	}
}

// So much there is within six steps of the beginning. An exploration that sees
// less has left something out.
const (
	interleavings = 90_054_427 // of none to six out of 21 steps, each of which can always be taken
	moments       = 26_648     // that they come to
)

// Restarting the server at each step, and remembering what it did the last time,
// hides nothing: one that runs through does the same.
func TestAServerThatRunsThroughDoesWhatTheExploredOneDoes(t *testing.T) {
	room := newMachineRoom(t)
	all := steps()
	for _, first := range all {
		for _, second := range all {
			for _, third := range all {
				running := start(t, beginning.server)
				explored, lived := beginning, beginning
				for _, s := range []step{first, second, third} {
					explored = s.take(explored, room.ask)
					lived = s.take(lived, func(_ server, r request) (server, reply) {
						answer := running.serve(t, r)
						return running.remembers(t), answer
					})
				}
				if explored != lived {
					t.Fatalf("%s, %s, %s:\nthe explored world is\n%+v\nand the one that ran through\n%+v", first.name, second.name, third.name, explored, lived)
				}
			}
		}
	}
}

// In the beginning all parties hold the first token.
var beginning = moment{server: server{open: true}}

// An exploration is what was seen.
type exploration struct {
	moments int
	answers int
	broken  map[string]string // promises, and the shortest way to where each is broken
}

// explore takes the steps breadth first. A moment that was reached before, by as
// many steps or fewer, is not looked at again: all that follows from it is, or was.
func explore(t *testing.T, room *machineRoom) exploration {
	t.Helper()
	type place struct {
		moment
		from int // where it was come from, in places
		by   int // the step that led here, in all
	}
	all, places, seen := steps(), []place{{moment: beginning, from: -1}}, map[moment]bool{beginning: true}
	broken := make(map[string]string)
	way := func(at int) string {
		var names []string
		for ; places[at].from >= 0; at = places[at].from {
			names = append([]string{"  " + all[places[at].by].name}, names...)
		}
		return strings.Join(names, "\n")
	}
	next := 0
	for taken := range depth + 1 {
		for end := len(places); next < end; next++ {
			wrong := judge(places[next].moment, room.ask)
			for promise, what := range wrong {
				if _, known := broken[promise]; !known {
					broken[promise] = way(next) + "\n  then " + what
				}
			}
			if taken == depth || len(wrong) > 0 { // what follows from a broken promise says nothing
				continue
			}
			for n, s := range all {
				if m := s.take(places[next].moment, room.ask); !seen[m] {
					seen[m] = true
					places = append(places, place{m, next, n})
				}
			}
		}
	}
	return exploration{len(places), len(room.known), broken}
}

// judge asks what would come of each token at m, and returns the promises that
// are broken, and how.
func judge(m moment, ask clerk) map[string]string {
	var broken map[string]string
	fails := func(promise, format string, args ...any) {
		if broken == nil {
			broken = make(map[string]string)
		}
		broken[promise] = fmt.Sprintf(format, args...)
	}
	if m.apart && m.server.open {
		fails(sharingIsFound, "the session goes on")
	}
	current := 0
	for token := int8(-1); token <= m.newest+2; token++ {
		after, r := ask(m.server, request{verb: refresh, token: token})
		unheard, _ := ask(m.server, request{verb: lost, token: token})
		if after != unheard {
			fails(oneSuccessor, "token %d makes %+v of the server, and %+v if the answer is lost", token, after, unheard)
		}
		if after.counter != m.server.counter && r.granted {
			current++
		}
		if r.granted && r.token != token+1 {
			fails(oneSuccessor, "the successor of token %d is %d", token, r.token)
		}
		switch m.fate(token) {
		case granted:
			if m.heldHonestly(token) && (!r.granted || !after.open) {
				fails(honestStaysIn, "token %d is refused", token)
			}
		case exposed:
			if r.granted || !r.theft || after.open {
				fails(othersEndIt, "token %d of %d gets %+v and leaves %+v", token, m.newest, r, after)
			}
			if r.granted && m.late(token) {
				fails(sharingIsFound, "token %d is answered, %d ticks after its first use", token, m.server.now-m.first[token])
			}
		case refused:
			if r.granted && m.ended {
				fails(endedIsEnded, "token %d is answered", token)
			}
			if r.granted && m.found {
				fails(othersEndIt, "token %d is answered after the theft was found", token)
			}
		}
	}
	if current > 1 {
		fails(oneSuccessor, "%d tokens are current", current)
	}
	return broken
}

// heldHonestly reports whether anybody but the thief would present the token.
func (m moment) heldHonestly(token int8) bool {
	for p, held := range m.held {
		if p != thief && held == token {
			return true
		}
	}
	return false
}
