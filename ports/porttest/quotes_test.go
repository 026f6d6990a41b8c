package porttest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// suites are the clauses that speak for the comments of each file.
var suites = []struct {
	files    []string
	promises []string
}{
	{[]string{"doc.go", "store.go", "accounts.go", "sessions.go", "accesskeys.go", "collections.go", "records.go", "events.go", "receipts.go", "imports.go", "keys.go", "numbers.go", "bulletin.go"}, slices.Concat(promises(store), promises(vault))},
	{[]string{"tokens.go"}, slices.Concat(promises(issuer), promises(refreshIssuer), promises(lastingTokens), promises(cursorSealer))},
	{[]string{"passwords.go", "doc.go"}, slices.Concat(promises(hasher), promises(blocklist(nil)))},
	{[]string{"archive.go"}, promises(archive)},
	{[]string{"rules.go"}, slices.Concat(promises(ruleClauses(nil)), promises(schemas))},
}

// unclaimed are the sentences that no clause can check, and why.
var unclaimed = []struct{ sentence, why string }{
	{"Package ports lists what the domain asks of the world.", "says what the package is"},
	{"Every interface here is a promise in two halves: the signatures, which the compiler checks, and the comments, which package porttest checks sentence by sentence.", "this test is it"},
	{"An adapter is done when its porttest suite passes.", "says what the suites are for"},
	{"Common to all ports:", "a heading"},
	{"A store that cannot be reached, or is too busy, fails with domain.ErrUnavailable.", "each adapter's tests take its own store away"},
	{"Any other error is an accident, and callers treat it as domain.Internal.", "the callers' duty"},
	{"It promises no more than that: what f has read may change before f ends.", "a leave, not a promise"},
	{"Atomically may run f again after a collision, so f must have no effect but through tx.", "the callers' duty; fake.Store with Replay holds them to it"},
	{"Hashing, signing and network calls belong before or after it.", "the callers' duty"},
	{"A Newcomer is a record that is to be added, with its entries.", "says what it is"},
	{"A Rule decides who may touch a record.", "says what it is"},
	{"A Selector decides on records by themselves, so that a store can look for them.", "says what it is"},
	{"A rule that cannot be evaluated denies.", "which rule cannot is a matter of the compiler's language, so of its tests"},
	{"A SchemaCompiler reads the schemas of collections.", "says what it is"},
	{"It is no part of Store, for who serves has no use for it.", "says what it is not"},
	{"One goroutine at a time uses it.", "the callers' duty"},
	{"Rows come in the order of the table, and tables in that of Archived.", "the callers' duty"},
	{"Close lets go of the store.", "the goroutines and connections that are left are each adapter's to look for"},
	{"Tables are the rows of an archive at one moment.", "says what they are"},
	{"The failures of an Archive.", "a heading"},
	{"A Row has a value for each column of its table: nil, or what the column's kind says.", "says what it is"},
	{"A ColumnKind is what the values of a column are.", "says what it is"},
	{"The kinds of columns.", "a heading"},
	{"string", "says what it is"},
	{"int64; a truth is 0 or 1", "says what it is"},
	{"int64: microseconds since 1970 in UTC", "says what it is"},
	{"[]byte, not nil", "says what it is"},
	{"A Column is one of a table.", "says what it is"},
	{"A value may be nil where it is Optional.", "says what it is"},
	{"A Table is a list of rows in one order, which is the same in every store: that of the columns by which Order says, compared bytewise, or that in which they were added.", "says what it is"},
	{"empty: as they were added", "says what it is"},
	{"Archived returns all tables, each behind those that it refers to.", "each adapter's tests look whether it has tables that are not among them"},
	{"It takes as long for a wrong password as for a right one.", "a test that asserts a duration fails by chance; the drills measure it"},
}

func TestEveryClauseQuotesAComment(t *testing.T) {
	for _, suite := range suites {
		var comments []string
		for _, file := range suite.files {
			comments = append(comments, commentsOf(t, file)...)
		}
		for _, promise := range suite.promises {
			if !slices.ContainsFunc(comments, func(c string) bool { return strings.Contains(c, promise) }) {
				t.Errorf("no comment in %v says: %s", suite.files, promise)
			}
		}
	}
}

func TestEverySentenceHasAClause(t *testing.T) {
	met := make(map[string]bool)
	for _, suite := range suites {
		for _, file := range suite.files {
			if file == "doc.go" && suite.files[0] != "doc.go" {
				continue // which the store's clauses speak for
			}
			for _, comment := range commentsOf(t, file) {
				for _, sentence := range sentences(comment) {
					quoted := slices.ContainsFunc(suite.promises, func(p string) bool { return strings.Contains(p, sentence) })
					excused := false
					for _, u := range unclaimed {
						excused = excused || u.sentence == sentence
					}
					met[sentence] = true
					if !quoted && !excused {
						t.Errorf("%s: no clause quotes: %s", file, sentence)
					}
					if quoted && excused {
						t.Errorf("%s: a clause quotes what no clause can check: %s", file, sentence)
					}
				}
			}
		}
	}
	for _, u := range unclaimed {
		if !met[u.sentence] {
			t.Errorf("no comment says any more: %s", u.sentence)
		}
	}
}

// spared are the files that no suite speaks for, and why.
var spared = map[string]string{"span.go": "it is told, and nothing depends on what it makes of that; package telemetry tests its own"}

func TestNoPortIsWithoutASuite(t *testing.T) {
	files, err := filepath.Glob("../*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("found no ports: ", err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		_, known := spared[name]
		for _, suite := range suites {
			known = known || slices.Contains(suite.files, name)
		}
		if !known {
			t.Errorf("no suite speaks for %s", name)
		}
	}
}

func TestClausesHaveNamesOfTheirOwn(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range store {
		if seen[c.name] {
			t.Errorf("two clauses are called %q", c.name)
		}
		seen[c.name] = true
	}
}

func promises[P any](clauses []clause[P]) []string {
	list := make([]string, len(clauses))
	for i, c := range clauses {
		list[i] = c.promise
	}
	return list
}

// commentsOf returns the paragraphs of the comments of one file of package ports,
// each on one line; an item of a list is a paragraph.
func commentsOf(t *testing.T, file string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", file), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var paragraphs []string
	for _, group := range tree.Comments {
		paragraphs = append(paragraphs, paragraphsOf(group)...)
	}
	return paragraphs
}

func paragraphsOf(group *ast.CommentGroup) []string {
	text := strings.ReplaceAll(group.Text(), "\n  - ", "\n\n")
	var list []string
	for p := range strings.SplitSeq(text, "\n\n") {
		if p = strings.Join(strings.Fields(strings.TrimPrefix(strings.TrimSpace(p), "- ")), " "); p != "" {
			list = append(list, p)
		}
	}
	return list
}

// sentences cuts a paragraph behind each full stop that a capital or a digit
// follows.
func sentences(paragraph string) []string {
	var list []string
	words := strings.Fields(paragraph)
	from := 0
	for i, w := range words {
		last := i == len(words)-1
		if last || strings.HasSuffix(w, ".") && words[i+1][0] <= 'Z' {
			list = append(list, strings.Join(words[from:i+1], " "))
			from = i + 1
		}
	}
	return list
}
