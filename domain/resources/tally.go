package resources

import "sync/atomic"

// A Tally is what imports did on this replica since it started, for metrics.
type Tally struct {
	Importing int64 // imports that are under way at the moment
	Stored    int64 // records that imports have stored
	Refused   int64 // lines of imports that were refused
}

// Tally returns the figures of this moment.
func (s *Service) Tally() Tally {
	return Tally{Importing: s.tally.importing.Load(), Stored: s.tally.stored.Load(), Refused: s.tally.refused.Load()}
}

type tally struct{ importing, stored, refused atomic.Int64 }
