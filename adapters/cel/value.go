package cel

import (
	"encoding/json"
	"math"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/keyport-go/keyport/domain"
)

// values makes values of the language of what documents hold. A document is passed
// around as it is parsed; only what an expression comes to is converted.
type values struct{}

// NativeToValue returns v as a value of the language.
func (values) NativeToValue(v any) ref.Val {
	switch v := v.(type) {
	case nil:
		return types.NullValue
	case bool:
		return types.Bool(v)
	case string:
		return types.String(v)
	case json.Number:
		f, ok := domain.Double(v.String())
		if !ok {
			return types.NewErr("no double is near to that number")
		}
		return types.Double(f)
	case map[string]any:
		return &members{types.NewStringInterfaceMap(values{}, v), v}
	case []any:
		return &elements{types.NewDynamicList(values{}, v)}
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// elements is a list of the data. It differs from other lists where the elements
// are compared: as domain.Among has it.
type elements struct{ traits.Lister }

// Contains reports whether an element equals item. An element that has no value
// equals nothing.
func (l *elements) Contains(item ref.Val) ref.Val {
	if composite(item) {
		return types.NewErr("lists and objects are not looked for in a list")
	}
	for i := range l.Size().(types.Int) {
		if types.Equal(l.Get(i), item) == types.True {
			return types.True
		}
	}
	return types.False
}

// Equal compares element by element, and fails where one has no value.
func (l *elements) Equal(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok || o.Size() != l.Size() {
		return types.False
	}
	for i := range l.Size().(types.Int) {
		if same := types.Equal(l.Get(i), o.Get(i)); same != types.True {
			return same
		}
	}
	return types.True
}

// members is an object of the data.
type members struct {
	traits.Mapper
	named map[string]any
}

// FindStringKey returns a member as the document has it, so that one without a
// value can be told from none.
func (o *members) FindStringKey(name string) (any, bool) {
	v, ok := o.named[name]
	return v, ok
}

// Contains fails: "in" is for lists, and has() for objects.
func (o *members) Contains(ref.Val) ref.Val { return types.NewErr("an object is no list") }

// Equal compares member by member, and fails where one has no value.
func (o *members) Equal(other ref.Val) ref.Val {
	m, ok := other.(traits.Mapper)
	if !ok || m.Size() != o.Size() {
		return types.False
	}
	for name, v := range o.named {
		w, found := m.Find(types.String(name))
		if !found {
			return types.False
		}
		if same := types.Equal(values{}.NativeToValue(v), w); same != types.True {
			return same
		}
	}
	return types.True
}

func composite(v ref.Val) bool {
	switch v.(type) {
	case traits.Lister, traits.Mapper:
		return true
	}
	return false
}

// literal returns what a domain.Literal holds for v; false if nothing does.
func literal(v ref.Val) (any, bool) {
	switch v := v.(type) {
	case types.Null:
		return nil, true
	case types.Bool:
		return bool(v), true
	case types.String:
		return string(v), true
	case types.Double:
		f := float64(v) + 0 // no negative zero
		return f, !math.IsInf(f, 0) && !math.IsNaN(f)
	case types.Timestamp:
		return v.UTC().Truncate(time.Microsecond), true
	}
	return nil, false
}
