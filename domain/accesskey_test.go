package domain_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

const accessKeyID domain.AccessKeyID = "01900000-0000-7abc-8def-0123456789af"

// random is the random part of the keys here.
var random = [32]byte{0: 0xfb, 1: 0xff, 15: 7, 31: 0xfe}

func TestTheTextOfAnAccessKeySaysWhichKeyItIs(t *testing.T) {
	text, digest := domain.NewAccessKeyText(accessKeyID, random)
	if got := fmt.Sprint(text); got != "[secret]" {
		t.Errorf("it prints as %s", got)
	}
	if want := "kpk_AZAAAAAAeryN7wEjRWeJr_v_AAAAAAAAAAAAAAAAAAcAAAAAAAAAAAAAAAAAAAD-"; text.Reveal() != want {
		t.Errorf("it is %s, want %s", text.Reveal(), want)
	}
	if digest != sha256.Sum256([]byte(text.Reveal())) {
		t.Error("its digest is not the SHA-256 of the text")
	}
	id, again, ok := domain.ParseAccessKey(text.Reveal())
	if !ok || id != accessKeyID || !again.Equal(digest) {
		t.Errorf("it is read as %s, %x, %t", id, again, ok)
	}
}

func TestAnAccessKeyIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")
		random := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "random"))
		id, err := domain.ParseAccessKeyID(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
		if err != nil {
			t.Fatal(err)
		}
		text, digest := domain.NewAccessKeyText(id, random)
		if read, again, ok := domain.ParseAccessKey(text.Reveal()); !ok || read != id || again != digest {
			t.Fatalf("%s of %s is read as %s, %t", text.Reveal(), id, read, ok)
		}
	})
}

// Whichever bit of the text is altered, it is no key, or the digest is another one.
func TestAnAccessKeyWithAnotherBitIsAnotherKey(t *testing.T) {
	text, digest := domain.NewAccessKeyText(accessKeyID, random)
	for i := range len(text.Reveal()) {
		for bit := range 8 {
			altered := []byte(text.Reveal())
			altered[i] ^= 1 << bit
			id, other, ok := domain.ParseAccessKey(string(altered))
			if !ok && (id != "" || other != domain.AccessKeyDigest{}) {
				t.Errorf("%q is refused, and read as %s", altered, id)
			}
			if ok && other.Equal(digest) {
				t.Errorf("%q is taken for the key", altered)
			}
		}
	}
}

func TestWhatIsNoAccessKey(t *testing.T) {
	secret, _ := domain.NewAccessKeyText(accessKeyID, random)
	good := secret.Reveal()
	rest := strings.TrimPrefix(good, "kpk_")
	for _, c := range []struct{ name, text string }{
		{"nothing", ""},
		{"the prefix alone", "kpk_"},
		{"the rest alone", rest},
		{"the prefix of refresh tokens", "kpr_" + rest},
		{"the prefix in capitals", "KPK_" + rest},
		{"the prefix twice", "kpk_" + good},
		{"a space before", " " + good},
		{"a space behind", good + " "},
		{"a character less", good[:len(good)-1]},
		{"four characters less", good[:len(good)-4]},
		{"a character more", good + "A"},
		{"four characters more", good + "AAAA"},
		{"padding", good + "="},
		{"padding in its place", good[:len(good)-1] + "="},
		{"the other alphabet", strings.ReplaceAll(good, "-", "+")},
		{"a line end behind", good + "\n"},
		{"a line end within", good[:20] + "\n" + good[20:]},
		{"a line end in its place", good[:20] + "\n" + good[21:]},
		{"four line ends in their places", good[:20] + "\r\n\r\n" + good[24:]},
		{"a NUL in its place", good[:20] + "\x00" + good[21:]},
		{"a letter of another alphabet", good[:20] + "é" + good[22:]},
		{"a token", "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"},
		{"very much", "kpk_" + strings.Repeat("A", 1<<20)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if id, digest, ok := domain.ParseAccessKey(c.text); ok || id != "" || digest != (domain.AccessKeyDigest{}) {
				t.Errorf("%.100q is read as the key %s", c.text, id)
			}
		})
	}
}

