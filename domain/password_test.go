package domain_test

import (
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

func TestANewPassword(t *testing.T) {
	common := func(p domain.Password) bool { return strings.EqualFold(p.Reveal(), "correct horse battery") }
	eight := domain.PasswordPolicy{Min: 8, Common: common}
	usual := domain.PasswordPolicy{Common: common}
	for _, c := range []struct {
		name     string
		policy   domain.PasswordPolicy
		password string
		names    []string
		blamed   string
	}{
		{"is taken with 15 characters", usual, strings.Repeat("é", 14) + "x", nil, ""},
		{"is too short with 14", usual, strings.Repeat("x", 14), nil, "too-short"},
		{"is too short with none", usual, "", nil, "too-short"},
		{"is counted as it is composed", usual, strings.Repeat("e\u0301", 15), nil, ""},
		{"is too short if it has 15 only by marks apart", usual, strings.Repeat("e\u0301", 14), nil, "too-short"},
		{"is taken with 8 where that is the bound", eight, "xyzzy123", nil, ""},
		{"is too short with 7 there", eight, "xyzzy12", nil, "too-short"},
		{"is taken with 1,024 bytes", usual, strings.Repeat("é", 512), nil, ""},
		{"is too long with 1,025", usual, strings.Repeat("é", 512) + "x", nil, "too-long"},
		{"is counted in bytes as it was typed", usual, strings.Repeat("e\u0301", 342), nil, "too-long"},
		{"may not be on the list", usual, "Correct Horse Battery", nil, "common-password"},
		{"needs no mixture", usual, "aaaaaaaaaaaaaaaaaaaaaaa", nil, ""},
		{"may hold spaces and any sign", usual, "  ein Pferd \t🦊 \x01 ", nil, ""},
		{"may not be the user's name twice", usual, "adalovelaceadalovelace", []string{"", "adalovelace"}, "repeats-name"},
		{"may not be the name in another case and width", usual, "ADALOVELACE１２３４", []string{"adalovelace"}, "repeats-name"},
		{"may not be the name with another spelling of ß", usual, "STRASSENBAUER99", []string{"straßenbauer"}, "repeats-name"},
		{"may not be the address and a few signs", usual, "ada@example.org!", []string{"ada", "ada@example.org"}, "repeats-name"},
		{"may hold the name beside enough else", usual, "adalovelace and horses", []string{"adalovelace"}, ""},
		{"is refused with six characters beside the name", usual, "adalovelace123456", []string{"adalovelace"}, "repeats-name"},
		{"is taken with seven", usual, "adalovelace1234567", []string{"adalovelace"}, ""},
		{"may repeat a name of three characters", usual, "adaadaadaadaada", []string{"ada"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.policy.Check(domain.NewPassword(c.password), c.names...)
			if c.blamed == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			blames(t, err, domain.ErrWeakPassword, "/password "+c.blamed)
			if len(c.password) > 4 && strings.Contains(err.Error(), c.password) {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}
