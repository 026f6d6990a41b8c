package domain_test

import (
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

func TestTheKeyOfARequestThatIsSentAgain(t *testing.T) {
	for _, good := range []string{"a", "8e03978e-40d5-43dd-bc93-6894a57f9324", `"quoted"`, "!~", strings.Repeat("x", 255)} {
		if k, err := domain.ParseIdempotencyKey(good); err != nil || string(k) != good {
			t.Errorf("%q: %q, %v", good, k, err)
		}
	}
	for _, bad := range []string{"", " ", "a b", "a ", "\ta", "a\x00", "a\x7f", "é", "\xff", strings.Repeat("x", 256)} {
		k, err := domain.ParseIdempotencyKey(bad)
		blames(t, err, domain.ErrInvalidIdempotencyKey)
		if k != "" {
			t.Errorf("%q is taken for %q", bad, k)
		}
	}
}
