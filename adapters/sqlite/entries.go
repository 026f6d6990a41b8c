package sqlite

import (
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// entered is which entries a record has already.
type entered struct{ keys, index, words bool }

// entries renders what readEntered reads, of a record that is named by two expressions.
func entries(collection, id string) string {
	of := ` WHERE collection = ` + collection + ` AND record = ` + id + `)`
	return `EXISTS (SELECT 1 FROM record_keys` + of + `, EXISTS (SELECT 1 FROM record_index` + of + `, EXISTS (SELECT 1 FROM record_texts` + of
}

func readEntered(v row) entered {
	return entered{keys: v.number(0) != 0, index: v.number(1) != 0, words: v.number(2) != 0}
}

// claim takes the unique keys for a record, or names every one that another
// record has.
func claim(l *line, name domain.CollectionName, id domain.RecordID, keys []domain.UniqueKey) error {
	var taken []string
	for _, k := range keys {
		n, err := l.exec(`
			INSERT INTO record_keys (collection, field, digest, record) VALUES (?, ?, ?, ?)
			ON CONFLICT (collection, field, digest) DO NOTHING`,
			name, k.Field, k.Digest[:], id)
		if err != nil {
			return err
		}
		if n == 0 {
			taken = append(taken, k.Field)
		}
	}
	if taken != nil {
		return domain.NotUnique(taken...)
	}
	return nil
}

// file writes the index keys and the words of a record at a revision, in place of those
// that it has.
func file(l *line, name domain.CollectionName, id domain.RecordID, rev domain.Revision, e domain.Entries, has entered) error {
	if has.index {
		if _, err := l.exec(`DELETE FROM record_index WHERE collection = ? AND record = ?`, name, id); err != nil {
			return err
		}
	}
	if len(e.Index) > 0 {
		args := []any{name, id, rev}
		for _, k := range e.Index {
			args = append(args, k.Index, []byte(k.Key))
		}
		if _, err := l.exec(enter(len(e.Index)), args...); err != nil {
			return err
		}
	}
	switch {
	case len(e.Words) > 0:
		return note(l, name, id, e.Words)
	case has.words:
		_, err := l.exec(`DELETE FROM record_texts WHERE collection = ? AND record = ?`, name, id)
		return err
	}
	return nil
}

// enter returns the statement that adds n rows to the index. There are as many texts of
// it as a collection may have indexes.
func enter(n int) string {
	return `INSERT INTO record_index (collection, record, revision, name, key) VALUES ` +
		strings.TrimSuffix(strings.Repeat(`(?1, ?2, ?3, ?, ?), `, n), `, `)
}
