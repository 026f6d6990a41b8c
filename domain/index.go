package domain

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"
)

// The bounds of indexes.
const (
	MaxIndexes  = 8   // of one collection
	MaxSearched = 8   // fields of one collection that are searched
	MaxKeyText  = 128 // bytes of a text that an index orders by
)

// An Index is an order in which the records of a collection can be listed. Texts
// are ordered by code points, up to their first MaxKeyText bytes; records that are
// the same by that follow one another by id.
type Index struct {
	Sort

	// Building is set while records that were stored before the index was declared
	// are still being entered. What is written meanwhile is entered; no list relies
	// on it yet.
	Building bool
}

// checkIndexes fails with ErrInvalidCollection unless indexes can be kept.
func checkIndexes(indexes []Index) error {
	if len(indexes) > MaxIndexes {
		return ErrInvalidCollection.At("/indexes", "too-many", fmt.Sprintf("want at most %d indexes", MaxIndexes))
	}
	var seen []string
	for i, x := range indexes {
		at := fmt.Sprintf("/indexes/%d", i)
		if len(x.Sort) == 0 || slices.Contains(seen, x.String()) {
			return ErrInvalidCollection.At(at, "invalid-index", "want an order such as -length,model, once")
		}
		seen = append(seen, x.String())
		for n, k := range x.Sort {
			switch {
			case k.Field == string(ColumnID), len(x.Sort) == 1 && (k.Field == string(ColumnCreated) || k.Field == string(ColumnChanged)):
				return ErrInvalidCollection.At(at, "invalid-index", "records are ordered by id and by time without an index")
			case k.Field == string(ColumnOwner) && n > 0:
				return ErrInvalidCollection.At(at, "invalid-index", "want owner first: it is to find what one account owns")
			}
		}
	}
	return nil
}

// An IndexKey is where a record stands in an index, which is named by its order.
// Keys are compared bytewise.
type IndexKey struct{ Index, Key string }

// key returns where a record stands.
func (x Index) key(s *subject) IndexKey {
	var b []byte
	for _, k := range x.Sort {
		v, ok := s.value(k.Term())
		if !ok {
			v = absent{}
		}
		b = k.encode(b, v)
	}
	return IndexKey{x.String(), string(b)}
}

// absent stands for a value that is not there.
type absent struct{}

// The kinds of value, in the order in which they are listed. What is absent, and
// lists and objects, come first.
const (
	absentKey = iota + 1
	nullKey
	falseKey
	trueKey
	numberKey
	timeKey
	textKey
)

// encode appends the key of one value: what compares bytewise as the values do. No
// key is a prefix of another: texts end with NUL, which no text holds.
func (k SortKey) encode(b []byte, v any) []byte {
	start := len(b)
	switch v := v.(type) {
	case nil:
		b = append(b, nullKey)
	case bool:
		if v {
			b = append(b, trueKey)
		} else {
			b = append(b, falseKey)
		}
	case float64:
		b = append(b, numberKey)
		bits := math.Float64bits(v)
		if v < 0 {
			bits = ^bits
		} else {
			bits |= 1 << 63 // so that -0 is 0
		}
		b = binary.BigEndian.AppendUint64(b, bits)
	case time.Time:
		b = append(append(b, timeKey), TimeKey(v)...)
	case string:
		b = append(append(append(b, textKey), v[:min(len(v), MaxKeyText)]...), 0)
	default:
		b = append(b, absentKey)
	}
	if k.Descending {
		for i := start; i < len(b); i++ {
			b[i] = ^b[i]
		}
	}
	return b
}

// TimeKey returns a time as the key of a Place: 8 bytes that compare as times do,
// to the microsecond.
func TimeKey(t time.Time) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro())^1<<63))
}

// KeyTime returns the time whose TimeKey it is; the zero time for any other text.
func KeyTime(key string) time.Time {
	if len(key) != 8 {
		return time.Time{}
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64([]byte(key)) ^ 1<<63)).UTC()
}

// above returns the least key that is greater than all that begin with prefix; ""
// if there is none.
func above(prefix string) string {
	last := len(prefix) - 1
	for last >= 0 && prefix[last] == 0xff {
		last--
	}
	if last < 0 {
		return ""
	}
	return prefix[:last] + string([]byte{prefix[last] + 1})
}
