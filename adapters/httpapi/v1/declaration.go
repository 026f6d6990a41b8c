package v1

import (
	"fmt"

	"github.com/keyport-go/keyport/domain"
)

// A Declaration is what a collection is declared to be, but for its name. It is
// exported, as all that is embedded in inputs.
type Declaration struct {
	Schema  document     `json:"schema" doc:"JSON Schema 2020-12 of a record's data, without references to other documents."`
	Rules   rules        `json:"rules" doc:"Who may do what: expressions in CEL over account, record and, to update, next."`
	Unique  []uniqueness `json:"unique,omitempty" nullable:"false" doc:"Members of the data that no two records share; at most 8."`
	Indexes []string     `json:"indexes,omitempty" nullable:"false" doc:"Orders, such as -length,model, in which records can be listed; at most 8."`
	Search  []string     `json:"search,omitempty" nullable:"false" doc:"Members of the data whose words can be searched; at most 8."`
	Watch   bool         `json:"watch,omitempty" doc:"Whether changes of records can be watched."`
}

type uniqueness struct {
	Field string `json:"field" doc:"The name of a member of the data."`
	Per   string `json:"per,omitempty" enum:"collection,owner" doc:"Among which records; collection if left out."`
}

// collection returns what is declared, unchecked. It fails with domain.ErrInvalidSort.
func (d Declaration) collection(name domain.CollectionName) (domain.Collection, error) {
	c := domain.Collection{Name: name, Schema: d.Schema.Document, Rules: domain.Rules(d.Rules), Search: d.Search, Watch: d.Watch}
	for _, u := range d.Unique {
		c.Unique = append(c.Unique, domain.Unique{Field: u.Field, PerOwner: u.Per == "owner"})
	}
	for i, text := range d.Indexes {
		order, err := domain.ParseSort(text)
		if err != nil {
			return c, moved(err, domain.ErrInvalidSort, fmt.Sprintf("/indexes/%d", i))
		}
		c.Indexes = append(c.Indexes, domain.Index{Sort: order})
	}
	return c, nil
}

// newName reads the name of a collection that need not be there yet: what cannot be
// one is a fault of the input at path.
func newName(s, path string) (domain.CollectionName, error) {
	name, err := domain.ParseCollectionName(s)
	if err != nil {
		return "", domain.ErrInvalidCollection.At(path, "invalid-name", "want a letter, then letters, digits, hyphens and underscores: lower case, and at most 63 in all")
	}
	return name, nil
}
