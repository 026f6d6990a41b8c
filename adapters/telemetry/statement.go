package telemetry

import (
	"iter"
	"slices"
	"strings"
)

// maxTables is how many tables the summary of a statement names.
const maxTables = 4

// summary says what a statement does and to which tables, of which there may be none:
// INSERT sessions, SELECT collections records. It knows SQL as Keyport's stores write
// it. Of a statement that does several things what counts is the first that writes,
// and otherwise what it reads.
func summary(text string) (verb string, tables []string) {
	var first, before string
	var own []string // names that the statement itself gives (WITH name AS)
	for word, next := range words(text) {
		upper := strings.ToUpper(word)
		if first == "" {
			first = upper
		}
		switch {
		case upper == "AS" && next == '(':
			own = append(own, strings.ToLower(before))
		case upper == "SELECT":
			if verb == "" {
				verb = upper
			}
		case statement(upper, before) && (verb == "" || verb == "SELECT"):
			verb, tables = upper, nil
		case introduces(verb, before, next):
			name := strings.ToLower(word)
			if len(tables) < maxTables && !slices.Contains(tables, name) && !slices.Contains(own, name) {
				tables = append(tables, name)
			}
		}
		if verb != "" && verb != "SELECT" && len(tables) > 0 {
			break
		}
		before = upper
	}
	if verb == "" {
		return first, nil
	}
	return verb, tables
}

// statement reports whether a word begins something that writes: FOR UPDATE, DO UPDATE
// and ON DELETE do not.
func statement(word, before string) bool {
	return (word == "INSERT" || word == "UPDATE" || word == "DELETE") && before != "FOR" && before != "DO" && before != "ON"
}

// introduces reports whether a table's name follows the word before. What a bracket
// follows then is a function, or a statement of its own.
func introduces(verb, before string, next byte) bool {
	switch verb {
	case "SELECT":
		return (before == "FROM" || before == "JOIN") && next != '('
	case "DELETE":
		return before == "FROM"
	case "INSERT":
		return before == "INTO"
	case "UPDATE":
		return before == "UPDATE"
	}
	return false
}

// words yields the words of a statement, without what stands in quotation marks, each
// with the character that follows it, or 0 at the end; spaces count for nothing.
func words(text string) iter.Seq2[string, byte] {
	return func(yield func(string, byte) bool) {
		for text != "" {
			n := 1
			switch c := text[0]; {
			case letter(c):
				for n < len(text) && (letter(text[n]) || text[n] >= '0' && text[n] <= '9') {
					n++
				}
				if !yield(text[:n], following(text[n:])) {
					return
				}
			case c == '\'' || c == '"':
				if end := strings.IndexByte(text[1:], c); end >= 0 {
					n = end + 2
				}
			}
			text = text[n:]
		}
	}
}

func following(text string) byte {
	if text = strings.TrimLeft(text, " \t\n"); text != "" {
		return text[0]
	}
	return 0
}

func letter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
