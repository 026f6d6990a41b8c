package password_test

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/keyport-go/keyport/adapters/password"
	"github.com/keyport-go/keyport/domain"
)

// A vector is a line of testdata/hashes.json: hashes made by the libraries that
// users bring them from, and some that nobody should take.
type vector struct {
	Format   string
	MadeWith string `json:"made_with"`
	Password string
	Hash     string
	Match    bool
	Reject   bool
}

func vectors(t *testing.T) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/hashes.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheHashesThatUsersBringAlong(t *testing.T) {
	const memory = 1 << 20
	h := password.New(password.Config{Cost: password.Cost{Memory: memory >> 10, Time: 1, Lanes: 1}})
	var matched, missed, refused int
	for i, v := range vectors(t) {
		t.Run(fmt.Sprintf("%d, %s of %s", i, v.Format, v.MadeWith), func(t *testing.T) {
			stored := domain.NewPasswordHash(v.Hash)
			if err := password.Check(stored); (err != nil) != v.Reject {
				t.Errorf("Check says %v", err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			ok, stale := matches(t, h, v.Password, stored)
			runtime.ReadMemStats(&after)
			switch {
			case v.Reject:
				refused++
				// One Argon2id of the usual cost, and nothing of what was asked for.
				if got := after.TotalAlloc - before.TotalAlloc; got < memory || got > memory+memory/4 {
					t.Errorf("it took %d bytes, want those of one hash, %d", got, memory)
				}
			case v.Match:
				matched++
				if !stale {
					t.Error("it is not stale")
				}
			default:
				missed++
			}
			if ok != v.Match {
				t.Errorf("got %t, want %t", ok, v.Match)
			}
		})
	}
	if matched != 16 || missed != 8 || refused != 8 {
		t.Errorf("got %d that match, %d that do not, %d refused: the file has others", matched, missed, refused)
	}
}
