package fake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A Vault conceals texts as their hexadecimal digits, and a mark behind. The zero
// Vault is ready.
type Vault struct {
	Name string // a Vault of another name reveals nothing of this one
}

var _ ports.Vault = Vault{}

// Conceal implements ports.Vault.
func (v Vault) Conceal(scope string, text []byte) []byte {
	return []byte(seal(v.name("receipt", scope), hex.EncodeToString(text)))
}

// Reveal implements ports.Vault.
func (v Vault) Reveal(scope string, concealed []byte) ([]byte, error) {
	const mark = 16 // digits
	text, err := hex.DecodeString(string(concealed[:max(0, len(concealed)-mark)]))
	if err != nil || string(v.Conceal(scope, text)) != string(concealed) {
		return nil, domain.ErrInvalidToken
	}
	return text, nil
}

// Digest implements ports.Vault.
func (v Vault) Digest(scope string, text []byte) [sha256.Size]byte {
	mac := hmac.New(sha256.New, []byte(v.name("digest", scope)))
	mac.Write(text)
	return [sha256.Size]byte(mac.Sum(nil))
}

func (v Vault) name(what, scope string) string {
	return fmt.Sprintf("%s of %s for %s", what, v.Name, scope)
}
