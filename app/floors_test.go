package app_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/keyport-go/keyport/"

var (
	services = []string{"domain/accounts", "domain/tokens", "domain/resources", "domain/numbers", "domain/receipts"}
	libChi   = "github.com/go-chi/chi/v5/..."
	libHuma  = "github.com/danielgtaylor/huma/v2/..."
	libJSON  = "github.com/go-json-experiment/json/..."
	libPgx   = "github.com/jackc/pgx/v5/..."
	libGoose = "github.com/pressly/goose/v3/..."
)

// floors says what each folder may import beside the standard library: rooms of
// this house, and libraries by their full path. "x/..." is x and all below it.
// The longest prefix of a package's path decides, and a folder that has none may
// import nothing: a new package is first placed here, and then written.
var floors = map[string][]string{
	// Floor 1: the nouns, their rules, their errors.
	"domain": {"golang.org/x/text/..."},

	// Floor 2: what the verbs ask of the world.
	"ports":          {"domain"},
	"ports/porttest": {"domain", "ports", "pgregory.net/rapid", "github.com/google/go-cmp/..."},

	// Floor 3: the verbs. They do not know one another.
	"domain/accounts":  {"domain", "ports"},
	"domain/tokens":    {"domain", "ports"},
	"domain/resources": {"domain", "ports"},
	"domain/numbers":   {"domain", "ports"},
	"domain/receipts":  {"domain", "ports"},

	// Floor 4, driven: each serves a port with a library of its own. They know
	// neither a service nor one another.
	"adapters/cel/celtest":     {"domain", "pgregory.net/rapid"},
	"adapters/cel":             {"domain", "ports", "cel.dev/cel-go/..."},
	"adapters/fake":            {"domain", "ports"},
	"adapters/jose":            {"domain", "ports", libJSON, "github.com/lestrrat-go/jwx/v2/...", "github.com/maypok86/otter/v2", "golang.org/x/crypto/..."},
	"adapters/password":        {"domain", "ports", "golang.org/x/crypto/...", "golang.org/x/text/...", "github.com/go-crypt/x/..."},
	"adapters/postgres":        {"domain", "ports", libPgx, libGoose},
	"adapters/postgres/pgtest": {libPgx},
	"adapters/schema":          {"domain", "ports", "github.com/santhosh-tekuri/jsonschema/v6/...", libJSON, "golang.org/x/text/language", "golang.org/x/text/message"},
	"adapters/sqlite/litetest": {"domain", "adapters/sqlite"},
	"adapters/sqlite":          {"domain", "ports", "modernc.org/sqlite/...", libGoose},
	"adapters/telemetry":       {"domain", "ports", "github.com/prometheus/client_golang/...", "go.opentelemetry.io/otel/..."},

	// Floor 4, on the far side of Keyport's own doors: what other services check
	// tokens with. It reads them with the same parser as Keyport.
	"adapters/verify": {"domain", "adapters/jose", libJSON},

	// Floor 4, driving: HTTP calls services; it holds no store and no key, and
	// dialects share through wire alone.
	"adapters/httpapi":          with(services, "domain", "adapters/httpapi/...", libChi, "github.com/rs/cors"),
	"adapters/httpapi/dialects": with(services, "domain", "adapters/httpapi/wire", libChi, libJSON),
	"adapters/httpapi/manual":   {"domain", "adapters/httpapi/wire", libChi, libHuma},
	"adapters/httpapi/v1":       with(services, "domain", "adapters/httpapi/wire", libChi, libJSON, libHuma),
	"adapters/httpapi/wire":     with(services, "domain", libChi, libJSON),

	// Floor 5: the one place that knows every adapter.
	"app": {
		"domain/...", "ports/...", "adapters/...", "deploy/demo",
		"github.com/google/uuid", "github.com/kelseyhightower/envconfig", "github.com/mattn/go-isatty",
		"golang.org/x/sync/errgroup", "github.com/prometheus/client_golang/...", libChi, libJSON, libPgx,
		"go.yaml.in/yaml/v3",
	},
	"deploy/demo": {},

	// What Keyport is deployed with: their tests read it by the types of those who will.
	"deploy":               {"sigs.k8s.io/yaml"},
	"deploy/k8s":           {"k8s.io/api/...", "k8s.io/apimachinery/...", "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"},
	"deploy/tools/kubectl": {"k8s.io/component-base/cli", "k8s.io/kubectl/pkg/cmd/..."},

	// Floor 6: arguments, signals, exit code. The measuring programs look at
	// Keyport from outside, as a process.
	"cmd/keyport":  {"app"},
	"cmd/bench":    {"cmd/internal/...", "adapters/postgres/pgtest", libChi, libPgx, "golang.org/x/crypto/argon2"},
	"cmd/drill":    {"cmd/internal/...", "adapters/postgres/pgtest", "adapters/verify", "domain", libPgx, libGoose, "github.com/go-jose/go-jose/v4"},
	"cmd/internal": {"cmd/internal/...", "adapters/postgres/pgtest", libPgx},
	"cmd/image":    {"github.com/google/go-containerregistry/..."},

	// A service of somebody else's, as an example.
	"cmd/example": {"domain", "adapters/verify"},
}

