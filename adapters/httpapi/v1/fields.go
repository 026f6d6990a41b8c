package v1

import (
	"maps"
	"slices"

	"github.com/keyport-go/keyport/domain"
)

// Showing is embedded in the input of what shows records.
type Showing struct {
	Fields []string `query:"fields" nullable:"false" maxItems:"32" doc:"The members of data that are to be shown, each once, joined by commas; all if left out. Those that a record does not have are left out of it."`
}

// check fails with domain.ErrInvalid where a member is named twice, has no name, or one
// of more than 128 bytes.
func (s Showing) check() error {
	for i, name := range s.Fields {
		if name == "" || len(name) > 128 || slices.Contains(s.Fields[:i], name) {
			return domain.ErrInvalid.At("fields", "invalid-field", "want names of members, each once and of at most 128 bytes, joined by commas")
		}
	}
	return nil
}

// view says a record as far as it is to be shown.
func (s Showing) view(r domain.Record) (record, error) {
	if len(s.Fields) == 0 {
		return viewRecord(r), nil
	}
	members := r.Data.Tree()
	maps.DeleteFunc(members, func(name string, _ any) bool { return !slices.Contains(s.Fields, name) })
	var err error
	r.Data, err = domain.DocumentOf(members)
	return viewRecord(r), err
}
