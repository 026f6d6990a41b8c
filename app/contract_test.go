package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// contract is what clients of the older APIs rely on, line by line, and each with an id.
const contract = "../docs/older-apis.md"

var (
	lineID     = regexp.MustCompile(`\b(A|S[0-3])-[1-9][0-9]*\b`)
	lineWithID = regexp.MustCompile(`^(?:\| |- |### )?((?:A|S[0-3])-[1-9][0-9]*)(?: \||:)`)
)

// speakers are the dialects whose conversations show the lines of a section, by what
// their ids begin with. What all older APIs share, each shows for itself.
var speakers = map[string][]string{
	"A":  {"fleet", "library", "signup", "skeleton"},
	"S0": {"fleet"},
	"S1": {"skeleton"},
	"S2": {"signup"},
	"S3": {"library"},
}

// elsewhere are the tests, by folder, of what a line says and no conversation shows:
// because replicas, races, costs or starts are in it, or a body that nobody would read.
var elsewhere = map[string][]string{
	"A-1":   {"adapters/httpapi/wire.TestAnswersAreJSONWithALineFeed"},
	"A-4":   {"app.FuzzFleet", "app.FuzzSkeleton", "app.FuzzSignup", "app.FuzzLibrary"},
	"A-5":   {"adapters/httpapi/dialects/fleet.TestABodyBeyondAllBoundsIsNotRead", "adapters/httpapi/dialects/skeleton.TestWhatIsBeyondABoundIsAClientsMistake"},
	"A-7":   {"app.TestFleetsRefreshTokensAreGoodAtFleetAlone", "app.TestTokensOfV1AreNoneOfOlderAPIs", "app.TestALogoutEndsOneTokenEverywhere"},
	"S0-1":  {"cmd/keyport.TestNumbersOfTheDemo"},
	"S0-30": {"app.TestALogoutEndsOneTokenEverywhere", "domain/tokens.TestATokenStaysRefusedForAsLongAsItLives", "adapters/postgres.TestAfterACrashOfTheServerNothingIsMissed"},
	"S0-43": {"adapters/httpapi/dialects/fleet.TestUserFieldsAreReadAsMarshmallowReadsThem"},
	"S0-55": {"app.TestNumbersAreTheSameOnReplicasAndNeverUsedAgain", "adapters/postgres.TestReplicasNumberOneSeries"},
	"S0-57": {"adapters/httpapi/dialects/fleet.TestLocationIsAPathBelowTheBase"},
	"S1-7":  {"adapters/httpapi/dialects/skeleton.TestWhatIsBeyondABoundIsAClientsMistake"},
	"S1-19": {"domain/accounts.TestALoginIsWonByOneOfMany"},
	"S2-12": {"app.TestNobodyLearnsWhoHasAnAccount", "adapters/password.TestRefusingTakesTheMemoryOfAHashWhateverTheReason"},
	"S3-12": {"app.TestNobodyLearnsWhoHasAnAccount"},
}

// TestContractIsShownLineByLine holds that of the contract no line is forgotten: for
// each there is a conversation that names it, or a test elsewhere; and that whoever
// names a line names one that is there.
func TestContractIsShownLineByLine(t *testing.T) {
	lines := contractLines(t)
	named := make(map[string]map[string]bool)
	for _, dialect := range speakers["A"] {
		named[dialect] = namedBy(t, dialect)
		for _, id := range slices.Sorted(maps.Keys(named[dialect])) {
			switch {
			case !lines[id]:
				t.Errorf("a conversation of %s names %s, which is no line of %s", dialect, id, contract)
			case !slices.Contains(speakers[sectionOf(id)], dialect):
				t.Errorf("a conversation of %s names %s, a line of another's", dialect, id)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(lines)) {
		silent := slices.DeleteFunc(slices.Clone(speakers[sectionOf(id)]), func(dialect string) bool { return named[dialect][id] })
		nobody := len(silent) == len(speakers[sectionOf(id)])
		if len(silent) > 0 && (!nobody || elsewhere[id] == nil) {
			t.Errorf("no conversation of %s names %s", strings.Join(silent, ", "), id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(elsewhere)) {
		if !lines[id] {
			t.Errorf("%v are said to show %s, which is no line of %s", elsewhere[id], id, contract)
		}
		for _, test := range elsewhere[id] {
			dot := strings.LastIndexByte(test, '.')
			if folder, name := test[:dot], test[dot+1:]; !slices.Contains(testsIn(t, folder), name) {
				t.Errorf("%s is said to be shown by %s, and there is no such test in %s", id, name, folder)
			}
		}
	}
}

func sectionOf(id string) string { return lineID.FindStringSubmatch(id)[1] }

// contractLines returns the ids of the contract. It finds fault with those that are
// given twice, and with rows and items of its sections that have none.
func contractLines(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(contract)
	if err != nil {
		t.Fatal(err)
	}
	lines, inside, n := make(map[string]bool), false, 0
	for line := range strings.Lines(string(text)) {
		n++
		if strings.HasPrefix(line, "## ") {
			inside = strings.HasPrefix(line, "## What all") || strings.HasPrefix(line, "## S")
		}
		m := lineWithID.FindStringSubmatch(line)
		switch {
		case m != nil && lines[m[1]]:
			t.Errorf("%s:%d: %s is the id of another line", contract, n, m[1])
		case m != nil:
			lines[m[1]] = true
		case inside && (strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| id |")):
			t.Errorf("%s:%d: the line has no id", contract, n)
		}
	}
	return lines
}

// namedBy returns the ids that stand in remarks of a dialect's conversations, above a
// request.
func namedBy(t *testing.T, dialect string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("testdata/" + dialect + "/*.http")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations of", dialect, err)
	}
	named := make(map[string]bool)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var above []string
		for line := range strings.Lines(string(text)) {
			switch line[0] {
			case '#':
				above = append(above, lineID.FindAllString(line, -1)...)
			case '>':
				for _, id := range above {
					named[id] = true
				}
				above = nil
			}
		}
	}
	return named
}

// testsIn returns the names of the tests, fuzz targets among them, in a folder.
func testsIn(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob("../" + folder + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Fuzz")) {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}
