package main

import (
	"context"
	"fmt"
	"io"

	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// Ships are what is read and written: those of the demo, in collections of our own.
const (
	plain = "plain" // of each record there is the record alone
	rich  = "rich"  // and where it stands in indexes, its words, and an event
)

// recordsOf returns where the records of a collection are.
func recordsOf(collection string) string { return "/v1/collections/" + collection + "/records" }

const aShip = `{"data":{"affiliation":"Rebel Alliance","category":"Transports","ship_class":"Medium Transport",` +
	`"model":"GR-75 number %d","manufacturer":"Gallofree Yards","crew":7,"length":90,"roles":["Cargo Transport"]}}`

// A declaration of ships wants a name, and whatever else is declared of them.
const declaration = `{"name":%q,"schema":{"type":"object","properties":{` +
	`"affiliation":{"type":"string"},"category":{"type":"string"},"crew":{"type":"integer","minimum":1},` +
	`"length":{"type":"integer","minimum":1},"manufacturer":{"type":"string"},"model":{"type":"string"},` +
	`"roles":{"type":"array","items":{"type":"string"}},"ship_class":{"type":"string"}},` +
	`"required":["affiliation","category","crew","length","manufacturer","model","roles","ship_class"],"additionalProperties":false},` +
	`"rules":{"list":"true","read":"true","create":"account != null","update":"account != null","delete":"account != null"}%s}`

const (
	indexed = `,"indexes":["-length,model","category,-crew"]`
	heard   = `,"search":["model","manufacturer"],"watch":true`
)

// administrator opens an administrator's account on a site that k serves, and a
// session.
func administrator(ctx context.Context, site ground.Site, k *process.Keyport) (process.Grant, error) {
	const login = "bench-administrator"
	secret, err := site.CreateAdministrator(ctx, login)
	if err != nil {
		return process.Grant{}, err
	}
	c := k.Client()
	defer c.Close()
	return c.SignIn(ctx, login, secret)
}

// Lines are those of an import, written as they are read.
type lines struct {
	number int // of them, still to come
	write  func(line []byte) []byte
	line   []byte
	rest   []byte // of line
}

// Read implements io.Reader.
func (l *lines) Read(p []byte) (int, error) {
	read := 0
	for read < len(p) {
		if len(l.rest) == 0 {
			if l.number == 0 {
				break
			}
			l.number--
			l.line = append(l.write(l.line[:0]), '\n')
			l.rest = l.line
		}
		n := copy(p[read:], l.rest)
		l.rest, read = l.rest[n:], read+n
	}
	if read == 0 {
		return 0, io.EOF
	}
	return read, nil
}

// importAll sends lines to a collection, and fails unless each becomes a record.
func importAll(ctx context.Context, c *process.Client, admin process.Grant, collection string, l *lines) error {
	want := int64(l.number)
	done, err := c.Import(ctx, admin.AccessToken, collection, l)
	if err == nil && (!done.Done || done.Stored != want) {
		err = fmt.Errorf("of %d records %d were imported, done %t: %s", want, done.Stored, done.Done, done.Problems)
	}
	return err
}
