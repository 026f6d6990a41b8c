package porttest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/ports"
)

func TestModelTellsStoresApart(t *testing.T) {
	for _, name := range []string{
		"compares logins as they are spelled", "cannot take roles away", "updates whatever the revision", "leaves the time of a password's change",
		"fails to rehash what has changed", "removes records with their owner", "removes whatever the revision",
		"ends a reused session in silence", "tells the end of a session by a clock of its own",
		"posts values of 32 bits", "posts the first change alone", "posts past the transaction", "forgets at the time itself", "does not count what it forgets",
		"opens for an old password", "opens for the suspended", "lets a reused session live", "lets the grace last a moment longer",
		"lets idle sessions last a moment longer", "lets a session act at its end", "lists a session at its end", "ends anybody's session",
		"spares nobody", "prunes at the end itself", "keeps the old rules", "makes way for other unique fields", "reads data through floats",
		"filters after the limit", "tells what it comes upon first", "names one field at fault", "replaces into a taken key",
		"keeps no address that a session is seen at", "sees sessions a moment early", "does not remove who has access keys",
		"adds an access key at the end of a session", "adds an access key for who was signed in", "adds an access key for the suspended",
		"finds an access key as it expires", "lists an access key as it expires", "ends anybody's access key",
		"does not count the access keys that it ends", "keeps no address of an access key", "sees access keys a moment early",
		"prunes access keys as they expire", "returns the key that it is given", "keeps one key a use", "lists keys by id",
		"replaces more of a key than its seal", "seals a key that is not there with success", "forgets a key that is not there with success",
		"reads the first of several accounts", "sets logins whatever the revision", "takes logins from others", "leaves the time of another login",
		"opens every session to rotate", "stops the renewal of anybody's session", "ends a session that is renewed no more",
		"lengthens a session that is renewed no more",
		"counts all series together", "numbers things in the order of their ids", "answers in the order of numbers",
		"counts only the accounts that are there", "forgets the numbers of accounts that are gone", "begins a list of numbers at the given one",
		"has everything been posted", "goes by the subject alone",
		"goes on from the time alone", "takes the time of creation for that of the last change", "takes the upper bound in",
		"forgets whose records it walks by index", "passes the rest of a key by", "wants every word whole", "is content with the last word", "keeps no words",
		"leaves a record where it stood", "looks at however many records", "looks at however few records for a word that few have",
		"counts however many records it looks at", "counts whatever the words are",
		"tells of every removal", "tells of no change", "enters nothing", "enters whatever the revision",
		"keeps the old indexes", "keeps unique fields however few there are to be", "holds whatever the revision",
		"removes a collection whatever the revision", "removes a collection with its records",
		"keeps what a failed transaction wrote", "breaks a transaction off at a failure",
	} {
		i := slices.IndexFunc(liars, func(l liar) bool { return l.name == name })
		if i < 0 {
			t.Fatalf("there is no liar that %s", name)
		}
		told := slices.ContainsFunc([]uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, func(seed uint64) bool {
			return playRound(t.Context(), seed, []ports.Store{new(fake.Store), liars[i].open()}) != nil
		})
		if !told {
			t.Errorf("the model does not notice a store that %s", name)
		}
	}
}

func TestModelComesUponEveryOutcome(t *testing.T) {
	var answers strings.Builder
	for seed := range uint64(rounds) {
		d, s := dealer{Rand: rand.New(rand.NewPCG(seed, 0))}, new(fake.Store)
		for range moves {
			play, _ := d.turn()
			answers.WriteString(play(t.Context(), s))
		}
	}
	for _, outcome := range []string{
		"login-taken", "account-not-found", "stale-revision", "credential-changed", "session-not-found",
		"access-key-not-found", "key-not-found", "collection-not-found", "collection-exists", "collection-changed", "collection-in-use",
		"record-not-found", "record-exists", "not-unique",
		"too-broad", "import-not-found", "import-moved",
		"number-not-found", "verdict 0", "verdict 1", "verdict 2", "verdict 3",
	} {
		if n := strings.Count(answers.String(), outcome); n < 4 {
			t.Errorf("%s came up %d times", outcome, n)
		}
	}
	if strings.Contains(answers.String(), "an accident") {
		t.Error("a move ended in an accident")
	}
}
