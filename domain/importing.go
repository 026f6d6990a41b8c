package domain

import (
	"errors"
	"time"
)

// The bounds of an import of records.
const (
	MaxImportProblems = 100                // that are told of one import
	ImportRetention   = 7 * 24 * time.Hour // since an import last went on
)

// An ImportID names an import for ever.
type ImportID string

// ParseImportID reads the text of a UUID, or fails with ErrImportNotFound.
func ParseImportID(s string) (ImportID, error) { return parseID[ImportID](s, ErrImportNotFound) }

// An Import is how far records have been taken from a stream of lines.
type Import struct {
	ID         ImportID
	Account    AccountID // whose it is
	Collection CollectionName
	Lines      int64 // that are dealt with; the next is the one behind them
	Stored     int64 // of these
	Refused    int64 // of these; Stored and Refused are Lines, without blank ones
	Problems   []ImportProblem
	Done       bool
	Created    time.Time
	Changed    time.Time
}

// An ImportProblem is why a line was not taken.
type ImportProblem struct {
	Line   int64 // the first is 1
	Code   string
	Detail string
	Fields []Field
}

// Refuse notes why the last line that is dealt with was not taken; nil: it was. It
// returns err where that is nothing that the line is to blame for.
func (i *Import) Refuse(err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind == Unavailable || e.Kind == Internal || errors.Is(e, ErrCollectionChanged) || errors.Is(e, ErrCollectionNotFound) {
		return err
	}
	i.Refused++
	if len(i.Problems) < MaxImportProblems {
		i.Problems = append(i.Problems, ImportProblem{i.Lines, e.Code, e.Detail, e.Fields})
	}
	return nil
}
