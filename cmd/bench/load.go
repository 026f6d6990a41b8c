package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// connections are kept alive and used at once.
const connections = 32

// A load is one kind of request, sent over and over on all connections.
type load struct {
	name   string
	host   string
	status int // that every answer must have
	lines  []*line
}

// A line is one connection and what is said on it. next makes the next request
// of the body of the answer before, which is nil at first.
type line struct {
	conn   net.Conn // nil before the first turn: Keyport does not wait long for the first request
	reader *bufio.Reader
	body   []byte
	next   func(answer []byte) []byte
}

// newLoad returns a load for the server at http://host. next is called once for
// each of so many connections. The caller closes the load.
func newLoad(name, host string, connections, status int, next func(i int) func(answer []byte) []byte) *load {
	l := &load{name: name, host: host, status: status}
	for i := range connections {
		l.lines = append(l.lines, &line{next: next(i)})
	}
	return l
}

// connect opens the connections.
func (l *load) connect(ctx context.Context) (err error) {
	for _, line := range l.lines {
		if line.conn, err = new(net.Dialer).DialContext(ctx, "tcp", l.host); err != nil {
			return err
		}
		line.reader = bufio.NewReaderSize(line.conn, 32<<10)
	}
	return nil
}

// Close closes the connections.
func (l *load) Close() error {
	var errs []error
	for _, line := range l.lines {
		if line.conn != nil {
			errs = append(errs, line.conn.Close())
		}
	}
	return errors.Join(errs...)
}

// always sends the same.
func always(request []byte) func([]byte) []byte {
	return func([]byte) []byte { return request }
}

// request writes a request as it goes over the wire (RFC 9112, section 3).
func request(method, path string, body string, headers ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: keyport.test\r\n", method, path)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// hangs is more than an answer may take.
const hangs = 35 * time.Second

// run sends requests for d, waits for their answers, and returns how many there
// were and the time that it took.
func (l *load) run(ctx context.Context, d time.Duration) (requests int64, took time.Duration, err error) {
	if l.lines[0].conn == nil {
		if err := l.connect(ctx); err != nil {
			return 0, 0, err
		}
	}
	var over atomic.Bool
	timer := time.AfterFunc(d, func() { over.Store(true) })
	defer timer.Stop()
	start := time.Now()
	var total atomic.Int64
	errs := make([]error, len(l.lines))
	var group sync.WaitGroup
	for i, line := range l.lines {
		group.Go(func() {
			var n int64
			errs[i] = line.conn.SetDeadline(start.Add(d + hangs))
			for errs[i] == nil && !over.Load() && ctx.Err() == nil {
				errs[i] = line.ask(l.status)
				n++
			}
			total.Add(n)
		})
	}
	group.Wait()
	if err := first(errs); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", l.name, err)
	}
	return total.Load(), time.Since(start), ctx.Err()
}

// ask sends one request and reads its answer.
func (l *line) ask(want int) error {
	if _, err := l.conn.Write(l.next(l.body)); err != nil {
		return err
	}
	status, err := l.read()
	if err == nil && status != want {
		err = fmt.Errorf("an answer %d: %.300s", status, l.body)
	}
	return err
}

var errGrammar = errors.New("an answer that is no HTTP")

// read reads one answer into l.body (RFC 9112, sections 4, 6 and 7.1): just what
// a server of Go sends.
func (l *line) read() (status int, err error) {
	first, err := l.text()
	if err != nil {
		return 0, err
	}
	if len(first) < 12 {
		return 0, errGrammar
	}
	if status, err = strconv.Atoi(string(first[9:12])); err != nil {
		return 0, errGrammar
	}
	length, chunked := 0, false
	for {
		header, err := l.text()
		if err != nil {
			return 0, err
		}
		if len(header) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(header, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, errGrammar
			}
		}
		chunked = chunked || string(header) == "Transfer-Encoding: chunked"
	}
	l.body = l.body[:0]
	if !chunked {
		return status, l.take(length)
	}
	for {
		text, err := l.text()
		if err != nil {
			return 0, err
		}
		size, err := strconv.ParseUint(string(text), 16, 24)
		if err != nil {
			return 0, errGrammar
		}
		if err := l.take(int(size)); err != nil {
			return 0, err
		}
		if _, err := l.reader.Discard(len("\r\n")); err != nil || size == 0 {
			return status, err
		}
	}
}

// text reads a line, which is good until the next read.
func (l *line) text() ([]byte, error) {
	text, err := l.reader.ReadSlice('\n')
	return bytes.TrimSuffix(text, []byte("\r\n")), err
}

// take appends n bytes to l.body.
func (l *line) take(n int) error {
	from := len(l.body)
	l.body = append(l.body, make([]byte, n)...)
	_, err := io.ReadFull(l.reader, l.body[from:])
	return err
}

// member returns a text that a JSON object of ours has, and that needs no
// escapes; "" where it is not there.
func member(object []byte, name string) string {
	_, rest, _ := bytes.Cut(object, []byte(`"`+name+`":"`))
	value, _, _ := strings.Cut(string(rest), `"`)
	return value
}