// never are the rooms that no production code may enter, whatever stands above.
// Tests may, from any room; so may those of measured: they run no production.
var (
	never    = []string{"adapters/fake", "adapters/cel/celtest", "adapters/postgres/pgtest", "adapters/sqlite/litetest", "ports/porttest"}
	measured = map[string][]string{
		"adapters/postgres/pgtest": {"cmd/bench", "cmd/drill", "cmd/internal"},
	}
)

// forTests are what any test file may import.
var forTests = []string{
	"cmd/internal/process",
	"github.com/anishathalye/porcupine",
	"github.com/coreos/go-oidc/v3/...",
	"github.com/getkin/kin-openapi/...",
	"github.com/google/go-cmp/...",
	"github.com/google/uuid",
	"go.opentelemetry.io/proto/otlp/...",
	"go.uber.org/goleak",
	"go.yaml.in/yaml/v3",
	"google.golang.org/protobuf/proto",
	"pgregory.net/rapid",
}

// outside are the parts of the standard library that speak to the world. The
// floors below leave them to the adapters.
var outside = []string{"database/sql/...", "net/http/...", "os/...", "syscall"}

// apart reports whether a room stands apart from the world. The suites do not: a
// test may be told by the environment what to repeat.
func apart(room string) bool {
	return room != "ports/porttest" && under(room, []string{"domain/...", "ports/..."})
}

