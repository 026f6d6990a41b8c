package v1

import (
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// A Placing is embedded in the input of what puts something at a URL, where there may
// be something already.
type Placing struct {
	Condition
	IfNoneMatch string `header:"If-None-Match" doc:"* to create it, where there is none yet; in place of If-Match."`
}

// condition reads which of the two is meant: to replace what is there, at the revision
// match (0: at any), or to create it.
func (p Placing) condition() (match domain.Revision, create bool, err error) {
	return wire.PutCondition(p.IfMatch, p.IfNoneMatch)
}

// alike tells the document that an operation has another good answer, of the same form
// as that which is told already.
func alike(op *huma.Operation, status int, about string) {
	same := *op.Responses[strconv.Itoa(op.DefaultStatus)]
	same.Description = about
	op.Responses[strconv.Itoa(status)] = &same
}
