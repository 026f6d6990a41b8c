package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// An audience is who listens, and to what: all listeners of one audience are to hear
// the same.
type audience struct {
	login   string // "" of strangers
	channel int    // whose records are picked; -1: of all
}

// sees reports whether a record that is as in v is there for the audience.
func (a audience) sees(by string, v view) bool {
	return v.there && (v.public || a.login == by) && (a.channel < 0 || a.channel == v.channel)
}

// A view is what decides who may see a record.
type view struct {
	there, public bool
	channel       int
}

// A saying is a write that was acknowledged.
type saying struct {
	by          int    // number of the voice
	login       string // its account
	id          string
	revision    int // of the record as it became; 0 of one that is gone
	before, now view
	at          time.Time // of the acknowledgement
}

// told returns what an audience is told of s, if anything.
func (s saying) told(a audience) (n notice, ok bool) {
	was, is := a.sees(s.login, s.before), a.sees(s.login, s.now)
	switch {
	case was && is:
		return notice{"changed", s.id, s.revision}, true
	case is:
		return notice{"created", s.id, s.revision}, true
	}
	return notice{kind: "deleted", id: s.id}, was
}

// A chronicle is all that was said. Many goroutines may note at once.
type chronicle struct {
	mu      sync.Mutex
	sayings []saying // those of one voice in their order
}

func (c *chronicle) note(s saying) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sayings = append(c.sayings, s)
}

func (c *chronicle) long() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sayings)
}

// A script is what an audience is to hear: numbers of sayings.
type script struct {
	of     map[notice]int
	voices map[int][]int // by voice, in their order
	total  int64
}

func (c *chronicle) script(a audience) script {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := script{of: make(map[notice]int), voices: make(map[int][]int)}
	for i, said := range c.sayings {
		if n, ok := said.told(a); ok {
			s.of[n] = i
			s.voices[said.by] = append(s.voices[said.by], i)
			s.total++
		}
	}
	return s
}

// A comparison is what listeners have heard, held against what was said.
type comparison struct {
	*chronicle
	scripts map[audience]script
	follows map[[2]int]struct{} // that somebody heard one right behind the other
	heard   int
	lags    []time.Duration // from an acknowledgement to its being heard; 0 where that came first
	faults  int
	first   []error // of the faults
}

// maxTold bounds how many faults are told.
const maxTold = 5

func (c *comparison) fault(l *listener, format string, args ...any) {
	if c.faults++; len(c.first) < maxTold {
		c.first = append(c.first, fmt.Errorf("a listener (%+v, cut %t, slow %t): %w", l.audience, l.cut, l.slow, fmt.Errorf(format, args...)))
	}
}

// compare looks whether a listener has heard each saying that it may hear once, and in
// order; one whose session was ended, as far as it went.
func (c *comparison) compare(l *listener) {
	s, ok := c.scripts[l.audience]
	if !ok {
		s = c.script(l.audience)
		c.scripts[l.audience] = s
	}
	if l.err != nil {
		c.fault(l, "%w", l.err)
	}
	next, before := make(map[int]int), -1
	for _, h := range l.heard {
		i, known := s.of[h.notice]
		if !known {
			c.fault(l, "heard %+v, which it may not hear, or nobody said", h.notice)
			continue
		}
		said := c.sayings[i]
		due := s.voices[said.by]
		if at := next[said.by]; at >= len(due) || due[at] != i {
			c.fault(l, "heard %+v twice, too early or too late", h.notice)
			continue
		}
		next[said.by]++
		if before >= 0 {
			c.follows[[2]int{before, i}] = struct{}{}
		}
		before = i
		c.heard++
		if !l.cut && !l.slow {
			c.lags = append(c.lags, max(0, h.at.Sub(said.at)))
		}
	}
	for voice, due := range s.voices {
		if missed := len(due) - next[voice]; missed > 0 && !l.leaves {
			c.fault(l, "missed %d of %d sayings of voice %d, from %+v on", missed, len(due), voice, c.sayings[due[next[voice]]])
		}
	}
}

// verdict tells what was broken; also where no one order is what all have heard.
func (c *comparison) verdict() error {
	if c.heard == 0 {
		return errors.New("nothing was heard: the drill has proved nothing")
	}
	if c.faults > 0 {
		return fmt.Errorf("%d faults: %w", c.faults, errors.Join(c.first...))
	}
	if !c.ordered() {
		return errors.New("no one order is what all listeners have heard")
	}
	return nil
}

// ordered reports whether what followed what makes one order possible: what nothing
// goes before is taken away, again and again, until nothing is left.
func (c *comparison) ordered() bool {
	behind, before := make(map[int][]int), make(map[int]int)
	for pair := range c.follows {
		behind[pair[0]] = append(behind[pair[0]], pair[1])
		before[pair[1]]++
	}
	var free []int
	for i := range c.sayings {
		if before[i] == 0 {
			free = append(free, i)
		}
	}
	taken := 0
	for len(free) > 0 {
		i := free[len(free)-1]
		free = free[:len(free)-1]
		taken++
		for _, next := range behind[i] {
			if before[next]--; before[next] == 0 {
				free = append(free, next)
			}
		}
	}
	return taken == len(c.sayings)
}

// spread returns the median, the 99th percentile and the most of some times.
func spread(times []time.Duration) (median, p99, most time.Duration) {
	if len(times) == 0 {
		return 0, 0, 0
	}
	slices.Sort(times)
	n := len(times)
	return times[n/2].Round(time.Millisecond), times[(n-1)*99/100].Round(time.Millisecond), times[n-1].Round(time.Millisecond)
}
