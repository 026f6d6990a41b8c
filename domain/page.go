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

// PageOf makes a page of items that were asked for with one more than size: that
// one tells that there is a next page, and is left out. after makes a cursor
// that stands behind an item.
func PageOf[T any](items []T, size int, after func(last T) string) Page[T] {
	if len(items) <= size {
		return Page[T]{Items: items}
	}
	items = items[:size]
	return Page[T]{items, after(items[size-1])}
}
