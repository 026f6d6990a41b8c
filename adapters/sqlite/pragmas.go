package sqlite

import (
	"fmt"
	"time"
)

// busy says how long a statement waits for another process's lock.
func busy(d time.Duration) string { return fmt.Sprintf("busy_timeout(%d)", d.Milliseconds()) }

// writing are the pragmas of a connection that writes. With synchronous=FULL a
// commit returns when the disk has it; WAL lets reads go on meanwhile. What a savepoint
// needs to be undone is kept in memory: in a file it took half the time of an import.
func writing(wait time.Duration) []string {
	return []string{busy(wait), "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)"}
}

// reading are the pragmas of a connection that only reads.
func reading(wait time.Duration) []string {
	return []string{busy(wait), "query_only(1)"}
}
