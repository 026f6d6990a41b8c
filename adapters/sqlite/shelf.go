package sqlite

import (
	"cmp"
	"slices"
	"strings"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A shelf is where a table of an archive stands in the file, and how its rows are read
// and written.
type shelf struct {
	table   string
	read    string // a statement
	add     func(*line, ports.Row) error
	neutral func(ports.Row) ports.Row
}

// A spelling is a column that does not stand in the file as it does in an archive.
type spelling struct {
	column      string // "": it has the same name
	read, write string // expressions; "": the column, and what is given
}

// spellings are by table and column.
var spellings = map[string]spelling{
	// An account without roles was once written so.
	"accounts.roles":       {read: `CASE roles WHEN 'null' THEN '[]' ELSE roles END`},
	"imports.account":      {read: `nullif(account, '')`, write: `coalesce(?, '')`},
	"record_events.before": {column: "former"},
}

// shelfOf returns where a table stands.
func shelfOf(t ports.Table) shelf {
	if t.Name == "record_words" {
		return shelfOfWords()
	}
	var columns, read, write []string
	named := make(map[string]string)
	for _, c := range t.Columns {
		s := spellings[t.Name+"."+c.Name]
		column := cmp.Or(s.column, c.Name)
		named[c.Name] = column
		columns, read, write = append(columns, column), append(read, cmp.Or(s.read, column)), append(write, cmp.Or(s.write, "?"))
	}
	var order []string
	for _, c := range t.Order {
		order = append(order, named[c])
	}
	if len(order) == 0 {
		order = []string{"id"}
	}
	insert := `INSERT INTO ` + t.Name + ` (` + strings.Join(columns, ", ") + `) VALUES (` + strings.Join(write, ", ") + `)`
	return shelf{
		table: t.Name,
		read:  `SELECT ` + strings.Join(read, ", ") + ` FROM ` + t.Name + ` ORDER BY ` + strings.Join(order, ", "),
		add: func(l *line, r ports.Row) error {
			_, err := l.exec(insert, r...)
			return err
		},
		neutral: func(r ports.Row) ports.Row { return r },
	}
}

// shelfOfWords is the shelf of the words of records. Their index is written with them.
func shelfOfWords() shelf {
	return shelf{
		table: "record_texts",
		read:  `SELECT collection, record, words FROM record_texts ORDER BY collection, record`,
		add: func(l *line, r ports.Row) error {
			collection, _ := r[0].(string)
			record, _ := r[1].(string)
			words, _ := r[2].(string)
			return note(l, domain.CollectionName(collection), domain.RecordID(record), strings.Fields(words))
		},
		neutral: func(r ports.Row) ports.Row {
			text, _ := r[2].(string)
			all := strings.Fields(text)
			slices.Sort(all)
			r[2] = strings.Join(all, " ")
			return r
		},
	}
}
