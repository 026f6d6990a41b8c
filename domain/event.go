package domain

import "time"

// An EventKind says what happened to a record.
type EventKind string

// What happens to records.
const (
	RecordCreated EventKind = "created"
	RecordChanged EventKind = "changed"
	RecordDeleted EventKind = "deleted"
)

// EventRetention is how long events are kept for those who come back.
const EventRetention = time.Hour

// An Event is a change of one record.
type Event struct {
	Mark       Mark // behind this event, for who goes on from it
	Kind       EventKind
	Collection CollectionName
	Record     Record   // as it became, or was at last
	Before     Document // its data before; of RecordChanged alone
	At         time.Time
}
