package password_test

import (
	"testing"

	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestTheHasherKeepsItsContract(t *testing.T) {
	porttest.TestHasher(t, func(_ *testing.T, cost int) ports.PasswordHasher {
		return password.New(password.Config{Cost: password.Cost{Memory: 64, Time: uint32(cost), Lanes: 1}})
	})
}

func TestTheBlocklistKeepsItsContract(t *testing.T) {
	porttest.TestBlocklist(t, func(*testing.T) ports.Blocklist { return password.Blocklist{} },
		"password", "trustno1", "qwertyuiop", "1234567890qwerty", "1qaz2wsx3edc4rfv")
}
