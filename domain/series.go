package domain

// A Series counts the things of one kind that one dialect has to do with: its
// users, its ships.
type Series string

// A Numbered is an id and its number in some series, from 1.
type Numbered struct {
	Number int64
	ID     string
}
