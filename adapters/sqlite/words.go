package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// rareWord returns which of some words is the first that few words of records match; below
// 0 it is none. It looks at no more words than are not few any more. FTS5's own queries
// would: one for the beginning of a word gathers all that match before it answers.
func rareWord(ctx context.Context, l *line, name domain.CollectionName, words []string) (int, error) {
	if len(words) == 0 {
		return -1, nil
	}
	w := newRendering(name)
	var b strings.Builder
	b.WriteString("SELECT CASE")
	for i := range words {
		fmt.Fprintf(&b, " WHEN (SELECT count(*) FROM (SELECT 1 FROM record_terms WHERE %s LIMIT %d) sought) < %[2]d THEN %d",
			w.spoken(words, i), domain.RareWord, i)
	}
	b.WriteString(" ELSE -1 END FROM collections WHERE name = ?1")
	rare := -1
	err := l.found(ctx, func(v row) error {
		rare = int(v.number(0))
		return nil
	}, b.String(), w.args...)
	return rare, err
}

// spoken renders the condition that a term is the word at i; of the last its beginning.
func (w *rendering) spoken(words []string, i int) string {
	from := term(w.collection, words[i])
	if i < len(words)-1 {
		return "term = " + w.bind(from)
	}
	return "term >= " + w.bind(from) + " AND term < " + w.bind(from+"\U0010ffff")
}

// worded renders the condition that texts t have the words: all, and one that begins
// with the last.
func (w *rendering) worded(words []string) string {
	var has []string
	for i, word := range words {
		if i < len(words)-1 {
			word += " "
		}
		has = append(has, "instr(t.words, "+w.bind(" "+word)+") > 0")
	}
	return strings.Join(has, " AND ")
}

// term returns a word as the index of words has it.
func term(name domain.CollectionName, word string) string { return string(name) + ":" + word }

// spell writes the words of a record as the index of words reads them.
func spell(name domain.CollectionName, words []string) string {
	var b strings.Builder
	for _, word := range words {
		b.WriteString(term(name, word))
		b.WriteByte(' ')
	}
	return b.String()
}

// note writes the words of a record, if it has not just these already.
func note(l *line, name domain.CollectionName, id domain.RecordID, words []string) error {
	found, err := l.one(`
		INSERT INTO record_texts (collection, record, words) VALUES (?, ?, ?)
		ON CONFLICT (collection, record) DO UPDATE SET words = excluded.words WHERE words <> excluded.words
		RETURNING number`, name, id, " "+strings.Join(words, " ")+" ")
	if err != nil || found == nil {
		return err
	}
	_, err = l.exec(`INSERT OR REPLACE INTO record_words (rowid, words) VALUES (?, ?)`, found.number(0), spell(name, words))
	return err
}
