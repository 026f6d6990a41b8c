package domain_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

const hush = "Tr0ub4dor&3"

// nest holds a secret wherever a struct can hold one.
type nest struct {
	Password domain.Password
	Pointer  *domain.Password
	List     []domain.PasswordHash
	Map      map[string]domain.Secret
	Any      any
	hidden   domain.Password
	pointed  *domain.Secret
	listed   []domain.Secret
	Grant    domain.Grant
}

func newNest() nest {
	p, s := domain.NewPassword(hush), domain.NewSecret(hush)
	return nest{
		p, &p,
		[]domain.PasswordHash{domain.NewPasswordHash(hush)},
		map[string]domain.Secret{"a": s},
		s, p, &s,
		[]domain.Secret{s},
		domain.Grant{Access: s, Refresh: s},
	}
}

// leaks reports whether text tells the secret, plainly or in hexadecimal digits,
// numbers or escapes.
func leaks(text string) bool {
	for _, form := range []string{
		hush, fmt.Sprintf("%x", hush), fmt.Sprintf("%X", hush), fmt.Sprintf("% x", hush),
		strings.Trim(fmt.Sprint([]byte(hush)), "[]"), hush[1:], "Tr0u",
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestASecretPrintsAsSecretWithEveryVerb(t *testing.T) {
	s := domain.NewSecret(hush)
	for _, verb := range strings.Split("v +v #v s q x X d c b o O t e f g U 10v -20s .3s #x + z", " ") {
		for _, v := range []any{s, &s, domain.NewPassword(hush), domain.NewPasswordHash(hush)} {
			got := fmt.Sprintf("%"+verb, v)
			if leaks(got) || !strings.Contains(got, "[secret]") {
				t.Errorf("%%%s of %T prints %s", verb, v, got)
			}
		}
	}
	for _, format := range []string{"%p", "%w", "%!", "no verb", "%*d", "%[2]v", "%"} {
		if got := fmt.Sprintf(format, s); leaks(got) {
			t.Errorf("%s prints %s", format, got)
		}
	}
	for _, got := range []string{fmt.Sprint(s), fmt.Sprintln(s), s.String(), fmt.Sprint(domain.NewPassword(hush), "a", s)} {
		if leaks(got) || !strings.Contains(got, "[secret]") {
			t.Error(got)
		}
	}
}

func TestASecretIsNotSeenInWhateverHoldsIt(t *testing.T) {
	n := newNest()
	for _, verb := range strings.Split("v +v #v s q x X d p T", " ") {
		for _, v := range []any{n, &n, []nest{n}, map[string]*nest{"a": &n}, [1]nest{n}, struct{ n nest }{n}, struct{ n *nest }{&n}} {
			if got := fmt.Sprintf("%"+verb, v); leaks(got) {
				t.Errorf("%%%s of %T prints %s", verb, v, got)
			}
		}
	}
	if got := fmt.Sprintf("%+v", n.Grant); !strings.Contains(got, "Access:[secret] Refresh:[secret]") {
		t.Error(got)
	}
}

func TestASecretIsNotSeenInLogsAndEncodings(t *testing.T) {
	n, s := newNest(), domain.NewSecret(hush)
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).With("with", s).Info("a line", "secret", s, "pointer", &s, "password", domain.NewPassword(hush), "nest", n, "error", domain.ErrInternal.Because(fmt.Errorf("%v", s)))
	}
	if strings.Count(out.String(), "[secret]") < 6 || leaks(out.String()) {
		t.Error(out.String())
	}

	text, err := json.Marshal(n)
	if err != nil || leaks(string(text)) || !strings.Contains(string(text), `"Password":"[secret]"`) {
		t.Errorf("%s, %v", text, err)
	}
	if text, err = json.Marshal(map[domain.Secret]int{s: 1}); err != nil || string(text) != `{"[secret]":1}` {
		t.Errorf("%s, %v", text, err)
	}
	if text, err = xml.Marshal(s); err != nil || leaks(string(text)) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestASecretIsRevealedOnRequest(t *testing.T) {
	s := domain.NewSecret(hush)
	if s.Reveal() != hush || s.IsZero() {
		t.Error("it does not give back what was put in")
	}
	if s != domain.NewSecret("Tr0ub4dor"+"&3") || s == domain.NewSecret("other") {
		t.Error("secrets are not equal by their text")
	}
	for _, none := range []domain.Secret{{}, domain.NewSecret("")} {
		if !none.IsZero() || none.Reveal() != "" || none.String() != "[secret]" {
			t.Error("nothing is something")
		}
	}
	if domain.NewSecret("") != (domain.Secret{}) {
		t.Error("there are two kinds of nothing")
	}
}