func TestWhatLooksLikeAnAccessKeyIsJudgedAsOne(t *testing.T) {
	for text, want := range map[string]bool{
		"kpk_": true, "kpk_x": true, "kpr_x": false, "KPK_x": false, "kpk": false, "": false, " kpk_x": false, "eyJ.e30.x": false,
	} {
		if domain.IsAccessKey(text) != want {
			t.Errorf("%q looks like one: %t", text, !want)
		}
	}
}

func TestDigestsDifferInAnyBit(t *testing.T) {
	_, digest := domain.NewAccessKeyText(accessKeyID, random)
	if !digest.Equal(digest) || digest.Equal(domain.AccessKeyDigest{}) {
		t.Error("a digest is not itself, or is nothing")
	}
	for i := range digest {
		other := digest
		other[i] ^= 0x80
		if digest.Equal(other) || other.Equal(digest) {
			t.Errorf("byte %d does not count", i)
		}
	}
}

func TestAnAccessKeyLivesUntilItExpires(t *testing.T) {
	k := domain.AccessKey{Created: noon, Expires: noon.Add(time.Hour)}
	for _, c := range []struct {
		name string
		key  domain.AccessKey
		now  time.Time
		want bool
	}{
		{"at first", k, noon, true},
		{"a microsecond before", k, k.Expires.Add(-time.Microsecond), true},
		{"at that instant", k, k.Expires, false},
		{"later", k, k.Expires.Add(time.Hour), false},
		{"one that does not expire", domain.AccessKey{Created: noon}, noon.AddDate(1000, 0, 0), true},
	} {
		if c.key.Live(c.now) != c.want {
			t.Errorf("%s it lives: %t", c.name, !c.want)
		}
	}
}

func TestAnAccessKeyHasAName(t *testing.T) {
	for _, good := range []string{"x", "nightly backup", "Zoë’s phone", strings.Repeat("é", domain.MaxName)} {
		if got, err := domain.ParseAccessKeyName(good); err != nil || got != good {
			t.Errorf("%q is read as %q, %v", good, got, err)
		}
	}
	for _, bad := range []string{"", " ", " x", "x ", "a\nb", "a\x00b", "\xff", strings.Repeat("é", domain.MaxName+1)} {
		got, err := domain.ParseAccessKeyName(bad)
		blames(t, err, domain.ErrInvalidName, "/name invalid-name")
		if got != "" {
			t.Errorf("%q is read as %q", bad, got)
		}
	}
}

func FuzzParseAccessKey(f *testing.F) {
	good, _ := domain.NewAccessKeyText(accessKeyID, random)
	for _, s := range []string{"", "kpk_", good.Reveal(), good.Reveal() + "\n", "kpr_" + good.Reveal()[4:], "kpk_" + strings.Repeat("_", 64), "kpk_" + strings.Repeat("\n", 64)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, digest, ok := domain.ParseAccessKey(s)
		if !ok {
			if id != "" || digest != (domain.AccessKeyDigest{}) {
				t.Fatalf("%q is refused, and read as %s", s, id)
			}
			return
		}
		if read, err := domain.ParseAccessKeyID(string(id)); err != nil || read != id || !domain.IsAccessKey(s) {
			t.Fatalf("%q is a key of %q", s, id)
		}
		// What is read is what would be written of the same bytes: there is one
		// spelling.
		b, err := base64.RawURLEncoding.Strict().DecodeString(s[4:])
		if err != nil || len(b) != 48 || !bytes.Equal(digest[:], sum(s)) {
			t.Fatalf("%q: %v", s, err)
		}
		if text, again := domain.NewAccessKeyText(id, [32]byte(b[16:])); text.Reveal() != s || again != digest {
			t.Fatalf("%q is written %q", s, text.Reveal())
		}
	})
}

func sum(s string) []byte {
	d := sha256.Sum256([]byte(s))
	return d[:]
}
