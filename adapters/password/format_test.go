package password

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

// examples are a hash of each format at the cost that its makers choose, for
// "correct horse battery staple" where it is known.
var examples = map[string]string{
	"argon2id":      "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"argon2i":       "$argon2i$v=19$m=65536,t=4,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"bcrypt":        "$2b$12$CCCCCCCCCCCCCCCCCCCCC.aNFuLnJDpfCit2UcMXRRsawH6O4VbfG",
	"sha256_crypt":  "$5$rounds=535000$saltsalt$yrhPKxCqiWcCE9h0g86j6Ugz7SDFdFm.BjU.d8RaQnC",
	"sha512_crypt":  "$6$rounds=656000$saltsalt$e/5XKibXPLqVcfjpD.ouauaJrAOL5V0uo80Lt7n7EbRdRiCx3HbQ90yjOHr.G0T.mx79PEMRy8nmtr0qSYhQp1",
	"pbkdf2:sha1":   "pbkdf2:sha1:1000$saltsalt$" + strings.Repeat("0", 40),
	"pbkdf2:sha256": "pbkdf2:sha256:1000000$saltsalt$" + strings.Repeat("0", 64),
	"pbkdf2:sha512": "pbkdf2:sha512:1000000$saltsalt$" + strings.Repeat("0", 128),
	"scrypt":        "scrypt:32768:8:1$saltsalt$" + strings.Repeat("0", 128),
	"hmac-sha256":   "sha256$saltsalt$" + strings.Repeat("0", 64),
}

// A hash is what can be computed; without one there is nothing to compute.
func TestWhatIsRefusedNeverBecomesAHash(t *testing.T) {
	b, err := os.ReadFile("testdata/hashes.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Hash   string
		Reject bool
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if h, err := read(v.Hash); (h == nil) != v.Reject || (err == nil) == v.Reject {
			t.Errorf("%q: got %T, %v", v.Hash, h, err)
		}
	}
}

// Keyport made its own of NFC. Others made theirs of what was typed, and nothing
// but the cost can tell the two apart.
func TestAnArgon2idOfAnotherCostMayBeOfWhatWasTyped(t *testing.T) {
	h := New(Config{Cost: Cost{Memory: 64, Time: 1, Lanes: 1}})
	for name, c := range map[string]struct {
		cost   Cost
		made   string
		typed  string
		wanted bool
	}{
		"made elsewhere, typed alike":       {Cost{Memory: 128, Time: 1, Lanes: 1}, "cafe\u0301", "cafe\u0301", true},
		"made elsewhere, typed otherwise":   {Cost{Memory: 128, Time: 1, Lanes: 1}, "cafe\u0301", "caf\u00e9", false},
		"made here long ago":                {Cost{Memory: 128, Time: 1, Lanes: 1}, "caf\u00e9", "cafe\u0301", true},
		"made here":                         {h.cost, "caf\u00e9", "cafe\u0301", true},
		"of no form that is ever made here": {h.cost, "cafe\u0301", "cafe\u0301", false},
	} {
		t.Run(name, func(t *testing.T) {
			stored := argon2id{cost: c.cost, salt: make([]byte, saltSize)}
			stored.key = stored.derive([]byte(c.made), keySize)
			ok, _, err := h.Matches(t.Context(), domain.NewPassword(c.typed), domain.NewPasswordHash(stored.String()))
			if err != nil || ok != c.wanted {
				t.Errorf("got %t, %v, want %t", ok, err, c.wanted)
			}
		})
	}
}

// No text makes a panic, and what is read is within the bounds of its format.
// What costs next to nothing is compared, too.
func FuzzCheck(f *testing.F) {
	for _, text := range examples {
		f.Add(text)
	}
	f.Add(reference)
	f.Add("$2b$04$CCCCCCCCCCCCCCCCCCCCC.K7Qr0se1MxuggH4aP4YgB.U2Em1pGSK")
	f.Add("$5$rounds=1000$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC")
	f.Add("scrypt:16:2:3$saltsalt$" + strings.Repeat("0", 128))
	f.Add("pbkdf2:sha1:01$$")
	f.Add("$6$rounds=$$")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := read(text)
		if (h == nil) != (err != nil) {
			t.Fatalf("%q: got %T, %v", text, h, err)
		}
		var bounded, cheap bool
		switch h := h.(type) {
		case nil:
			return
		case argon2id:
			bounded, cheap = h.cost.bounded(), h.cost.Memory*h.cost.Time <= 1<<10
		case argon2i:
			bounded, cheap = h.parts.cost.bounded(), h.parts.cost.Memory*h.parts.cost.Time <= 1<<10
		case bcryptHash:
			cost := (h.text[4]-'0')*10 + h.text[5] - '0'
			bounded, cheap = cost <= maxBcryptCost, cost == 4
		case shaCrypt:
			bounded, cheap = h.rounds <= maxRounds, h.rounds <= minRounds
		case pbkdf2Hash:
			bounded, cheap = h.iterations <= maxIterations, h.iterations <= 1000
		case scryptHash:
			bounded, cheap = 128*h.n*h.r*h.p <= maxScryptWork, 128*h.n*h.r*h.p <= 1<<20
		case hmacHash:
			bounded, cheap = true, true
		}
		if !bounded || len(text) > maxText {
			t.Errorf("%q was read", text)
		}
		if cheap && h.matches([]byte(text)) {
			t.Errorf("%q is the hash of itself", text)
		}
	})
}

func BenchmarkMatches(b *testing.B) {
	for name, text := range examples {
		h, err := read(text)
		if err != nil {
			b.Fatal(name, err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.matches([]byte("correct horse battery staple"))
			}
		})
	}
}

// The highest cost of each format that is obeyed: what the bounds stand for.
func BenchmarkMatchesAtTheBounds(b *testing.B) {
	for name, c := range map[string]struct{ password, hash string }{
		"argon2id":      {"x", "$argon2id$v=19$m=262144,t=4,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		"bcrypt":        {"x", "$2b$14$CCCCCCCCCCCCCCCCCCCCC.aNFuLnJDpfCit2UcMXRRsawH6O4VbfG"},
		"sha256_crypt":  {strings.Repeat("x", 134), strings.Replace(examples["sha256_crypt"], "535000", "1000000", 1)},
		"sha512_crypt":  {strings.Repeat("x", 134), strings.Replace(examples["sha512_crypt"], "656000", "1000000", 1)},
		"pbkdf2:sha1":   {"x", strings.Replace(examples["pbkdf2:sha1"], "1000", "2000000", 1)},
		"pbkdf2:sha256": {"x", strings.Replace(examples["pbkdf2:sha256"], "1000000", "2000000", 1)},
		"pbkdf2:sha512": {"x", strings.Replace(examples["pbkdf2:sha512"], "1000000", "2000000", 1)},
		"scrypt":        {"x", strings.Replace(examples["scrypt"], "32768", "131072", 1)},
	} {
		h, err := read(c.hash)
		if err != nil {
			b.Fatal(name, err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				h.matches([]byte(c.password))
			}
		})
	}
}

// An import asks it for each line.
func BenchmarkCheck(b *testing.B) {
	b.ReportAllocs()
	h := domain.NewPasswordHash(examples["pbkdf2:sha256"])
	for b.Loop() {
		if err := Check(h); err != nil {
			b.Fatal(err)
		}
	}
}
