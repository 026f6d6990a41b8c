package domain

// The bounds of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// A PageRequest asks for one stretch of a listing. Cursor is the Next of the
// page before, or "" for the start.
type PageRequest struct {
	Limit  int // 1 to MaxLimit; 0 stands for DefaultLimit
	Cursor string
}

// Size returns the limit that is meant.
func (p PageRequest) Size() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// A Page is one stretch of a listing, in a stable order. Next asks for what
// follows; "" is the end.
type Page[T any] struct {
	Items []T
	Next  string
}
