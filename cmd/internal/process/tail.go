package process

import (
	"bytes"
	"encoding/json"
	"sync"
)

// maxTail bounds what is kept of a log, in bytes.
const maxTail = 8 << 10

// A tail keeps the end of a log, and reads its lines for the one that tells the
// addresses until that has come. It is an io.Writer that never fails.
type tail struct {
	serving chan serving // gets one

	mu   sync.Mutex
	told bool
	line []byte // what has come of a line, until told
	end  []byte // up to twice maxTail
}

// serving is the line of the log that tells the addresses.
type serving struct {
	Message string `json:"msg"`
	Addr    string `json:"addr"`
	Ops     string `json:"ops"`
}

func newTail() *tail { return &tail{serving: make(chan serving, 1)} }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.told {
		t.look(p)
	}
	// Copied together now and then, and not at every write.
	t.end = append(t.end, p...)
	if len(t.end) > 2*maxTail {
		t.end = append(t.end[:0], t.end[len(t.end)-maxTail:]...)
	}
	return len(p), nil
}

func (t *tail) look(p []byte) {
	t.line = append(t.line, p...)
	for !t.told {
		line, rest, whole := bytes.Cut(t.line, []byte("\n"))
		if !whole {
			t.line = t.line[max(0, len(t.line)-maxTail):]
			return
		}
		t.line = rest
		var at serving
		if json.Unmarshal(line, &at) == nil && at.Message == "serving" && at.Addr != "" {
			t.told, t.line = true, nil
			t.serving <- at
		}
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end[max(0, len(t.end)-maxTail):])
}
