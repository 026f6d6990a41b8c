package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A listener watches the records of talk (HTML Living Standard, section 9.2), on one
// connection at a time.
type listener struct {
	audience
	token string // access token; "" of a stranger

	cut    bool // its connection was broken off, and it came again
	leaves bool // its session is ended
	slow   bool // it stops reading until it is told to go on

	conn   net.Conn
	count  atomic.Int64  // of what was heard
	joined chan struct{} // closed when it is sure to hear what is said from now on
	awake  chan struct{} // closed when a slow one is to go on
	done   chan struct{} // closed when the connection has ended; what is below may be read then

	last  string    // id of the last event
	end   string    // the code of event: end
	ended time.Time // when that came
	heard []hearing
	err   error // what was heard and is no event
}

// A hearing is a notice and when it was heard.
type hearing struct {
	notice
	at time.Time
}

// A notice is what a listener is told: of what was deleted there is no revision.
type notice struct {
	kind, id string
	revision int
}

// open connects a listener to the replica at a URL, to go on behind what it has heard.
func (l *listener) open(ctx context.Context, at string) error {
	dialer := &net.Dialer{}
	if l.slow {
		dialer.Control = narrow
	}
	conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(at, "http://"))
	if err != nil {
		return err
	}
	path := talk + ":watch"
	if l.channel >= 0 {
		path += "?filter=" + url.QueryEscape(fmt.Sprintf("record.data.channel == %d", l.channel))
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n"
	if l.token != "" {
		request += "Authorization: Bearer " + l.token + "\r\n"
	}
	if l.last != "" {
		request += "Last-Event-ID: " + l.last + "\r\n"
	}
	events, err := ask(conn, request+"\r\n")
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	l.conn, l.done = conn, make(chan struct{})
	go l.follow(events)
	return nil
}

// ask sends a request, and returns the body of its answer, which ends with conn.
func ask(conn net.Conn, request string) (io.Reader, error) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(conn, 2<<10)
	head := textproto.NewReader(in)
	status, err := head.ReadLine()
	if err != nil {
		return nil, err
	}
	if _, err := head.ReadMIMEHeader(); err != nil {
		return nil, err
	}
	if status != "HTTP/1.1 200 OK" {
		text, _ := in.Peek(in.Buffered()) // as much as came at once
		return nil, fmt.Errorf("a listener: %s: %s", status, text)
	}
	return httputil.NewChunkedReader(in), conn.SetDeadline(time.Time{})
}

// narrow keeps what the system holds for a reader who does not read to some 100 KiB:
// small segments keep the sender's buffer small too.
func narrow(_, _ string, c syscall.RawConn) (err error) {
	fault := c.Control(func(fd uintptr) {
		err = errors.Join(
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10),
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536),
		)
	})
	return errors.Join(fault, err)
}

// follow reads events until there are no more.
func (l *listener) follow(body io.Reader) {
	defer close(l.done)
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 4<<10), 1<<20)
	var id, event string
	var data []byte
	for lines.Scan() {
		field, value, _ := bytes.Cut(lines.Bytes(), []byte(": "))
		switch string(field) {
		case "id":
			id = string(value)
		case "event":
			event = string(value)
		case "data":
			data = append(data[:0], value...)
		case "":
			if len(lines.Bytes()) > 0 { // a remark
				break
			}
			l.hear(id, event, data)
			id, event = "", ""
		}
	}
}

// hear takes an event.
func (l *listener) hear(id, event string, data []byte) {
	if id != "" {
		l.last = id
	}
	var told struct {
		ID       string `json:"id"`
		Revision int    `json:"revision"`
		Code     string `json:"code"`
	}
	switch event {
	case "":
	case "end":
		l.err = json.Unmarshal(data, &told)
		l.end, l.ended = told.Code, time.Now()
	case "created", "changed", "deleted":
		l.err = errors.Join(l.err, json.Unmarshal(data, &told))
		l.heard = append(l.heard, hearing{notice{event, told.ID, told.Revision}, time.Now()})
		l.count.Add(1)
	default:
		l.err = errors.Join(l.err, fmt.Errorf("event %s: %s", event, data))
	}
	if id == "" {
		return
	}
	select {
	case <-l.joined:
	default:
		close(l.joined)
		if l.slow {
			<-l.awake
		}
	}
}

// leave breaks the connection off, and waits until all that had come is heard.
func (l *listener) leave() error {
	err := l.conn.Close()
	<-l.done
	return err
}
