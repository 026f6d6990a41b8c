package jose_test

import (
	"context"
	"testing"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
	"github.com/keyport-go/keyport/ports/porttest"
)

func TestTheIssuerKeepsItsContract(t *testing.T) {
	for _, a := range domain.SigningAlgorithms() {
		t.Run(string(a), func(t *testing.T) {
			// Two by turns, because to make an RSA key takes long.
			c := config()
			c.Algorithm = a
			one := open(t, c)
			c = config()
			c.Algorithm = a
			next, after := one, open(t, c)
			porttest.TestIssuer(t, func(*testing.T) ports.TokenIssuer {
				next, after = after, next
				return after.Tokens()
			})
		})
	}
}

func TestTheRefreshIssuerKeepsItsContract(t *testing.T) {
	porttest.TestRefreshIssuer(t, func(t *testing.T) ports.RefreshIssuer { return open(t, config()).Refresh() })
}

func TestTheCursorSealerKeepsItsContract(t *testing.T) {
	porttest.TestCursorSealer(t, func(t *testing.T) ports.CursorSealer { return open(t, config()).Cursors() })
}

func TestTheVaultKeepsItsContract(t *testing.T) {
	porttest.TestVault(t, func(t *testing.T) ports.Vault { return open(t, config()).Vault() })
}

// A Reader checks what a Keyring issues, as the Keyring itself does.
func TestAReaderKeepsTheContractOfAnIssuer(t *testing.T) {
	for _, a := range domain.SigningAlgorithms() {
		t.Run(string(a), func(t *testing.T) {
			next, after := readBy(t, a), readBy(t, a)
			porttest.TestIssuer(t, func(*testing.T) ports.TokenIssuer {
				next, after = after, next
				return after
			})
		})
	}
}

// A readIssuer issues as a Keyring does, and verifies as a Reader does.
type readIssuer struct {
	ports.TokenIssuer
	*jose.Reader
}

func (r readIssuer) Verify(ctx context.Context, token string) (domain.Claims, error) {
	return r.Reader.Verify(ctx, token)
}

func readBy(t *testing.T, a domain.Algorithm) readIssuer {
	t.Helper()
	c := config()
	c.Algorithm = a
	k := open(t, c)
	return readIssuer{k.Tokens(), readerOf(t, k)}
}
