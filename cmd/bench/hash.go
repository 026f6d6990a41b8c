package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
)

// hashWord has the program make password hashes for a while.
const hashWord = "make-password-hashes"

// hashed is what came of it.
type hashed struct {
	Hashes int64
	Took   time.Duration
}

// bareHashes makes password hashes for d, as many at once as there are
// processors, in a process of its own.
func bareHashes(ctx context.Context, d time.Duration) (h hashed, err error) {
	self, err := os.Executable()
	if err != nil {
		return h, err
	}
	out, err := exec.CommandContext(ctx, self, hashWord, d.String()).Output()
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(out, &h)
}

// hashFor is the process. A hash is Argon2id (RFC 9106) as Keyport makes it:
// 19 MiB, two passes, one lane.
func hashFor(duration string, out io.Writer) error {
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	var over atomic.Bool
	defer time.AfterFunc(d, func() { over.Store(true) }).Stop()
	start := time.Now()
	var hashes atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for !over.Load() {
				argon2.IDKey([]byte("a password of usual length"), make([]byte, 16), 2, 19<<10, 1, 32)
				hashes.Add(1)
			}
		})
	}
	group.Wait()
	return json.NewEncoder(out).Encode(hashed{hashes.Load(), time.Since(start)})
}
