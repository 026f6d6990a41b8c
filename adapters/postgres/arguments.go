package postgres

import "strconv"

// Arguments are the parameters of a statement that is being written.
type arguments []any

// add returns how the statement names a further parameter, of a type of SQL.
func (a *arguments) add(v any, kind string) string {
	*a = append(*a, v)
	return "$" + strconv.Itoa(len(*a)) + "::" + kind
}
