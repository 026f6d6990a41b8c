package domain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The bounds of a search.
const (
	MaxWord        = 64   // bytes of a word; what is longer is known by its beginning
	MaxWords       = 1000 // of one record; further ones are not found
	MaxSearchText  = 200  // bytes of what is searched for
	MaxSearchWords = 10   // of it
	RareWord       = 1000 // words of a collection's records; a search is never too broad if fewer match one of its own
)

// checkSearch fails with ErrInvalidCollection unless fields can be searched.
func checkSearch(fields []string) error {
	if len(fields) > MaxSearched {
		return ErrInvalidCollection.At("/search", "too-many", fmt.Sprintf("want at most %d fields", MaxSearched))
	}
	for i, field := range fields {
		_, isColumn := SortKey{Field: field}.Term().(Column)
		if !sortable(field) || isColumn || slices.Index(fields, field) != i {
			return ErrInvalidCollection.At(fmt.Sprintf("/search/%d", i), "invalid-field", "want the name of a member, once")
		}
	}
	return nil
}

// ParseSearch reads what somebody searches for, as the words that a record must
// have; of the last its beginning is enough. So a word of a record matches the one that
// it is, and the last if it begins with it. ParseSearch fails with ErrInvalidSearch for
// what holds no word, more than MaxSearchWords, or more than MaxSearchText bytes.
func ParseSearch(text string) ([]string, error) {
	if len(text) > MaxSearchText {
		return nil, ErrInvalidSearch
	}
	var words []string
	for word := range wordsOf(text) {
		words = append(words, word)
	}
	if len(words) == 0 || len(words) > MaxSearchWords {
		return nil, ErrInvalidSearch
	}
	return words, nil
}

// words returns the words of some fields of the data, sorted, each once: of texts,
// and of the texts in lists.
func (s *subject) words(fields []string) []string {
	found := make(map[string]bool)
	note := func(v any) {
		text, _ := v.(string)
		for word := range wordsOf(text) {
			if len(found) == MaxWords {
				return
			}
			found[word] = true
		}
	}
	for _, field := range fields {
		v, _ := s.value(SortKey{Field: field}.Term())
		note(v)
		if list, ok := v.([]any); ok {
			for _, item := range list {
				note(item)
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// wordsOf yields the words of a text in order: runs of letters, marks and digits,
// in compatibility form and without case.
func wordsOf(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
		for word := range strings.FieldsFuncSeq(folded, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		}) {
			if !yield(cut(word)) {
				return
			}
		}
	}
}

// cut returns the first MaxWord bytes of a word, or fewer where a character would
// be cut.
func cut(word string) string {
	if len(word) <= MaxWord {
		return word
	}
	end := MaxWord
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}
