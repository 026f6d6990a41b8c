package jose_test

import (
	"testing"

	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestTheIssuerKeepsItsContract(t *testing.T) {
	porttest.TestIssuer(t, func(t *testing.T) ports.TokenIssuer { return open(t, config()).Tokens() })
}

func TestTheRefreshIssuerKeepsItsContract(t *testing.T) {
	porttest.TestRefreshIssuer(t, func(t *testing.T) ports.RefreshIssuer { return open(t, config()).Refresh() })
}

func TestTheCursorSealerKeepsItsContract(t *testing.T) {
	porttest.TestCursorSealer(t, func(t *testing.T) ports.CursorSealer { return open(t, config()).Cursors() })
}
