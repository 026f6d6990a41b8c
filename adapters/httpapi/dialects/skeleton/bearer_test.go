package skeleton

import "testing"

func TestAUserNameThatIsJudgedAsAToken(t *testing.T) {
	for name, want := range map[string]bool{
		"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_": true,
		"eyJ..":       true,
		"eyJ.a.b":     true,
		"eyJ.a":       false,
		"eyJ.a.b.c":   false,
		"eyJ.a.b c":   false,
		"eyJ.a.b=":    false,
		"eyJ.ä.b":     false,
		"EYJ.a.b":     false,
		"a.eyJ.b":     false,
		"first.m.las": false,
		"kpk_":        true,
		"kpk_abc":     true,
		"kpk":         false,
		"miguel":      false,
		"":            false,
	} {
		if got := presentsToken(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}
