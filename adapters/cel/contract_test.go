package cel_test

import (
	"testing"

	"github.com/keyport-go/keyport/adapters/cel"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestRules(t *testing.T) {
	porttest.TestRules(t, func(*testing.T) ports.RuleCompiler { return cel.Compiler{} },
		"true", "false", "account != null", "record.owner == account.id", "account == null || record.owner == account.id",
		`"admin" in account.roles`, `"editor" in account.roles && record.owner != account.id`, "record.owner == null",
		"record.data.n > 0", "record.data.n < 2 || !(record.data.n == 3)", "record.data.n + 1 == 2", "has(record.data.n)",
		`record.data["e/mail"].endsWith("@example.com")`, `record.data["e/mail"] in ["", "ada@example.com"]`,
		`size(record.data["e/mail"]) > 0`, "record.created_at < now", "size(account.roles) > 1", "1 / 0 > 1 || record.data.n == 1",
	)
}
