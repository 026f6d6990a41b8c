package main_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	collecting "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A collector takes traces, as OTLP over HTTP (OTLP 1.0, section "OTLP/HTTP").
type collector struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	spans   []*trace.Span
	service map[string]string // attributes of the resource
	headers http.Header       // of the latest request
	raw     bytes.Buffer      // all that was sent
}

func collect(t *testing.T) *collector {
	c := &collector{t: t, service: make(map[string]string)}
	c.Server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			c.t.Error(err)
			return
		}
		body = unpacked
	}
	text, err := io.ReadAll(io.LimitReader(body, 16<<20))
	request := new(collecting.ExportTraceServiceRequest)
	if err == nil {
		err = proto.Unmarshal(text, request)
	}
	if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.t.Errorf("%s %s: %v", r.URL.Path, r.Header.Get("Content-Type"), err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(text)
	c.headers = r.Header.Clone()
	for _, from := range request.GetResourceSpans() {
		for name, value := range attributes(from.GetResource().GetAttributes()) {
			c.service[name] = value
		}
		for _, scope := range from.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
}

func attributes(all []*common.KeyValue) map[string]string {
	m := make(map[string]string)
	for _, a := range all {
		m[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return m
}

// roots returns the spans of the given name of which no parent was sent.
func (c *collector) roots(name string) []*trace.Span {
	return slices.DeleteFunc(slices.Clone(c.spans), func(s *trace.Span) bool {
		return s.GetName() != name || s.GetKind() != trace.Span_SPAN_KIND_SERVER
	})
}

// below returns the names of the spans that are parts of the given one, in the order in
// which they began, those of its parts with two spaces before them, and so on.
func (c *collector) below(of *trace.Span) []string {
	parts := slices.DeleteFunc(slices.Clone(c.spans), func(s *trace.Span) bool {
		return !bytes.Equal(s.GetParentSpanId(), of.GetSpanId()) || !bytes.Equal(s.GetTraceId(), of.GetTraceId())
	})
	slices.SortStableFunc(parts, func(a, b *trace.Span) int { return int(int64(a.GetStartTimeUnixNano() - b.GetStartTimeUnixNano())) })
	var names []string
	for _, p := range parts {
		names = append(names, p.GetName())
		for _, name := range c.below(p) {
			names = append(names, "  "+name)
		}
	}
	return names
}

func text(id []byte) string { return hex.EncodeToString(id) }
