package main_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

const (
	masterKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	callers   = "4bf92f3577b34da6a3ce929d0e0e4736" // somebody else's trace
	parent    = "00f067aa0ba902b7"
)

// TestTraces holds what a collector hears of a visit against what was done.
func TestTraces(t *testing.T) {
	t.Run("on SQLite", func(t *testing.T) {
		traces(t, nil, map[string][]string{
			"POST /v1/sessions": {
				"accounts.Authenticate", "  SELECT logins accounts credentials", "  password.wait", "  password.hash",
				"tokens.Open", "  BEGIN", "  INSERT sessions", "  COMMIT",
			},
			"GET /v1/collections/{name}/records/{id}": {"tokens.Check", "resources.Get", "  SELECT collections records"},
		})
	})
	t.Run("on PostgreSQL", func(t *testing.T) {
		traces(t, []string{"KEYPORT_DATABASE_URL=" + pgtest.Database(t, nil), "KEYPORT_MASTER_KEY=" + masterKey}, map[string][]string{
			"POST /v1/sessions": {
				"accounts.Authenticate", "  SELECT logins accounts credentials", "  password.wait", "  password.hash",
				"tokens.Open", "  INSERT sessions",
			},
			"GET /v1/collections/{name}/records/{id}": {"tokens.Check", "resources.Get", "  SELECT collections records"},
		})
	})
}

func traces(t *testing.T, env []string, want map[string][]string) {
	const ships = "/v1/collections/ships/records"
	c := collect(t)
	env = append(
		env, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_EXPORTER_OTLP_HEADERS=x-tenant=harbour", "OTEL_BSP_SCHEDULE_DELAY=100",
		"OTEL_SERVICE_NAME=keyport-of-a-test", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=trial",
	)
	k := start(t, env, "serve", "--demo", "--dir", t.TempDir())
	v := visit(t, k)

	// Nothing of these words may be in a span.
	secrets := []string{"correct horse battery", "wrong horse battery", masterKey, k.AdminPassword, "Firefly", "adalovelace", "whispered", "ro=00f067aa0ba902b7"}
	v.want(201, "POST", "/v1/accounts", map[string]string{"username": "adalovelace", "password": "correct horse battery"}, nil)
	v.want(401, "POST", "/v1/sessions", map[string]string{"login": "adalovelace", "password": "wrong horse battery"}, nil)
	var grant process.Grant
	v.want(201, "POST", "/v1/sessions", map[string]string{"login": "adalovelace", "password": "correct horse battery"}, &grant)
	secrets = append(secrets, grant.AccessToken, grant.RefreshToken, grant.RefreshToken[4:])
	secrets = append(secrets, strings.Split(grant.AccessToken, ".")...)
	v.token = grant.AccessToken
	var made record
	v.want(201, "POST", ships, ship("Firefly 03-K64"), &made)
	v.want(200, "PATCH", ships+"/"+made.ID, map[string]any{"data": map[string]any{"model": "Firefly 04"}}, nil, "If-Match", `"1"`)
	v.want(200, "GET", ships+"?filter="+url.QueryEscape("record.data.model == 'Firefly 04'"), nil, nil)
	v.want(200, "GET", ships+"/"+made.ID, nil, nil)
	v.want(200, "GET", "/v1/me", nil, nil, "Traceparent", "00-"+callers+"-"+parent+"-01", "Tracestate", "ro=00f067aa0ba902b7", "Baggage", "k=whispered")
	v.want(404, "GET", "/"+grant.RefreshToken, nil, nil)
	v.token = ""
	for _, probe := range []string{"/livez", "/readyz"} {
		v.want(200, "GET", probe, nil, nil)
	}
	if err := v.Want(t.Context(), 200, process.Refreshing(grant.RefreshToken), &grant); err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, grant.AccessToken, grant.RefreshToken)
	if code, err := k.Stop(); err != nil || code != 0 {
		t.Fatalf("it ended with %d, %v:\n%s", code, err, k.Log())
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.headers.Get("X-Tenant") != "harbour" || c.service["service.name"] != "keyport-of-a-test" || c.service["deployment.environment.name"] != "trial" || c.service["service.version"] == "" {
		t.Errorf("%v %v", c.headers, c.service)
	}
	for _, secret := range secrets {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), url.QueryEscape(secret)} {
			if form != "" && strings.Contains(c.raw.String(), form) {
				t.Errorf("the collector is told %q", secret)
			}
		}
	}
	for name, parts := range want {
		all := c.roots(name)
		if len(all) == 0 {
			t.Errorf("no %s among %v", name, names(c.spans))
			continue
		}
		if diff := cmp.Diff(parts, c.below(all[len(all)-1])); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
	for _, name := range []string{"POST /v1/accounts", "POST " + strings.Replace(ships, "ships", "{name}", 1), "PATCH /v1/collections/{name}/records/{id}", "POST /v1/token"} {
		if got := c.roots(name); len(got) != 1 || len(c.below(got[0])) < 2 {
			t.Errorf("%s: %v", name, got)
		}
	}
	whole := make(map[string]bool) // the traces that have a request
	for _, s := range c.spans {
		if s.GetKind() != trace.Span_SPAN_KIND_SERVER {
			continue
		}
		whole[text(s.GetTraceId())] = true
		told := attributes(s.GetAttributes())
		if told["url.path"] != "" || told["url.query"] != "" || strings.Contains(s.GetName(), "livez") || strings.Contains(s.GetName(), "readyz") || s.GetTraceState() != "" {
			t.Errorf("%v", s)
		}
		if s.GetStatus().GetCode() == trace.Status_STATUS_CODE_ERROR {
			t.Errorf("%s is told as an error, and is none", s.GetName())
		}
	}
	for _, s := range c.spans {
		if !whole[text(s.GetTraceId())] {
			t.Errorf("%s belongs to no request", s.GetName())
		}
	}
	me := c.roots("GET /v1/me")
	if len(me) != 1 || text(me[0].GetTraceId()) != callers || text(me[0].GetParentSpanId()) != parent {
		t.Fatalf("the caller's trace does not go on: %v", me)
	}
	if !strings.Contains(k.Log(), `"route":"/v1/me"`) || !strings.Contains(k.Log(), `"trace_id":"`+callers+`"`) {
		t.Errorf("the log does not tell the trace:\n%s", k.Log())
	}
}

