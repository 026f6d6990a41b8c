// Package wire is what all HTTP dialects share: reading and writing JSON,
// reading a bearer token and an entity tag, and giving an error its status. It
// knows no route.
package wire

import (
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/numbers"
	"github.com/keyport-go/keyport/domain/receipts"
	"github.com/keyport-go/keyport/domain/resources"
	"github.com/keyport-go/keyport/domain/tokens"
)

// Services are the verbs that a dialect may speak.
type Services struct {
	Accounts  *accounts.Service
	Tokens    *tokens.Service
	Resources *resources.Service
	Numbers   *numbers.Service
	Receipts  *receipts.Service
}
