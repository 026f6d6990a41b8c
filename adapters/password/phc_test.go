package password

import (
	"strings"
	"testing"

	"github.com/keyport-go/keyport/domain"
)

// reference is one of the test vectors of the reference implementation (its file
// src/test.c), for "password".
const reference = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

func TestAHashOfTheReferenceImplementationIsRead(t *testing.T) {
	h, err := read(reference)
	if err != nil {
		t.Fatal(err)
	}
	if !h.matches([]byte("password")) {
		t.Error("its password does not match")
	}
	if h.matches([]byte("passwore")) {
		t.Error("another password matches")
	}
}

// Which normal form it is cannot be changed later without losing passwords.
func TestWhatIsHashedIsNFC(t *testing.T) {
	h := New(Config{Cost: Cost{Memory: 64, Time: 1, Lanes: 1}})
	composed := argon2id{cost: h.cost, salt: make([]byte, saltSize)}
	composed.key = composed.derive([]byte("caf\u00e9 \uac00"), keySize)
	for _, typed := range []string{"caf\u00e9 \uac00", "cafe\u0301 \u1100\u1161"} {
		ok, _, err := h.Matches(t.Context(), domain.NewPassword(typed), domain.NewPasswordHash(composed.String()))
		if !ok || err != nil {
			t.Errorf("%+q: got %v, %v", typed, ok, err)
		}
	}
}

func TestOnlyOneSpellingOfAHashIsRead(t *testing.T) {
	const good = "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if _, err := read(good); err != nil {
		t.Fatal(err)
	}
	replace := func(old, now string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the good one", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	for name, text := range map[string]string{
		"nothing":                      "",
		"another scheme":               replace("argon2id", "argon2d"),
		"a scheme in capitals":         replace("argon2id", "Argon2id"),
		"no version":                   replace("$v=19", ""),
		"an old version":               replace("v=19", "v=16"),
		"a text before":                "x" + good,
		"a space before":               " " + good,
		"a line break after":           good + "\n",
		"a part after":                 good + "$",
		"a leading zero":               replace("m=64", "m=064"),
		"a plus sign":                  replace("t=1", "t=+1"),
		"a minus sign":                 replace("t=1", "t=-1"),
		"a missing parameter":          replace(",p=1", ""),
		"a parameter twice":            replace("t=1", "t=1,t=1"),
		"parameters in another order":  replace("m=64,t=1", "t=1,m=64"),
		"an unknown parameter":         replace("p=1", "p=1,keyid=AA"),
		"a parameter without a name":   replace("m=64", "64"),
		"a number beyond 32 bits":      replace("m=64", "m=4294967360"),
		"a lane count beyond 8 bits":   replace("p=1", "p=257"),
		"padding":                      good + "=",
		"spare bits in the salt":       replace("$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAAAAAAAAAAAAAAAAAAAB$"),
		"spare bits in the key":        good[:len(good)-1] + "B",
		"a line break in the salt":     replace("$AAAA", "$AA\nAA"),
		"the alphabet of URLs":         replace("$AAAA", "$-_AA"),
		"no memory":                    replace("m=64", "m=0"),
		"less memory than lanes need":  replace("p=1", "p=9"),
		"no pass":                      replace("t=1", "t=0"),
		"no lane":                      replace("p=1", "p=0"),
		"more memory than is given":    replace("m=64", "m=262145"),
		"more passes than are given":   replace("t=1", "t=17"),
		"more lanes than are given":    strings.Replace(replace("m=64", "m=1024"), "p=1", "p=17", 1),
		"more work than is given":      strings.Replace(replace("m=64", "m=262144"), "t=1", "t=5", 1),
		"a salt that is too short":     replace("$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAAAAAAAA$"),
		"a salt that is too long":      replace("$AAAAAAAAAAAAAAAAAAAAAA$", "$"+strings.Repeat("A", 87)+"$"),
		"a key that is too short":      replace("$"+strings.Repeat("A", 43), "$"+strings.Repeat("A", 20)),
		"a key that is too long":       good[:strings.LastIndexByte(good, '$')+1] + strings.Repeat("A", 87),
		"a mebibyte":                   good + strings.Repeat("A", 1<<20),
		"nothing but separators":       strings.Repeat("$", 1<<10),
		"the prefix alone":             "$argon2id$",
		"a salt that is missing":       replace("$AAAAAAAAAAAAAAAAAAAAAA$", "$$"),
		"a key that is missing":        good[:strings.LastIndexByte(good, '$')+1],
		"a key and its separator gone": good[:strings.LastIndexByte(good, '$')],
	} {
		t.Run(name, func(t *testing.T) {
			if h, err := read(text); h != nil || err == nil {
				t.Errorf("%.200q was read", text)
			}
		})
	}
}

func TestTheGreatestHashWithinTheBoundsIsRead(t *testing.T) {
	a := argon2id{Cost{maxMemory, maxWork / maxMemory, maxLanes}, make([]byte, maxSalt), make([]byte, maxKey)}
	if got, err := parseArgon2id(a.String()); err != nil || got.String() != a.String() {
		t.Errorf("got %v, %v", got, err)
	}
}

// What is read is written as it was, and no input makes a panic.
func FuzzPHC(f *testing.F) {
	f.Add(reference)
	f.Add(argon2id{Recommended, make([]byte, saltSize), make([]byte, keySize)}.String())
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=08,t=+1,p=1$AAAAAAAAAAB\n$AAAAAAAAAAAAAAAAAAAAAA==")
	f.Add("$2b$12$abcdefghijklmnopqrstuv")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseArgon2id(text)
		if err != nil {
			return
		}
		if a.String() != text {
			t.Errorf("%q was read, and is written as %q", text, a)
		}
		if !a.cost.bounded() {
			t.Errorf("%q was read, and costs %+v", text, a.cost)
		}
	})
}