func TestFloorsBearOnlyWhatStandsAbove(t *testing.T) {
	err := fs.WalkDir(os.DirFS(".."), ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 1 && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path.Join("..", file), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !may(path.Dir(file), to, strings.HasSuffix(file, "_test.go")) {
				t.Errorf("%s must not import %s", file, to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFloorsCatchWhatIsPlanted(t *testing.T) {
	for _, planted := range []struct {
		room, to string
		test     bool
	}{
		{room: "domain", to: module + "ports"},
		{room: "domain", to: "github.com/google/uuid"},
		{room: "domain", to: "net/http"},
		{room: "domain", to: module + "adapters/fake/nested", test: true},
		{room: "domain/accounts", to: module + "domain/tokens"},
		{room: "domain/accounts", to: module + "domain/tokens", test: true},
		{room: "domain/tokens", to: module + "adapters/jose"},
		{room: "domain/resources", to: "database/sql"},
		{room: "domain/resources", to: "github.com/jackc/pgx/v5"},
		{room: "ports", to: module + "domain/accounts"},
		{room: "ports", to: module + "ports/porttest"},
		{room: "ports", to: "os/exec"},
		{room: "adapters/postgres", to: module + "domain/tokens"},
		{room: "adapters/postgres", to: module + "adapters/sqlite"},
		{room: "adapters/postgres", to: module + "adapters/postgres/pgtest"},
		{room: "adapters/sqlite", to: "github.com/jackc/pgx/v5/pgxpool"},
		{room: "adapters/jose", to: module + "adapters/fake"},
		{room: "adapters/newcomer", to: module + "domain"},
		{room: "adapters/newcomer", to: "github.com/google/uuid"},
		{room: "adapters", to: module + "domain"},
		{room: "adapters/httpapi", to: module + "ports"},
		{room: "adapters/httpapi/v1", to: module + "ports"},
		{room: "adapters/httpapi/v1", to: module + "adapters/postgres"},
		{room: "adapters/httpapi/v1", to: module + "adapters/httpapi"},
		{room: "adapters/httpapi/wire", to: module + "adapters/httpapi/v1"},
		{room: "adapters/httpapi/dialects/fleet", to: module + "adapters/httpapi/dialects/library"},
		{room: "adapters/httpapi/dialects/fleet", to: module + "adapters/httpapi/v1"},
		{room: "adapters/httpapi/v1", to: module + "app"},
		{room: "app", to: module + "adapters/fake"},
		{room: "app", to: module + "ports/porttest"},
		{room: "app", to: module + "adapters/postgres/pgtest"},
		{room: "app", to: module + "cmd/keyport"},
		{room: "app", to: "github.com/lestrrat-go/jwx/v2/jwk"},
		{room: "app", to: "github.com/google/uuidlike"},
		{room: "cmd/keyport", to: module + "adapters/sqlite"},
		{room: "cmd/keyport", to: module + "domain"},
		{room: "cmd/keyport", to: module + "adapters/postgres/pgtest"},
		{room: "cmd/bench", to: module + "app"},
		{room: "cmd/drill", to: module + "adapters/fake"},
		{room: "cmd/example", to: module + "app"},
		{room: "adapters/verify", to: module + "domain/tokens"},
		{room: "adapters/verify", to: module + "ports"},
		{room: "deploy/demo", to: module + "domain"},
		{room: "somewhere/else", to: module + "domain"},
		{room: "domain", to: "go.uber.org/goleak"},
	} {
		if may(planted.room, planted.to, planted.test) {
			t.Errorf("%s may import %s (in a test: %t), which it must not", planted.room, planted.to, planted.test)
		}
	}
}

func TestFloorsLetPassWhatTheyAreFor(t *testing.T) {
	for _, arrow := range []struct {
		room, to string
		test     bool
	}{
		{room: "domain", to: "time"},
		{room: "domain", to: "golang.org/x/text/unicode/norm"},
		{room: "domain/tokens", to: module + "ports"},
		{room: "domain/tokens", to: module + "adapters/fake", test: true},
		{room: "domain/tokens", to: module + "domain/tokens", test: true},
		{room: "ports/porttest", to: module + "ports"},
		{room: "adapters/postgres", to: "github.com/jackc/pgx/v5"},
		{room: "adapters/postgres", to: "github.com/jackc/pgx/v5/pgxpool"},
		{room: "adapters/postgres", to: module + "adapters/postgres/pgtest", test: true},
		{room: "adapters/postgres", to: "go.uber.org/goleak", test: true},
		{room: "adapters/httpapi", to: module + "adapters/httpapi/v1"},
		{room: "adapters/httpapi/v1", to: module + "domain/accounts"},
		{room: "adapters/httpapi/dialects/fleet", to: module + "adapters/httpapi/wire"},
		{room: "app", to: module + "adapters/httpapi"},
		{room: "app", to: module + "adapters/fake", test: true},
		{room: "app", to: "os/signal"},
		{room: "cmd/keyport", to: module + "app"},
		{room: "cmd/drill", to: module + "adapters/postgres/pgtest"},
		{room: "cmd/bench", to: module + "cmd/internal/process"},
	} {
		if !may(arrow.room, arrow.to, arrow.test) {
			t.Errorf("%s may not import %s (in a test: %t), which it should", arrow.room, arrow.to, arrow.test)
		}
	}
}

// may reports whether a file in room may import the package to, as the file
// spells it.
func may(room, to string, test bool) bool {
	first, _, _ := strings.Cut(to, "/")
	if !strings.Contains(first, ".") { // the standard library
		return test || !apart(room) || !under(to, outside)
	}
	to = strings.TrimPrefix(to, module)
	if test && (to == room || under(to, forTests) || slices.Contains(never, to)) {
		return true
	}
	if slices.Contains(never, to) && !slices.ContainsFunc(measured[to], func(m string) bool { return room == m || strings.HasPrefix(room, m+"/") }) {
		return false
	}
	for floor := room; floor != "."; floor = path.Dir(floor) {
		if allowed, ok := floors[floor]; ok {
			return under(to, allowed)
		}
	}
	return false
}

// under reports whether a path is one of the patterns, or below one that ends
// with "/...".
func under(to string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		root, deep := strings.CutSuffix(pattern, "/...")
		return to == root || deep && strings.HasPrefix(to, root+"/")
	})
}

func with(some []string, more ...string) []string { return slices.Concat(some, more) }
