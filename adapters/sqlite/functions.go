package sqlite

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"time"

	"modernc.org/sqlite"

	"github.com/keyport-go/keyport/domain"
)

// What SQL cannot say exactly as the domain does, SQLite asks of these functions. They
// know JSON as the text that -> gives, and answer null where there is no such value;
// none of them fails. The driver has them once for all connections of this process.
func init() {
	for name, f := range map[string]struct {
		arguments int32
		call      func(args []driver.Value) driver.Value
	}{
		"keyport_number":    {1, numberOf},
		"keyport_moment":    {1, momentOf},
		"keyport_calculate": {3, calculated},
		"keyport_among":     {2, among},
		"keyport_member":    {2, memberOf},
	} {
		sqlite.MustRegisterDeterministicScalarFunction(name, f.arguments, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			return f.call(args), nil
		})
	}
}

// numberOf returns the double that a JSON number is. SQLite's own is not always the
// nearest.
func numberOf(args []driver.Value) driver.Value {
	text, _ := args[0].(string)
	if text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return nil
	}
	if n, finite := domain.Double(text); finite {
		return n
	}
	return nil
}

// momentOf returns the time that a text writes, in microseconds since 1970.
func momentOf(args []driver.Value) driver.Value {
	text, _ := args[0].(string)
	v, _ := domain.ParseMoment(text)
	if t, ok := v.(time.Time); ok {
		return micros(t)
	}
	return nil
}

// calculated returns what an operator makes of two numbers.
func calculated(args []driver.Value) driver.Value {
	op, _ := args[0].(int64)
	a, isNumber := double(args[1])
	b, too := double(args[2])
	if !isNumber || !too {
		return nil
	}
	if n, ok := domain.Calculate(domain.Operator(op), a, b); ok {
		return n
	}
	return nil
}

// double reads a number: what SQLite counts is an integer there.
func double(v driver.Value) (n float64, ok bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// among reports whether a JSON array has an element equal to an item, which comes as
// rendering.value has it.
func among(args []driver.Value) driver.Value {
	list, _ := args[0].(string)
	if list == "" || list[0] != '[' {
		return nil
	}
	var item any
	switch v := args[1].(type) {
	case string:
		item = v
	case []byte:
		switch {
		case bytes.Equal(v, markTrue), bytes.Equal(v, markFalse):
			item = bytes.Equal(v, markTrue)
		case bytes.Equal(v, markNull):
		case bytes.Equal(v, markComposite):
			return nil
		default:
			return int64(0) // a time, or what no document holds
		}
	default:
		n, isNumber := double(v)
		if !isNumber {
			return nil
		}
		item = n
	}
	subject := domain.Record{Data: domain.RestoreDocument(`{"list":` + list + `}`)}
	return truth(domain.Evaluate(domain.Among{Item: domain.Literal{Value: item}, List: domain.Member{"list"}}, subject))
}

// memberOf returns what a path leads to in a document, as JSON. The path is a JSON
// array of names, of whatever characters.
func memberOf(args []driver.Value) driver.Value {
	data, _ := args[0].(string)
	encoded, _ := args[1].(string)
	var path []string
	if err := json.Unmarshal([]byte(encoded), &path); err != nil {
		return nil
	}
	var v any = domain.RestoreDocument(data).Tree()
	for _, name := range path {
		object, _ := v.(map[string]any)
		member, there := object[name]
		if !there {
			return nil
		}
		v = member
	}
	return list(v)
}

// truth writes a Truth as SQL does.
func truth(t domain.Truth) driver.Value {
	switch t {
	case domain.True:
		return int64(1)
	case domain.False:
		return int64(0)
	default:
		return nil
	}
}
