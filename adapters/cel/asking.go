package cel

import (
	"errors"
	"reflect"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/keyport-go/keyport/domain"
)

// The names that a rule can use.
const (
	nameAccount = "account"
	nameRecord  = "record"
	nameNext    = "next"
	nameNow     = "now"
)

// An asking is a question that is being answered. One program uses it at a time.
type asking struct {
	who          domain.Asker
	now          time.Time
	record, next row
}

func newAsking(q domain.Question) *asking {
	a := &asking{who: q.Who, now: q.Now, record: row{of: &q.Record}, next: row{of: q.Next}}
	return a
}

// ResolveName returns what a name of the rule stands for. A question that has no
// record, or no next, has no value for its name.
func (a *asking) ResolveName(name string) (any, bool) {
	switch name {
	case nameAccount:
		if a.who.Stranger() {
			return types.NullValue, true
		}
		return (*caller)(&a.who), true
	case nameNow:
		return a.moment(), true
	case nameRecord:
		return &a.record, a.record.of != nil
	case nameNext:
		return &a.next, a.next.of != nil
	}
	return nil, false
}

// Parent returns nil.
func (*asking) Parent() cel.Activation { return nil }

func (a *asking) moment() time.Time { return a.now.UTC().Truncate(time.Microsecond) }

// A row is a record whose data is parsed when it is first looked at.
type row struct {
	of   *domain.Record
	tree map[string]any
}

func (r *row) data() map[string]any {
	if r.tree == nil {
		r.tree = r.of.Data.Tree()
	}
	return r.tree
}

// column returns what a record says beside its data.
func (r *row) column(name string) any {
	switch domain.Column(name) {
	case domain.ColumnID:
		return string(r.of.ID)
	case domain.ColumnOwner:
		if r.of.Owner != "" {
			return string(r.of.Owner)
		}
	case domain.ColumnCreated:
		return r.of.Created
	case domain.ColumnChanged:
		return r.of.Changed
	}
	return nil
}

var errNoMember = errors.New("there is no such member")

func isRow(v any) bool {
	_, ok := v.(*row)
	return ok
}

func getData(v any) (any, error) {
	r, ok := v.(*row)
	if !ok {
		return nil, errNoMember
	}
	return r.data(), nil
}

// recordFields are the members of a record, but for its data.
var recordFields = map[string]*types.FieldType{
	string(domain.ColumnID):      columnField(domain.ColumnID, types.StringType),
	string(domain.ColumnOwner):   columnField(domain.ColumnOwner, types.NewNullableType(types.StringType)),
	string(domain.ColumnCreated): columnField(domain.ColumnCreated, types.TimestampType),
	string(domain.ColumnChanged): columnField(domain.ColumnChanged, types.TimestampType),
}

func columnField(c domain.Column, t *types.Type) *types.FieldType {
	return &types.FieldType{Type: t, IsSet: isRow, GetFrom: func(v any) (any, error) {
		r, ok := v.(*row)
		if !ok {
			return nil, errNoMember
		}
		return r.column(string(c)), nil
	}}
}

// accountFields are the members of an account. Null has none.
var accountFields = map[string]*types.FieldType{
	"id": {Type: types.StringType, IsSet: isCaller, GetFrom: func(v any) (any, error) {
		c, ok := v.(*caller)
		if !ok {
			return nil, errNoMember
		}
		return string(c.Account), nil
	}},
	"roles": {Type: types.NewListType(types.StringType), IsSet: isCaller, GetFrom: func(v any) (any, error) {
		c, ok := v.(*caller)
		if !ok {
			return nil, errNoMember
		}
		return types.NewStringList(values{}, c.roles()), nil
	}},
}

func isCaller(v any) bool {
	_, ok := v.(*caller)
	return ok
}

// A caller is an account as a value of the language. A rule can but ask for its
// members, and whether it is null.
type caller domain.Asker

func (c *caller) roles() []string {
	roles := make([]string, len(c.Roles))
	for i, r := range c.Roles {
		roles[i] = string(r)
	}
	return roles
}

// ConvertToNative fails.
func (*caller) ConvertToNative(reflect.Type) (any, error) { return nil, errNoMember }

// ConvertToType fails.
func (*caller) ConvertToType(ref.Type) ref.Val { return types.NewErr("an account is no other type") }

// Equal says no: what an account is compared with is null.
func (*caller) Equal(ref.Val) ref.Val { return types.False }

// Type returns the type of accounts.
func (*caller) Type() ref.Type { return typeOfAccount }

// Value returns c.
func (c *caller) Value() any { return c }

var typeOfAccount = types.NewObjectType(accountType)
