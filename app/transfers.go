package app

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// An entry is a line of a file as it was read, or why it cannot be.
type entry struct {
	at    int // where it begins, counted from 1 with blank lines and the head
	line  transferLine
	fault error
}

// A transferReader returns one entry after the other. It fails with io.EOF at the end
// of the file, and with another error where no more of it can be read.
type transferReader func() (entry, error)

// maxLine bounds a line of a file, in bytes: of CSV one with all the line breaks that
// are in quotes.
const maxLine = 64 << 10

// readTransfers reads NDJSON where the first thing in the file is a brace, else CSV. It
// begins after a byte order mark.
func readTransfers(in io.Reader) (transferReader, error) {
	b := bufio.NewReaderSize(in, maxLine)
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		_, _ = b.Discard(3) // they are there
	}
	for at := 1; ; {
		c, err := b.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return func() (entry, error) { return entry{}, io.EOF }, nil
		case err != nil:
			return nil, err
		case c == '\n':
			at++
			continue
		case c == ' ' || c == '\t' || c == '\r':
			continue
		}
		_ = b.UnreadByte() // it was read just now
		switch c {
		case '{':
			return ndjson(b, at), nil
		case '[':
			return nil, errors.New("the file is a JSON array: want one object a line, and no brackets around them")
		}
		return readCSV(b, at)
	}
}

// ndjson reads the lines of b, the first of which has the number at.
func ndjson(b *bufio.Reader, at int) transferReader {
	return func() (entry, error) {
		for ; ; at++ {
			text, err := b.ReadSlice('\n')
			long := errors.Is(err, bufio.ErrBufferFull)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = b.ReadSlice('\n')
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return entry{}, fmt.Errorf("line %d: %w", at, err)
			}
			e := entry{at: at}
			switch text := bytes.TrimSpace(text); {
			case long:
				e.fault = errTooLong
			case len(text) > 0:
				e.line, e.fault = readObject(text)
			case err != nil:
				return entry{}, io.EOF
			default:
				continue
			}
			at++
			return e, nil
		}
	}
}

var errTooLong = fmt.Errorf("it is longer than %d bytes", maxLine)

// readObject reads a line of NDJSON, without what is around it.
func readObject(text []byte) (l transferLine, err error) {
	if !utf8.Valid(text) {
		return l, errors.New("it is not UTF-8")
	}
	if text[0] != '{' {
		return l, errNoObject
	}
	err = json.Unmarshal(text, &l, json.RejectUnknownMembers(true))
	if err == nil {
		return l, nil
	}
	if e, is := errors.AsType[*jsontext.SyntacticError](err); is && errors.Is(e, jsontext.ErrDuplicateName) {
		return l, fmt.Errorf("the member %.40q comes twice", e.JSONPointer.LastToken())
	}
	if e, is := errors.AsType[*json.SemanticError](err); is {
		if errors.Is(e, json.ErrUnknownName) {
			return l, fmt.Errorf("there is no member %.40q: want %s", e.JSONPointer.LastToken(), strings.Join(transferMembers, ", "))
		}
		for name := range e.JSONPointer.Tokens() {
			if name == "roles" {
				return l, errors.New("roles: want an array of strings")
			}
			return l, fmt.Errorf("%.40s: want a string", name)
		}
	}
	return l, errNoObject
}

var errNoObject = errors.New("it is not a JSON object")

// readCSV reads the head of b, which is its line at, and returns what reads the rest
// (RFC 4180).
func readCSV(b *bufio.Reader, at int) (transferReader, error) {
	limit := &allowance{in: b, left: 2 * maxLine}
	r := csv.NewReader(limit)
	head, err := r.Read()
	if err != nil {
		return nil, inCSV(err, at-1, at)
	}
	for i, name := range head {
		// What stands there is not told: it may be a hash, in a file without a head.
		if !slices.Contains(transferMembers, name) {
			return nil, fmt.Errorf("line %d: column %d of the head has no known name: want %s", at, i+1, strings.Join(transferMembers, ", "))
		}
		if slices.Contains(head[:i], name) {
			return nil, fmt.Errorf("line %d: the column %s comes twice", at, name)
		}
	}
	first, last := at-1, at // r counts from the head
	return func() (entry, error) {
		limit.left = 2 * maxLine
		begun := r.InputOffset()
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return entry{}, io.EOF
		}
		if err != nil && !errors.Is(err, csv.ErrFieldCount) {
			return entry{}, inCSV(err, first, last+1)
		}
		line, _ := r.FieldPos(0)
		e := entry{at: first + line}
		last, _ = r.FieldPos(len(cells) - 1)
		last += first
		switch {
		case r.InputOffset()-begun > maxLine:
			e.fault = errTooLong
		case err != nil:
			e.fault = fmt.Errorf("it has %d columns, and the head has %d", len(cells), len(head))
		default:
			for i, cell := range cells {
				e.line.set(head[i], cell)
			}
		}
		return e, nil
	}, nil
}

// inCSV says why a file of CSV cannot be read on. Where the quotes are wrong, nobody can
// tell what is a line and what is in one, and a name could pass for an account. first is
// the number of the line before the one that the reader began with, at that at which it
// stopped, as far as it tells.
func inCSV(err error, first, at int) error {
	if e, is := errors.AsType[*csv.ParseError](err); is {
		return fmt.Errorf("line %d: the quotes are wrong, so nothing is read from here on: %w", first+e.StartLine, e.Err)
	}
	if errors.Is(err, errTooLong) {
		return fmt.Errorf("line %d: %w: is a quote left open? Nothing is read from here on", at, err)
	}
	return fmt.Errorf("line %d: %w", at, err)
}

// An allowance is a reader that fails with errTooLong once left bytes are read.
type allowance struct {
	in   io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errTooLong
	}
	n, err := a.in.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}
