package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Two voices in turn: each makes a record for all and one of its own, shows that and
// hides it again, and deletes the first.
func chronicled() *chronicle {
	c := new(chronicle)
	public, private, gone := view{there: true, public: true, channel: 1}, view{there: true, channel: 1}, view{public: true, channel: 1}
	for _, step := range []struct {
		record      string
		revision    int
		before, now view
	}{
		{"open", 1, gone, public},
		{"own", 1, view{channel: 1}, private},
		{"own", 2, private, public},
		{"own", 3, public, private},
		{"open", 0, public, gone},
	} {
		for by := range 2 {
			c.note(saying{by: by, login: fmt.Sprintf("voice-%d", by), id: fmt.Sprintf("%s %d", step.record, by), revision: step.revision, before: step.before, now: step.now, at: time.Now()})
		}
	}
	return c
}

// due is what an audience is to hear.
func due(c *chronicle, a audience) (heard []hearing) {
	for _, s := range c.sayings {
		if n, ok := s.told(a); ok {
			heard = append(heard, hearing{n, s.at})
		}
	}
	return heard
}

func TestAnAudienceIsToldWhatItMaySee(t *testing.T) {
	c := chronicled()
	for _, w := range []struct {
		name string
		a    audience
		want string
	}{
		{"a stranger", audience{channel: -1}, "created open 0, created open 1, created own 0, created own 1, deleted own 0, deleted own 1, deleted open 0, deleted open 1"},
		{"a voice", audience{"voice-0", 1}, "created open 0, created open 1, created own 0, changed own 0, created own 1, changed own 0, deleted own 1, deleted open 0, deleted open 1"},
		{"who listens to another channel", audience{"voice-0", 2}, ""},
	} {
		t.Run(w.name, func(t *testing.T) {
			var told []string
			for _, h := range due(c, w.a) {
				told = append(told, h.kind+" "+h.id)
			}
			if got := strings.Join(told, ", "); got != w.want {
				t.Errorf("is told %s\nwant %s", got, w.want)
			}
		})
	}
}

// A comparison that finds nothing has to be one that would find something.
func TestAComparisonFindsWhatWasHeardWrongly(t *testing.T) {
	all := audience{channel: -1}
	for _, w := range []struct {
		name  string
		fault string // "" for none
		spoil func(l *listener)
	}{
		{"nothing, where all was heard", "", func(*listener) {}},
		{"nothing, where a session was ended in between", "", func(l *listener) { l.heard, l.leaves = l.heard[:3], true }},
		{"an event that was left out", "too early or too late", func(l *listener) { l.heard = slices.Delete(l.heard, 2, 3) }},
		{"a last event that was left out", "missed 1 of 4", func(l *listener) { l.heard = l.heard[:7] }},
		{"an event that came twice", "twice", func(l *listener) { l.heard = slices.Insert(l.heard, 1, l.heard[0]) }},
		{"two events of one voice the wrong way round", "too early", func(l *listener) { l.heard[0], l.heard[2] = l.heard[2], l.heard[0] }},
		{"what only its owner may read", "may not hear", func(l *listener) { l.heard = append(l.heard, hearing{notice{"created", "own 0", 1}, time.Now()}) }},
		{"what nobody has said", "nobody said", func(l *listener) { l.heard[0].revision = 7 }},
		{"another order than somebody else has heard", "no one order", func(l *listener) { l.heard[0], l.heard[1] = l.heard[1], l.heard[0] }},
	} {
		t.Run(w.name, func(t *testing.T) {
			c := chronicled()
			found := comparison{chronicle: c, scripts: make(map[audience]script), follows: make(map[[2]int]struct{})}
			spoiled := &listener{audience: all, heard: due(c, all)}
			w.spoil(spoiled)
			owner := audience{"voice-0", -1}
			for _, l := range []*listener{{audience: all, heard: due(c, all)}, spoiled, {audience: owner, heard: due(c, owner)}} {
				found.compare(l)
			}
			err := found.verdict()
			if (err == nil) != (w.fault == "") || err != nil && !strings.Contains(err.Error(), w.fault) {
				t.Errorf("it finds %v, want %q", err, w.fault)
			}
		})
	}
}

func TestAListenerHearsWholeEventsAlone(t *testing.T) {
	l := &listener{joined: make(chan struct{}), done: make(chan struct{})}
	l.follow(strings.NewReader("retry: 1000\n\nid: a\n: nothing new\n\nid: b\nevent: created\ndata: {\"id\":\"r\",\"revision\":1,\"data\":{}}\n\nid: c\nevent: deleted\ndata: {\"id\":\"r\"}\n"))
	<-l.done
	if want := (notice{"created", "r", 1}); l.last != "b" || len(l.heard) != 1 || l.heard[0].notice != want || l.err != nil {
		t.Errorf("it has heard %v up to %q (%v), want %v up to b", l.heard, l.last, l.err, want)
	}
	l.done = make(chan struct{})
	l.follow(strings.NewReader("event: end\ndata: {\"code\":\"reconnect\"}\n\nid: d\nevent: reset\ndata: {}\n\n"))
	if l.end != "reconnect" || l.err == nil {
		t.Errorf("it ends with %q, and an event that it does not know is %v", l.end, l.err)
	}
}
