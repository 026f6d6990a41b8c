package porttest

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

func TestLyingVaultsAreCaught(t *testing.T) {
	arePairsCaught(t, vault, []lyingPair[ports.Vault]{
		{"is honest", func(name string) ports.Vault { return fake.Vault{Name: name} }, nil},
		{"writes texts out", func(name string) ports.Vault { return plainVault{fake.Vault{Name: name}} }, []string{
			"a vault is its owner's",
			"what another vault has concealed is not revealed",
			"what is concealed tells no more than its length",
			"what was altered is not revealed",
			"what was concealed for another scope is not revealed",
		}},
		{"cuts texts at a NUL", func(name string) ports.Vault { return cuttingVault{fake.Vault{Name: name}} }, []string{
			"what is concealed tells no more than its length",
			"what was concealed is revealed",
		}},
		{"takes any scope", func(name string) ports.Vault { return scopelessVault{fake.Vault{Name: name}} }, []string{"what was concealed for another scope is not revealed"}},
		{"trusts everybody", func(string) ports.Vault { return fake.Vault{} }, []string{
			"a digest is nothing to guess by",
			"a vault is its owner's",
			"what another vault has concealed is not revealed",
		}},
		{"trims", func(name string) ports.Vault { return trimmingVault{fake.Vault{Name: name}} }, []string{"what was altered is not revealed"}},
		{"fails with errors of its own", func(name string) ports.Vault { return vagueVault{fake.Vault{Name: name}} }, []string{
			"a vault is its owner's",
			"what another vault has concealed is not revealed",
			"what was altered is not revealed",
			"what was concealed for another scope is not revealed",
		}},
		{"hides in place", func(name string) ports.Vault { return inPlaceVault{fake.Vault{Name: name}} }, []string{"texts stay as they were"}},
		{"digests without a key", func(name string) ports.Vault { return keylessVault{fake.Vault{Name: name}} }, []string{
			"a digest is nothing to guess by",
			"a text has one digest, and another text another",
			"a vault is its owner's",
		}},
		{"digests without the scope", func(name string) ports.Vault { return runTogether{fake.Vault{Name: name}} }, []string{"a text has one digest, and another text another"}},
	})
}

type plainVault struct{ ports.Vault }

func (plainVault) Conceal(_ string, text []byte) []byte { return bytes.Clone(text) }

func (plainVault) Reveal(_ string, concealed []byte) ([]byte, error) {
	return bytes.Clone(concealed), nil
}

type cuttingVault struct{ ports.Vault }

func (l cuttingVault) Conceal(scope string, text []byte) []byte {
	text, _, _ = bytes.Cut(text, []byte{0})
	return l.Vault.Conceal(scope, text)
}

type scopelessVault struct{ ports.Vault }

func (l scopelessVault) Conceal(_ string, text []byte) []byte { return l.Vault.Conceal("", text) }

func (l scopelessVault) Reveal(_ string, concealed []byte) ([]byte, error) {
	return l.Vault.Reveal("", concealed)
}

type trimmingVault struct{ ports.Vault }

func (l trimmingVault) Reveal(scope string, concealed []byte) ([]byte, error) {
	return l.Vault.Reveal(scope, bytes.TrimSpace(concealed))
}

type vagueVault struct{ ports.Vault }

func (l vagueVault) Reveal(scope string, concealed []byte) ([]byte, error) {
	text, err := l.Vault.Reveal(scope, concealed)
	if err != nil {
		err = domain.Unauthenticated
	}
	return text, err
}

// inPlaceVault leaves nothing of a text that it has concealed.
type inPlaceVault struct{ ports.Vault }

func (l inPlaceVault) Conceal(scope string, text []byte) []byte {
	defer clear(text)
	return l.Vault.Conceal(scope, text)
}

type keylessVault struct{ ports.Vault }

func (keylessVault) Digest(scope string, text []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(scope+"\x00"), text...))
}

type runTogether struct{ ports.Vault }

func (l runTogether) Digest(scope string, text []byte) [sha256.Size]byte {
	return l.Vault.Digest("", append([]byte(scope), text...))
}
