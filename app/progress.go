package app

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
)

// A progress shows on a terminal how far some long work has come: a bar where the end
// is known, else a count. One goroutine at a time uses it.
type progress struct {
	out   io.Writer // nil where there is no terminal
	total int64     // bytes or rows; 0: nobody knows
	now   func() time.Time

	begun, shown time.Time
	done         int64 // of total
	n            int   // of what noun says
	noun         string
}

// newProgress returns a progress on log, if that is a terminal.
func newProgress(log io.Writer, total int64) *progress {
	p := &progress{total: total, noun: "accounts", now: time.Now, begun: time.Now()}
	if terminal(log) {
		p.out = log
	}
	return p
}

// terminal reports whether somebody may be looking at w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// to says how far the work is. It is shown ten times a second at most.
func (p *progress) to(n int, done int64) {
	p.n, p.done = n, done
	if p.out == nil || p.now().Sub(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = p.now()
	p.show("")
}

// hide makes room for other words on the terminal.
func (p *progress) hide() {
	if p.out != nil && !p.shown.IsZero() {
		fmt.Fprint(p.out, wipe)
		p.shown = time.Time{}
	}
}

// end leaves the last word on the terminal.
func (p *progress) end() {
	if p.out != nil {
		p.show("\n")
	}
}

// wipe goes back to the beginning of the line and empties it (ECMA-48, sections 8.3.15
// and 8.3.41).
const wipe = "\r\x1b[K"

// barWidth is how many characters stand for all of the work.
const barWidth = 30

func (p *progress) show(end string) {
	rate := float64(p.n) / max(p.now().Sub(p.begun).Seconds(), 0.001)
	bar := ""
	if p.total > 0 {
		part := min(max(float64(p.done)/float64(p.total), 0), 1)
		full := int(part * barWidth)
		bar = fmt.Sprintf("[%s%s] %3.0f %%  ", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*part)
	}
	fmt.Fprintf(p.out, "%s%s%d %s, %.0f a second%s", wipe, bar, p.n, p.noun, rate, end)
}
