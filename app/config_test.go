package app_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/app"
)

const manualHead = `# Configuration

Keyport is configured by environment variables alone. ` + "`keyport env`" + ` prints this table; a name that is not in it is refused at start, and all
faults are told at once. Times are written like 90s, 10m or 720h.

`

const manualTail = `
## Traces

Traces go to a collector that takes OTLP over HTTP, as the usual variables of OpenTelemetry say. Without an endpoint there are none, and they cost nothing.

| name | meaning |
| --- | --- |
| ` + "`OTEL_EXPORTER_OTLP_ENDPOINT`" + ` | The collector, such as http://collector:4318. ` + "`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`" + ` is the whole URL, and preferred. |
| ` + "`OTEL_EXPORTER_OTLP_HEADERS`" + ` | Headers for the collector: name=value, with commas between. |
| ` + "`OTEL_SERVICE_NAME`" + ` | The name of the service; without it, keyport. |
| ` + "`OTEL_RESOURCE_ATTRIBUTES`" + ` | What else is told of this replica: name=value, with commas between. |
| ` + "`OTEL_TRACES_SAMPLER`" + `, ` + "`OTEL_TRACES_SAMPLER_ARG`" + ` | Which requests are traced: parentbased_always_on without them; parentbased_traceidratio and 0.01 trace one in a hundred. |
| ` + "`OTEL_TRACES_EXPORTER`" + ` | otlp, or none for no traces. |
| ` + "`OTEL_SDK_DISABLED`" + ` | true for no traces. |

Those that time, compress and secure the exporting, and that bound the queue (` + "`OTEL_EXPORTER_OTLP_TIMEOUT`, `…_COMPRESSION`, `…_CERTIFICATE`, `OTEL_BSP_…`" + `), mean what OpenTelemetry says. What
Keyport cannot do, such as OTLP over gRPC, is refused at start.

A request with a ` + "`traceparent`" + ` becomes part of that trace. With a sampler that is called parentbased, whoever sends one also says whether the request is traced: where
anybody may send one, choose traceidratio, which does not ask them. ` + "`tracestate` and `baggage`" + ` are neither kept nor handed on. Spans hold routes, names of tables and codes of errors, and
nothing of what was sent or is stored. Of one request at most 256 parts are traced. Probes, and those who ask for ever what was revoked, are not traced. A collector that is away slows nothing: what
cannot be sent is dropped, and counted by ` + "`keyport_trace_spans_lost_total`" + `.
`

// TestManual holds docs/configuration.md to what the program reads.
func TestManual(t *testing.T) {
	got := bytes.NewBufferString(manualHead)
	if err := app.Usage(got); err != nil {
		t.Fatal(err)
	}
	got.WriteString(manualTail)
	const file = "../docs/configuration.md"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is stale; run with -update (%v)", file, err)
	}
}

func TestFaultsAreToldAllAtOnce(t *testing.T) {
	for name, value := range map[string]string{
		"KEYPORT_ACCESS_TTL":      "2h",
		"KEYPORT_PASSWORD_MIN":    "4",
		"KEYPORT_HTTP_ADDR":       "0.0.0.0:8080",
		"KEYPORT_DATABASE_URL":    "mysql://me:hunter2@db",
		"KEYPORT_CORS_ORIGINS":    "https://a.example/,*,https://*.b.example",
		"KEYPORT_TRUSTED_PROXIES": "10.0.0.1",
		"KEYPORT_ACESS_TTL":       "1m",
		"KEYPORT_LOG_LEVEL":       "loud",
	} {
		t.Setenv(name, value)
	}
	_, err := app.Load()
	if err == nil {
		t.Fatal("it was loaded")
	}
	for _, want := range []string{
		"KEYPORT_ACCESS_TTL is 2h", "KEYPORT_PASSWORD_MIN is 4", "KEYPORT_PUBLIC_URL", "KEYPORT_DATABASE_URL: want", `"https://a.example/"`, `"*"`, `"https://*.b.example"`,
		`"10.0.0.1" is no CIDR`, "KEYPORT_ACESS_TTL: there is no such setting", "KEYPORT_LOG_LEVEL: want",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a secret is told in:\n%v", err)
	}
}

func TestDefaultsAreGood(t *testing.T) {
	c, err := app.Load()
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTPAddr != "127.0.0.1:8080" || c.PasswordMin != 15 {
		t.Errorf("%+v", c)
	}
}

// A Service called keyport makes Kubernetes set these in every pod beside it.
func TestServiceLinksAreNotTakenForSettings(t *testing.T) {
	t.Setenv("KEYPORT_PORT", "tcp://10.0.0.1:8080")
	t.Setenv("KEYPORT_SERVICE_HOST", "10.0.0.1")
	t.Setenv("KEYPORT_PORT_8080_TCP_ADDR", "10.0.0.1")
	t.Setenv("KEYPORT_TEST_DATABASE_URL", "postgres://localhost")
	if _, err := app.Load(); err != nil {
		t.Error(err)
	}
}

func TestPostgresWantsAMasterKey(t *testing.T) {
	t.Setenv("KEYPORT_DATABASE_URL", "postgres://localhost/keyport")
	if _, err := app.Load(); err == nil || !strings.Contains(err.Error(), "KEYPORT_MASTER_KEY: required") {
		t.Error(err)
	}
	t.Setenv("KEYPORT_MASTER_KEY", strings.Repeat("0", 64))
	if _, err := app.Load(); err != nil {
		t.Error(err)
	}
}
