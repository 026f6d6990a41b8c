package telemetry_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	collecting "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/keyport-go/keyport/adapters/telemetry"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A heard span is what a collector was told of it.
type heard struct {
	*trace.Span
	facts map[string]string
}

// spans runs do with tracing on, and returns what the collector was told once it is
// closed, by the names of the spans.
func spans(t *testing.T, do func(*telemetry.Tracing)) map[string][]heard {
	t.Helper()
	all := make(map[string][]heard)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		request := new(collecting.ExportTraceServiceRequest)
		if err = errors.Join(err, proto.Unmarshal(text, request)); err != nil {
			t.Error(err)
		}
		for _, from := range request.GetResourceSpans() {
			for _, scope := range from.GetScopeSpans() {
				for _, s := range scope.GetSpans() {
					facts := make(map[string]string)
					for _, a := range s.GetAttributes() {
						facts[a.GetKey()] = strings.TrimSpace(strings.SplitN(a.GetValue().String(), ":", 2)[1])
					}
					all[s.GetName()] = append(all[s.GetName()], heard{s, facts})
				}
			}
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	var log bytes.Buffer
	tracing, err := telemetry.OpenTracing(t.Context(), "v1.2.3", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil || tracing == nil {
		t.Fatal(tracing, err)
	}
	do(tracing)
	tracing.Close(t.Context())
	if log.Len() > 0 {
		t.Errorf("it complains: %s", &log)
	}
	if sent, lost := tracing.Sent(); lost != 0 || sent != int64(count(all)) {
		t.Errorf("it says that it sent %d and lost %d, and the collector has %d", sent, lost, count(all))
	}
	return all
}

func count(all map[string][]heard) (n int) {
	for _, s := range all {
		n += len(s)
	}
	return n
}

// ask makes a request of GET /x, with the given headers, to a route that does do.
func ask(tracing *telemetry.Tracing, status int, do func(context.Context), headers ...string) context.Context {
	r := httptest.NewRequest(http.MethodGet, "/x?password=hunter2", nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	ctx, end := tracing.Request("/livez")(r, "an-id")
	if do != nil {
		do(ctx)
	}
	end("/{x}", status)
	return ctx
}

// quoted is a text among the facts.
func quoted(s string) string { return `"` + s + `"` }

func failed(s heard) bool { return s.GetStatus().GetCode() == trace.Status_STATUS_CODE_ERROR }

func TestOnlyAFaultOfOursIsMarked(t *testing.T) {
	for status, want := range map[int]bool{200: false, 304: false, 401: false, 404: false, 429: false, 500: true, 503: true, 507: true} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			got := spans(t, func(tracing *telemetry.Tracing) { ask(tracing, status, nil) })["GET /{x}"]
			if len(got) != 1 || failed(got[0]) != want || got[0].facts["http.response.status_code"] != fmt.Sprint(status) ||
				got[0].facts["http.route"] != quoted("/{x}") || got[0].facts["http.request.method"] != quoted("GET") || got[0].facts["keyport.request.id"] != quoted("an-id") {
				t.Errorf("%v", got)
			}
		})
	}
}

// refused is an error with a code of a database's.
type refused string

func (refused) Error() string      { return "duplicate key value violates: hunter2" }
func (r refused) SQLState() string { return string(r) }

func TestOfAnErrorOnlyItsKindIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		kind string
		ours bool
	}{
		"a caller's":              {domain.ErrInvalidCredentials.Because(errors.New("hunter2")), domain.ErrInvalidCredentials.Code, false},
		"a store that is away":    {fmt.Errorf("hunter2: %w", domain.ErrUnavailable), domain.ErrUnavailable.Code, true},
		"too much to do":          {domain.ErrBusy, domain.ErrBusy.Code, true},
		"a clash in the database": {refused("23505"), "23505", false},
		"a fault of the database": {refused("57P01"), "57P01", true},
		"a client that went":      {context.Canceled, "canceled", false},
		"time that ran out":       {context.DeadlineExceeded, "timeout", true},
		"an accident":             {errors.New("hunter2"), "_OTHER", true},
	} {
		t.Run(name, func(t *testing.T) {
			all := spans(t, func(tracing *telemetry.Tracing) {
				ask(tracing, 200, func(ctx context.Context) {
					_, end := tracing.Span()(ctx, "verb")
					end(c.err)
				})
			})
			got := all["verb"]
			if len(got) != 1 || got[0].facts["error.type"] != quoted(c.kind) || failed(got[0]) != c.ours || strings.Contains(got[0].String(), "hunter2") {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestOnlyARequestBeginsATrace(t *testing.T) {
	all := spans(t, func(tracing *telemetry.Tracing) {
		for _, span := range []ports.Span{tracing.Span(), tracing.Statements("sqlite")} {
			ctx, end := span.Begin(t.Context(), "SELECT 1")
			end(nil)
			if ctx != t.Context() {
				t.Error("what is in no request has a context of its own")
			}
		}
		probe := httptest.NewRequest(http.MethodGet, "/livez", nil)
		ctx, end := tracing.Request("/livez")(probe, "an-id")
		_, done := tracing.Span()(ctx, "asked by a probe")
		done(nil)
		end("/livez", 200)
	})
	if len(all) != 0 {
		t.Errorf("%v", slices.Collect(maps.Keys(all)))
	}
}

func TestACallersTraceGoesOn(t *testing.T) {
	const id, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	const sampled = "00-" + id + "-" + parent + "-01"
	for name, c := range map[string]struct {
		headers []string
		joins   bool
	}{
		"by a traceparent":        {[]string{"traceparent", sampled}, true},
		"with a state, not taken": {[]string{"traceparent", sampled, "tracestate", "a=hunter2", "baggage", "b=hunter2"}, true},
		"not by two":              {[]string{"traceparent", sampled, "traceparent", sampled}, false},
		"not by a torn one":       {[]string{"traceparent", sampled[:40]}, false},
		"not by zeros":            {[]string{"traceparent", "00-" + strings.Repeat("0", 32) + "-" + parent + "-01"}, false},
		"not by a long one":       {[]string{"traceparent", sampled + strings.Repeat("-00", 4000)}, false},
		"not by another header":   {[]string{"b3", id + "-" + parent + "-1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := spans(t, func(tracing *telemetry.Tracing) { ask(tracing, 200, nil, c.headers...) })["GET /{x}"]
			if len(got) != 1 {
				t.Fatal(got)
			}
			joins := fmt.Sprintf("%x", got[0].GetTraceId()) == id && fmt.Sprintf("%x", got[0].GetParentSpanId()) == parent
			if joins != c.joins || got[0].GetTraceState() != "" || strings.Contains(got[0].String(), "hunter2") {
				t.Errorf("%v", got[0])
			}
		})
	}
}

func TestARequestHasABoundedNumberOfParts(t *testing.T) {
	all := spans(t, func(tracing *telemetry.Tracing) {
		ask(tracing, 200, func(ctx context.Context) {
			for range 300 {
				_, end := tracing.Statements("sqlite")(ctx, "SELECT id FROM ships")
				end(nil)
			}
		})
	})
	root := all["GET /{x}"]
	if n := len(all["SELECT ships"]); n != 256 || len(root) != 1 || root[0].facts["keyport.parts.left_out"] != "44" {
		t.Errorf("%d parts, and %v", n, root)
	}
}

func TestAStatementIsItsVerbAndItsTables(t *testing.T) {
	for text, want := range map[string]string{
		"begin": "BEGIN", "COMMIT": "COMMIT", "PRAGMA schema_version": "PRAGMA", "SELECT": "SELECT", "select 1": "SELECT",
		"SELECT id FROM sessions WHERE id = $1::uuid":                                                                                     "SELECT sessions",
		"SELECT a.id FROM sessions s JOIN accounts a ON a.id = s.account":                                                                 "SELECT sessions accounts",
		"SELECT 'INSERT INTO secrets', \"DELETE FROM x\" FROM ships":                                                                      "SELECT ships",
		"DELETE FROM sessions WHERE account = $1 AND id IS DISTINCT FROM $2::uuid RETURNING id":                                           "DELETE sessions",
		"INSERT INTO sessions (id, account) SELECT $1, id FROM accounts":                                                                  "INSERT sessions",
		"INSERT INTO a (b) VALUES ($1) ON CONFLICT (b) DO UPDATE SET c = 1":                                                               "INSERT a",
		"UPDATE credentials c SET hash = $3::text FROM held WHERE c.account = held.id":                                                    "UPDATE credentials",
		"SELECT x FROM unnest($1::text[]) t":                                                                                              "SELECT",
		"SELECT x FROM (SELECT y FROM ships FOR UPDATE) q":                                                                                "SELECT ships",
		"WITH held AS (SELECT id FROM accounts FOR SHARE), opened AS (INSERT INTO sessions (id) SELECT id FROM held) SELECT id FROM held": "INSERT sessions",
		"WITH held AS (SELECT id FROM accounts FOR SHARE) SELECT id FROM held":                                                            "SELECT accounts",
		"SELECT a FROM b JOIN c ON true JOIN d ON true JOIN e ON true JOIN f ON true JOIN b ON true":                                      "SELECT b c d e",
		"": "", "'": "", "\xff\x00 $1 SELECT ' FROM x": "SELECT x",
	} {
		all := spans(t, func(tracing *telemetry.Tracing) {
			ask(tracing, 200, func(ctx context.Context) {
				_, end := tracing.Statements("postgresql")(ctx, text)
				end(nil)
			})
		})
		got := all[want]
		if len(got) != 1 || got[0].facts["db.system.name"] != quoted("postgresql") || got[0].facts["db.query.summary"] != quoted(want) || got[0].GetKind() != trace.Span_SPAN_KIND_CLIENT {
			t.Errorf("%q: want %q among %v", text, want, slices.Collect(maps.Keys(all)))
		}
	}
}

func TestWhatIsNotSampledIsNotSent(t *testing.T) {
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	var line string
	all := spans(t, func(tracing *telemetry.Tracing) {
		var b bytes.Buffer
		log := tracing.Log(slog.New(slog.NewTextHandler(&b, nil)).With("x", 1).WithGroup("g"))
		ctx := ask(tracing, 500, func(ctx context.Context) {
			_, end := tracing.Span()(ctx, "verb")
			end(nil)
		})
		log.InfoContext(ctx, "request")
		log.Info("not of a request")
		line = b.String()
	})
	if len(all) != 0 {
		t.Errorf("%v", all)
	}
	if first, second, _ := strings.Cut(line, "\n"); !strings.Contains(first, "trace_id=") || strings.Contains(second, "trace_id=") {
		t.Errorf("the log tells %s", line)
	}
}

func TestTracingIsOffUnlessAnEndpointIsNamed(t *testing.T) {
	const endpoint = "http://127.0.0.1:4318"
	for name, env := range map[string]map[string]string{
		"nothing is said":      {},
		"a service is named":   {"OTEL_SERVICE_NAME": "x", "OTEL_TRACES_SAMPLER": "always_on"},
		"it is switched off":   {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SDK_DISABLED": "TRUE"},
		"there is no exporter": {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": endpoint, "OTEL_TRACES_EXPORTER": "none"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range env {
				t.Setenv(k, v)
			}
			off, err := telemetry.OpenTracing(t.Context(), "v1.2.3", slog.Default())
			if err != nil || off != nil {
				t.Fatal(off, err)
			}
			// All of it may be used as it is.
			log := slog.New(slog.DiscardHandler)
			if off.Span() != nil || off.Statements("sqlite") != nil || off.Request() != nil || off.Log(log) != log {
				t.Error("what is off is not nil")
			}
			off.Close(t.Context())
			if sent, lost := off.Sent(); sent != 0 || lost != 0 {
				t.Error(sent, lost)
			}
		})
	}
}

func TestWhatCannotBeObeyedIsToldAllAtOnce(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_TRACES_EXPORTER": "console", "OTEL_EXPORTER_OTLP_ENDPOINT": "me:hunter2@collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
		"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "ten percent",
	} {
		t.Setenv(name, value)
	}
	_, err := telemetry.OpenTracing(t.Context(), "v1.2.3", slog.Default())
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatal(err)
	}
	t.Setenv("OTEL_TRACES_SAMPLER", "now_and_then")
	_, other := telemetry.OpenTracing(t.Context(), "v1.2.3", slog.Default())
	err = errors.Join(err, other)
	for _, want := range []string{"OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", `"ten percent"`, `"now_and_then"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not told in %v", want, err)
		}
	}
}

func TestSpansArePackedWhereThatIsAskedFor(t *testing.T) {
	packed := make(chan bool, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := gzip.NewReader(r.Body)
		packed <- err == nil
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	tracing, err := telemetry.OpenTracing(t.Context(), "v1.2.3", slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	ask(tracing, 200, nil)
	tracing.Close(t.Context())
	if !<-packed {
		t.Error("it is not packed")
	}
}

// TestClosingLetsGo of a collector that never answers, and leaves nothing behind.
func TestClosingLetsGo(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	over, reached := make(chan struct{}), make(chan struct{}, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		reached <- struct{}{}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	defer collector.Close()
	defer close(over)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	var log bytes.Buffer
	tracing, err := telemetry.OpenTracing(t.Context(), "v1.2.3", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ask(tracing, 200, nil)
	waiting, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	tracing.Close(waiting)
	if !strings.Contains(log.String(), "traces are not taken") {
		t.Errorf("that they are left behind is not told: %s", &log)
	}
}
