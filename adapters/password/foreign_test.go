package password_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/domain"
)

// sesame is a cheap hash of "open sesame", as Werkzeug made it of method="sha256".
const sesame = "sha256$saltsalt$3e6d43a0976114b7c93172b93e9f412389ae0736b99f6737301b104f5f4b2c1e"

func TestAHashFromElsewhereMatchesItsPasswordAloneAndIsStale(t *testing.T) {
	h := password.New(password.Config{Cost: cheap})
	for _, c := range []struct{ source, password, hash string }{
		// The vectors of Ulrich Drepper's specification, section "Test vectors"
		// (its salts and rounds in the form that they are stored in).
		{"SHA-crypt", "Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
		{"SHA-crypt", "Hello world!", "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"},
		{"SHA-crypt", "This is just a test", "$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5"},
		{"SHA-crypt", "a very much longer text to encrypt.  This one even stretches over morethan one line.", "$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1"},
		{"SHA-crypt", "we have a short salt string but not a short password", "$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/"},
		{"SHA-crypt", "a short string", "$5$rounds=123456$asaltof16chars..$gP3VQ/6X7UUEW3HkBn2w1/Ptq2jxPyzV/cZKmF/wJvD"},
		{"SHA-crypt", "the minimum number is still observed", "$5$rounds=1000$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC"},
		{"SHA-crypt", "Hello world!", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
		{"SHA-crypt", "Hello world!", "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."},
		{"SHA-crypt", "This is just a test", "$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8audkUEm0"},
		{"SHA-crypt", "a very much longer text to encrypt.  This one even stretches over morethan one line.", "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1"},
		{"SHA-crypt", "we have a short salt string but not a short password", "$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0"},
		{"SHA-crypt", "a short string", "$6$rounds=123456$asaltof16chars..$BtCwjqMJGx5hrJhZywWvt0RLE8uZ4oPwcelCjmw2kSYu.Ec6ycULevoBK25fs2xXgMNrCzIMVcgEJAstJeonj1"},
		{"SHA-crypt", "the minimum number is still observed", "$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHHrsX."},
		// glibc's crypt.
		{"crypt", "", "$6$rounds=1000$saltsalt$VEHSITfYmhRDpD6t31S9LUhNne.FOx10qNSjfu2skYK5wKPYCkdF/995SUbfpqIy5BFbEit9G4aDmW4aq4oX9."},
		{"crypt", strings.Repeat("x", 300), "$6$rounds=1000$saltsalt$GDffAJo2GFFUij0DgA9ukvVzto/t30YJiZVbnYiua82IdBPyTJ6jRddgA3tQaeLs9Hy752k4wPF6AKHrk2HlM."},
		{"crypt", strings.Repeat("x", 300), "$5$rounds=1000$saltsalt$mJeEOnCEBKqXSFBHQ7htV4JTVwaN1w6.NqPKKT08i53"},
		{"crypt", "U*U", "$2a$04$CCCCCCCCCCCCCCCCCCCCC.K7Qr0se1MxuggH4aP4YgB.U2Em1pGSK"},
		{"crypt", "U*U", "$2b$04$CCCCCCCCCCCCCCCCCCCCC.K7Qr0se1MxuggH4aP4YgB.U2Em1pGSK"},
		{"crypt", "pässwörd ☃", "$2y$04$CCCCCCCCCCCCCCCCCCCCC.txSdvxkeMl2/jgY9EniwEHPfFFoFE1S"},
		// The first vector of crypt_blowfish.
		{"crypt_blowfish", "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
		// The reference implementation of Argon2, its file src/test.c.
		{"argon2", "password", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8"},
		{"argon2", "password", "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E"},
		// Python's hashlib, in the form that Werkzeug stores.
		{"hashlib", "open sesame", "pbkdf2:sha512:1000$saltsalt$ba4ea3f88edcda3abc059414c7f664619b735a62eb101bc54b94e819a9734b87175549003b10ccc0cc9c6dc911317fc61b6677cc77181e231bec7b72d1062f0b"},
		{"hashlib", "open sesame", "scrypt:16:2:3$saltsalt$33f78721019f471169992d44af05bf7e44a983b9ccda6d11ee48b515e3a2fbb77a9559ff7491520dde9acfe26e29cccf0f03301491322635ee779401f5b33873"},
	} {
		stored := domain.NewPasswordHash(c.hash)
		if err := password.Check(stored); err != nil {
			t.Errorf("%s, %s: Check says %v", c.source, c.hash, err)
		}
		if ok, stale := matches(t, h, c.password, stored); !ok || !stale {
			t.Errorf("%s, %s: got ok %v, stale %v", c.source, c.hash, ok, stale)
		}
		for _, wrong := range []string{c.password + "x", strings.ToUpper(c.password) + " ", c.hash} {
			if ok, _ := matches(t, h, wrong, stored); ok {
				t.Errorf("%s, %s: %.20q matches", c.source, c.hash, wrong)
			}
		}
	}
}

func TestAHashFromElsewhereIsOfWhatWasTyped(t *testing.T) {
	h := password.New(password.Config{Cost: cheap})
	stored := domain.NewPasswordHash("$6$rounds=1000$saltsalt$6u2xX2Fwbi4u0kpJLcohVIUe1xsBBoqXiNX0AFC/YeMP6iqauKUjJBV.uiqp.7gwz86lEiCfzHTm.gu4jfQFU.")
	if ok, _ := matches(t, h, "cafe\u0301", stored); !ok {
		t.Error("the form that was hashed does not match")
	}
	if ok, _ := matches(t, h, "caf\u00e9", stored); ok {
		t.Error("another form matches")
	}
}

// A password that is longer than bcrypt can tell is compared as its makers cut it.
func TestBcryptKnowsTheFirst72BytesOfAPassword(t *testing.T) {
	h := password.New(password.Config{Cost: cheap})
	stored := domain.NewPasswordHash("$2y$04$CCCCCCCCCCCCCCCCCCCCC.mDyzbhj.9K0apb9O/AGMWwoLXiYAu6u")
	for text, want := range map[string]bool{
		strings.Repeat("a", 71):              false,
		strings.Repeat("a", 72):              true,
		strings.Repeat("a", 80) + "b":        true,
		strings.Repeat("a", 71) + "b":        false,
		strings.Repeat("a", 72) + "\x00":     false,
		strings.Repeat("a", 1025):            false, // more than any password may have
		strings.Repeat("a", 71) + "\x00aaaa": false,
	} {
		if ok, _ := matches(t, h, text, stored); ok != want {
			t.Errorf("with %d bytes: got %t, want %t", len(text), ok, want)
		}
	}
}

// bcrypt repeats a short password with a NUL after it until it has 72 bytes, so
// these two would be the same one.
func TestNoPasswordWithANULMatchesBcrypt(t *testing.T) {
	h := password.New(password.Config{Cost: cheap})
	stored := domain.NewPasswordHash("$2b$04$CCCCCCCCCCCCCCCCCCCCC.K7Qr0se1MxuggH4aP4YgB.U2Em1pGSK")
	if ok, _ := matches(t, h, "U*U\x00U*U", stored); ok {
		t.Error("it matches")
	}
}

// The work of sha-crypt grows with the password: rounds times bytes are bounded.
func TestAPasswordThatSHACryptWouldDigestTooLongMatchesNothing(t *testing.T) {
	h := password.New(password.Config{Cost: cheap})
	long := strings.Repeat("a", 511)
	for name, c := range map[string]struct {
		hash string
		want bool
	}{
		"at the bound":                          {"$6$rounds=262657$saltsalt$8cqYjni0/dIw4QBGNOViTcD4ck4OFbAiXnb9sHQ8VWHxCDliigPyVCZSSVtggy7XUXVFVojEKw1EGEQQw3j471", true},
		"one round beyond":                      {"$6$rounds=262658$saltsalt$R/2m2aDIevK0M8Weeoibgm85rjSScl2j//PQFeP71ajH8oLkX3q61LuVp4yIMSNod3w47PiU6t8i2KIp48m1h/", false},
		"beyond, and of what is hashed instead": {"$6$rounds=262658$saltsalt$M/ZRwkQKv4KCKPoAzH15xG3uPeJJzTWol65dKDOYLHHjsW1Vzz/d.eUor7EN9jOm1NTUYarODrGxU6NneRcFM1", false},
	} {
		if ok, _ := matches(t, h, long, domain.NewPasswordHash(c.hash)); ok != c.want {
			t.Errorf("%s: got %t, want %t", name, ok, c.want)
		}
	}
}

func TestAHashThatIsNotComparedIsToldWhyAndNothingOfItIsRepeated(t *testing.T) {
	const (
		salt = "$hunter2$"
		key  = "hunter2hunter2hunter2hunter2hunter2hunter2" // of sha256_crypt, but for its last character
	)
	hex := func(size int) string { return strings.Repeat("0", 2*size) }
	bcrypt := func(cost string) string { return "$2b$" + cost + "$" + strings.Repeat("h", 52) + "u" }
	argon2 := func(cost string) string {
		return "$argon2i$v=19$" + cost + "$hunter2hunter2AA$" + strings.Repeat("A", 43)
	}
	for text, want := range map[string]error{
		"":                                          password.ErrUnknownFormat,
		"hunter2":                                   password.ErrUnknownFormat,
		"plain$$hunter2":                            password.ErrUnknownFormat,
		"sha1" + salt + hex(20):                     password.ErrUnknownFormat,
		"md5" + salt + hex(16):                      password.ErrUnknownFormat,
		"pbkdf2_sha256$1000" + salt + hex(32):       password.ErrUnknownFormat,
		"$1" + salt + "hunter2hunter2hunter2h":      password.ErrUnknownFormat,
		"$2x$04$" + strings.Repeat("h", 53):         password.ErrUnknownFormat,
		"$2$04$" + strings.Repeat("h", 53):          password.ErrUnknownFormat,
		"$argon2d$v=19$m=64,t=1,p=1$hunter2hunter2": password.ErrUnknownFormat,
		" $5" + salt + key + "1":                    password.ErrUnknownFormat,

		"sha256" + salt + hex(32):                           nil,
		"sha256" + salt + hex(31):                           password.ErrMalformed,
		"sha256" + salt + hex(31) + "AA":                    password.ErrMalformed,
		"sha256" + salt + hex(31) + "hu":                    password.ErrMalformed,
		"sha256" + salt + hex(32) + "\n":                    password.ErrMalformed,
		"sha256" + salt + hex(32) + "$":                     password.ErrMalformed,
		"sha256$$" + hex(32):                                password.ErrMalformed,
		"sha256$hunter 2$" + hex(32):                        password.ErrMalformed,
		"sha256$hunterß$" + hex(32):                         password.ErrMalformed,
		"sha256$" + strings.Repeat("h", 64) + "$" + hex(32): nil,
		"sha256$" + strings.Repeat("h", 65) + "$" + hex(32): password.ErrMalformed,
		"sha256" + salt + hex(1<<20):                        password.ErrMalformed,

		"pbkdf2:sha1:1" + salt + hex(20):                      nil,
		"pbkdf2:sha256:2000000" + salt + hex(32):              nil,
		"pbkdf2:sha512:2000000" + salt + hex(64):              nil,
		"pbkdf2:sha256:2000001" + salt + hex(32):              password.ErrTooCostly,
		"pbkdf2:sha256:18446744073709551616" + salt + hex(32): password.ErrTooCostly,
		"pbkdf2:sha256:18446744073709551617" + salt + hex(32): password.ErrTooCostly,
		"pbkdf2:sha256:0" + salt + hex(32):                    password.ErrMalformed,
		"pbkdf2:sha256:-1" + salt + hex(32):                   password.ErrMalformed,
		"pbkdf2:sha256:+1" + salt + hex(32):                   password.ErrMalformed,
		"pbkdf2:sha256:01" + salt + hex(32):                   password.ErrMalformed,
		"pbkdf2:sha256:1e3" + salt + hex(32):                  password.ErrMalformed,
		"pbkdf2:sha256:" + salt + hex(32):                     password.ErrMalformed,
		"pbkdf2:sha256" + salt + hex(32):                      password.ErrMalformed,
		"pbkdf2:sha256:1000:1" + salt + hex(32):               password.ErrMalformed,
		"pbkdf2:hunter2:1000" + salt + hex(32):                password.ErrMalformed,
		"pbkdf2:SHA256:1000" + salt + hex(32):                 password.ErrMalformed,
		"pbkdf2:sha512:1000" + salt + hex(32):                 password.ErrMalformed,
		"pbkdf2:sha256:1000$$" + hex(32):                      password.ErrMalformed,
		"pbkdf2:":                                             password.ErrMalformed,

		"scrypt:2:1:1" + salt + hex(64):                    nil,
		"scrypt:131072:8:1" + salt + hex(64):               nil,
		"scrypt:8192:8:10" + salt + hex(64):                nil,
		"scrypt:131072:8:2" + salt + hex(64):               password.ErrTooCostly,
		"scrypt:262144:8:1" + salt + hex(64):               password.ErrTooCostly,
		"scrypt:1073741824:8:1" + salt + hex(64):           password.ErrTooCostly,
		"scrypt:32768:1048577:1" + salt + hex(64):          password.ErrTooCostly,
		"scrypt:1048576:1048576:1048576" + salt + hex(64):  password.ErrTooCostly,
		"scrypt:2:1:18446744073709551617" + salt + hex(64): password.ErrTooCostly,
		"scrypt:1:8:1" + salt + hex(64):                    password.ErrMalformed,
		"scrypt:32767:8:1" + salt + hex(64):                password.ErrMalformed,
		"scrypt:32768:0:1" + salt + hex(64):                password.ErrMalformed,
		"scrypt:32768:8:0" + salt + hex(64):                password.ErrMalformed,
		"scrypt:32768:8" + salt + hex(64):                  password.ErrMalformed,
		"scrypt" + ":" + salt + hex(64):                    password.ErrMalformed,
		"scrypt:32768:8:1" + salt + hex(63):                password.ErrMalformed,

		"$5" + salt + key + "1":                              nil,
		"$5$rounds=1000" + salt + key + "1":                  nil,
		"$5$rounds=1000000" + salt + key + "D":               nil,
		"$5$rounds=1000001" + salt + key + "1":               password.ErrTooCostly,
		"$6$rounds=999999999" + salt + key + "h" + key + "1": password.ErrTooCostly,
		"$5$rounds=999" + salt + key + "1":                   password.ErrMalformed,
		"$5$rounds=05000" + salt + key + "1":                 password.ErrMalformed,
		"$5$rounds=" + salt + key + "1":                      password.ErrMalformed,
		"$5$rounds=5000":                                     password.ErrMalformed,
		"$5$rounds=5000" + salt + "x$" + key + "1":           password.ErrMalformed,
		"$5$$" + key + "1":                                   password.ErrMalformed,
		"$5$hunter2hunter2hun$" + key + "1":                  password.ErrMalformed,
		"$5" + salt + key + "E":                              password.ErrMalformed, // a spare bit
		"$5" + salt + key[:41] + "1":                         password.ErrMalformed,
		"$5" + salt + key[:41] + "-1":                        password.ErrMalformed,
		"$6" + salt + key + "h" + key + "1":                  nil,
		"$6" + salt + key + "h" + key + "2":                  password.ErrMalformed, // a spare bit
		"$6" + salt:                                          password.ErrMalformed,
		"$6$":                                                password.ErrMalformed,

		bcrypt("04"):                        nil,
		bcrypt("14"):                        nil,
		bcrypt("15"):                        password.ErrTooCostly,
		bcrypt("31"):                        password.ErrTooCostly,
		bcrypt("03"):                        password.ErrMalformed,
		bcrypt("32"):                        password.ErrMalformed,
		bcrypt("1x"):                        password.ErrMalformed,
		bcrypt("+9"):                        password.ErrMalformed,
		"$2y$":                              password.ErrMalformed,
		"$2b$10$" + strings.Repeat("h", 52): password.ErrMalformed,
		"$2b$10$" + strings.Repeat("h", 54): password.ErrMalformed,
		"$2b$10$" + strings.Repeat("h", 53): password.ErrMalformed, // a spare bit
		"$2b$10$hunter2+" + strings.Repeat("u", 45): password.ErrMalformed,
		"$2b$10x" + strings.Repeat("u", 53):         password.ErrMalformed,

		argon2("m=64,t=1,p=1"):          nil,
		argon2("m=262144,t=4,p=16"):     nil,
		argon2("m=262145,t=1,p=1"):      password.ErrTooCostly,
		argon2("m=64,t=17,p=1"):         password.ErrTooCostly,
		argon2("m=262144,t=5,p=1"):      password.ErrTooCostly,
		argon2("m=262144,t=1,p=17"):     password.ErrTooCostly,
		argon2("m=4294967360,t=1,p=1"):  password.ErrTooCostly,
		argon2("m=64,t=1,p=9"):          password.ErrMalformed,
		argon2("m=064,t=1,p=1"):         password.ErrMalformed,
		argon2("m=64,t=1,p=hunter2"):    password.ErrMalformed,
		argon2("m=64,t=1,p=1") + "$":    password.ErrMalformed,
		"$argon2i$m=64,t=1,p=1$hunter2": password.ErrMalformed,
	} {
		err := password.Check(domain.NewPasswordHash(text))
		if !errors.Is(err, want) {
			t.Errorf("%.100q: got %v, want %v", text, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || len(err.Error()) > 150) {
			t.Errorf("%.100q is told in full: %v", text, err)
		}
	}
}

func TestHashesFromElsewhereStandBehindTheGateToo(t *testing.T) {
	h := password.New(password.Config{Cost: cheap, Running: 2, Waiting: 4})
	stored := domain.NewPasswordHash(sesame)
	start := make(chan struct{})
	var let, refused, other atomic.Int64
	var callers sync.WaitGroup
	for range 1000 {
		callers.Go(func() {
			<-start
			switch ok, _, err := h.Matches(t.Context(), domain.NewPassword("open sesame"), stored); {
			case err == nil && ok:
				let.Add(1)
			case errors.Is(err, domain.ErrBusy) && !ok:
				refused.Add(1)
			default:
				other.Add(1)
			}
		})
	}
	close(start)
	callers.Wait()
	if s := h.Stats(); s.Highest > 2 || s.Refused != refused.Load() || let.Load() < 6 || other.Load() != 0 {
		t.Errorf("got %+v, %d served, %d refused, %d otherwise", s, let.Load(), refused.Load(), other.Load())
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := h.Matches(over, domain.NewPassword("open sesame"), stored); !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller's time: got %v", err)
	}
}
