package postgres

import "time"

// HearingCheck sets how long nothing may be heard until the connection is tried,
// and how long the answer may take. It returns what undoes it.
func HearingCheck(quiet, answer time.Duration) (undo func()) {
	q, a := hearingCheck, checkTimeout
	hearingCheck, checkTimeout = quiet, answer
	return func() { hearingCheck, checkTimeout = q, a }
}
