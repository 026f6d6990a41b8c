package telemetry_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/telemetry"
)

func scrape(t *testing.T, m *telemetry.Metrics) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	return strings.Split(w.Body.String(), "\n")
}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	there := make(map[string]bool)
	for _, line := range got {
		there[line] = true
	}
	for _, line := range want {
		if !there[line] {
			t.Errorf("no line %s", line)
		}
	}
}

func TestRequestsAreCountedByRouteMethodAndStatus(t *testing.T) {
	m := telemetry.New("v1.2.3")
	const route = "/v1/collections/{name}/records"
	m.ObserveRequest(route, "GET", 200, 300*time.Microsecond)
	m.ObserveRequest(route, "GET", 200, 2*time.Second)
	m.ObserveRequest(route, "POST", 422, time.Millisecond)
	wantLines(t, scrape(t, m),
		`keyport_http_requests_total{method="GET",route="`+route+`",status="200"} 2`,
		`keyport_http_requests_total{method="POST",route="`+route+`",status="422"} 1`,
		`keyport_http_request_duration_seconds_bucket{method="GET",route="`+route+`",le="0.0005"} 1`,
		`keyport_http_request_duration_seconds_bucket{method="GET",route="`+route+`",le="2.5"} 2`,
		`keyport_http_request_duration_seconds_sum{method="GET",route="`+route+`"} 2.0003`,
		`keyport_http_request_duration_seconds_count{method="POST",route="`+route+`"} 1`,
	)
}

func TestCallersCannotMakeUpLabels(t *testing.T) {
	m := telemetry.New("v1.2.3")
	for i := range 100 {
		m.ObserveRequest("", fmt.Sprintf("BREW%d", i), 600+i, 0)
	}
	lines := scrape(t, m)
	wantLines(t, lines, `keyport_http_requests_total{method="other",route="none",status="other"} 100`)
	for _, line := range lines {
		if strings.Contains(line, "BREW") {
			t.Error(line)
		}
	}
}

func TestWhatOthersCountIsReadWhenSomebodyLooks(t *testing.T) {
	m := telemetry.New("v1.2.3")
	var waiting, refused float64
	m.Gauge("keyport_hashes_waiting", "Hashes that wait.", func() float64 { return waiting })
	m.Counter("keyport_hashes_refused_total", "Hashes that were refused.", func() float64 { return refused })
	waiting, refused = 7, 2
	wantLines(t, scrape(t, m),
		"# HELP keyport_hashes_waiting Hashes that wait.", "# TYPE keyport_hashes_waiting gauge", "keyport_hashes_waiting 7",
		"# TYPE keyport_hashes_refused_total counter", "keyport_hashes_refused_total 2")
	waiting = 0
	wantLines(t, scrape(t, m), "keyport_hashes_waiting 0")
}

func TestANameIsTakenOnce(t *testing.T) {
	m := telemetry.New("v1.2.3")
	m.Gauge("keyport_x", "X.", func() float64 { return 0 })
	defer func() {
		if recover() == nil {
			t.Error("a second metric has the same name")
		}
	}()
	m.Counter("keyport_x", "X.", func() float64 { return 0 })
}

func TestAChoreIsSeenBeforeItWasDone(t *testing.T) {
	m := telemetry.New("v1.2.3")
	m.ExpectChore("turning keys")
	wantLines(t, scrape(t, m),
		`keyport_chore_runs_total{chore="turning keys",outcome="done"} 0`, `keyport_chore_runs_total{chore="turning keys",outcome="failed"} 0`)
	m.ObserveChore("turning keys", nil)
	m.ObserveChore("turning keys", errors.New("the store is away"))
	m.ObserveChore("turning keys", errors.New("the store is away"))
	lines := scrape(t, m)
	wantLines(t, lines,
		`keyport_chore_runs_total{chore="turning keys",outcome="done"} 1`, `keyport_chore_runs_total{chore="turning keys",outcome="failed"} 2`)
	if !slices.ContainsFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, `keyport_chore_done_timestamp_seconds{chore="turning keys"} 1.`)
	}) {
		t.Error("when it was done is not told")
	}
}

func TestTwoRegistriesDoNotMeet(t *testing.T) {
	one, other := telemetry.New("v1"), telemetry.New("v2")
	one.ObserveRequest("/", "GET", 200, 0)
	if text := strings.Join(scrape(t, other), "\n"); strings.Contains(text, "keyport_http_requests_total{") {
		t.Error("a request of one is counted by the other")
	}
}

func TestBuildRuntimeAndProcessAreShown(t *testing.T) {
	lines := scrape(t, telemetry.New("v1.2.3"))
	wantLines(t, lines, fmt.Sprintf(`keyport_build_info{goversion=%q,version="v1.2.3"} 1`, runtime.Version()), "# TYPE go_goroutines gauge")
	if runtime.GOOS == "linux" {
		wantLines(t, lines, "# TYPE process_resident_memory_bytes gauge")
	}
}

func TestManyMayCountWhileOthersLook(t *testing.T) {
	m := telemetry.New("v1.2.3")
	var together sync.WaitGroup
	for range 8 {
		together.Go(func() {
			for range 100 {
				m.ObserveRequest("/v1/me", "GET", 200, time.Millisecond)
			}
			scrape(t, m)
		})
	}
	together.Wait()
	wantLines(t, scrape(t, m), `keyport_http_requests_total{method="GET",route="/v1/me",status="200"} 800`)
}
