package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// bareWord has the program serve the bare handler.
const bareWord = "serve-the-bare-handler"

// A bare handler is chi with one route, in a process of its own, that answers
// always the same.
type bare struct {
	url string
	cmd *exec.Cmd
	end io.Closer // its input: it ends when that does
}

// said is the answer that it gives.
type said struct {
	Header http.Header
	Body   []byte
}

// startBare starts a handler that gives the answer a. The caller closes it.
func startBare(a process.Answer) (*bare, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &bare{cmd: exec.Command(self, bareWord)}
	b.cmd.Stderr = os.Stderr
	in, err := b.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	b.end = in
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	header := a.Header.Clone()
	header.Del("Date") // these two the server sets
	header.Del("Content-Length")
	err = json.NewEncoder(in).Encode(said{header, a.Body})
	if err == nil {
		err = json.NewDecoder(out).Decode(&b.url)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Close ends the process.
func (b *bare) Close() error { return errors.Join(b.end.Close(), b.cmd.Wait()) }

// serveBare is the process: it reads what to say from in, tells its address on
// out, and answers until in ends.
func serveBare(in io.Reader, out io.Writer) error {
	text := json.NewDecoder(in)
	var say said
	if err := text.Decode(&say); err != nil {
		return err
	}
	r := chi.NewRouter()
	r.Get("/v1/collections/{name}/records/{id}", func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for name, values := range say.Header {
			h[name] = values
		}
		_, _ = w.Write(say.Body)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode("http://" + l.Addr().String()); err != nil {
		return err
	}
	server := &http.Server{Handler: r}
	go func() {
		_, _ = io.Copy(io.Discard, io.MultiReader(text.Buffered(), in))
		_ = server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// compare fails unless the handler answers as Keyport does, but for what differs
// between any two answers.
func (b *bare) compare(ctx context.Context, read reading) error {
	c := process.NewClient(b.url)
	defer c.Close()
	a, err := c.Send(ctx, process.Request{Method: http.MethodGet, Path: read.path})
	if err != nil {
		return err
	}
	for _, h := range []http.Header{a.Header, read.Header} {
		h.Del("Date")
	}
	if string(a.Body) != string(read.Body) || !maps.EqualFunc(a.Header, read.Header, slices.Equal) {
		return fmt.Errorf("the bare handler answers %v %s, and Keyport %v %s", a.Header, a, read.Header, read.Answer)
	}
	return nil
}