func names(spans []*trace.Span) (all []string) {
	for _, s := range spans {
		all = append(all, s.GetName())
	}
	return all
}

// TestACollectorThatIsAwayStopsNothing: one that refuses connections, one that says
// no, and one that takes them and never answers.
func TestACollectorThatIsAwayStopsNothing(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	no := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer no.Close()
	over := make(chan struct{})
	mute := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer mute.Close()
	defer close(over)
	for name, collector := range map[string]string{"away": away.URL, "unwilling": no.URL, "mute": mute.URL} {
		t.Run(name, func(t *testing.T) {
			k := start(t, []string{
				"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector, "OTEL_BSP_SCHEDULE_DELAY=20", "OTEL_BSP_MAX_QUEUE_SIZE=8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=4",
				"OTEL_EXPORTER_OTLP_TIMEOUT=60000",
			}, "serve")
			v := visit(t, k)
			for i := range 20 {
				v.want(404, "GET", fmt.Sprintf("/v1/collections/none%d", i), nil, nil)
			}
			if code, err := k.Stop(); err != nil || code != 0 {
				t.Fatalf("it ended with %d, %v:\n%s", code, err, k.Log())
			}
			if n := strings.Count(k.Log(), "traces are not taken"); n != 1 {
				t.Errorf("it is told %d times:\n%s", n, k.Log())
			}
		})
	}
}
