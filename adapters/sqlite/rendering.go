package sqlite

import (
	"strconv"

	"github.com/keyport-go/keyport/domain"
)

// A rendering is the making of a statement, and its arguments. Whatever comes from a
// caller is an argument, so its text holds nothing but this package's own words.
type rendering struct {
	collection domain.CollectionName // whose records it is about; ?1

	args  []any
	texts map[string]string // the places of texts, which often come again
}

func newRendering(name domain.CollectionName) *rendering {
	return &rendering{collection: name, args: []any{name}, texts: make(map[string]string)}
}

// bind adds an argument and returns its place in the text.
func (w *rendering) bind(v any) string {
	text, isText := v.(string)
	if at, bound := w.texts[text]; isText && bound {
		return at
	}
	w.args = append(w.args, v)
	at := "?" + strconv.Itoa(len(w.args))
	if isText {
		w.texts[text] = at
	}
	return at
}
