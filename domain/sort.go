package domain

import (
	"fmt"
	"strings"
)

// The bounds of an order.
const (
	MaxSortKeys  = 4  // of one order
	MaxSortField = 64 // bytes of a field's name
)

// A Sort is an order of records: by one field after the other, and at last by id, in
// the direction in which the walk goes that serves it. The empty Sort is the order of
// ids.
type Sort []SortKey

// A SortKey is one field of an order. It is a path of member names in the data,
// joined by dots, or one of the columns: id, owner, created_at, updated_at. A
// member of the data that has a column's name cannot be sorted by.
type SortKey struct {
	Field      string
	Descending bool
}

// ParseSort reads an order such as "-length,model": fields, each behind a hyphen
// where it descends. It fails with ErrInvalidSort.
func ParseSort(s string) (Sort, error) {
	if s == "" {
		return nil, nil
	}
	parts := strings.Split(s, ",")
	if len(parts) > MaxSortKeys {
		return nil, ErrInvalidSort.At("", "too-many", fmt.Sprintf("want at most %d fields", MaxSortKeys))
	}
	var order Sort
	seen := make(map[string]bool)
	for _, part := range parts {
		name, descending := strings.CutPrefix(part, "-")
		if !sortable(name) || seen[name] {
			return nil, ErrInvalidSort.At("", "invalid-field", "want names of members, each once, of letters, digits, hyphens and underscores, joined by dots, and a hyphen in front of those that descend")
		}
		seen[name] = true
		order = append(order, SortKey{name, descending})
	}
	return order, nil
}

func sortable(field string) bool {
	if field == "" || len(field) > MaxSortField || field[0] == '-' {
		return false
	}
	for name := range strings.SplitSeq(field, ".") {
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
			return false
		}
	}
	return true
}

// String returns what ParseSort reads as s.
func (s Sort) String() string {
	var b strings.Builder
	for i, k := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		if k.Descending {
			b.WriteByte('-')
		}
		b.WriteString(k.Field)
	}
	return b.String()
}

// Term returns what the field stands for.
func (k SortKey) Term() Term {
	switch c := Column(k.Field); c {
	case ColumnID, ColumnOwner, ColumnCreated, ColumnChanged:
		return c
	}
	return Member(strings.Split(k.Field, "."))
}
