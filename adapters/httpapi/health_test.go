package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi"
	"github.com/keyport-go/keyport/domain"
)

// asked returns what /readyz says.
func asked(t *testing.T, a *httpapi.Readiness) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestEachCheckIsNamedWithItsReasonAndNoDriverSpeaks(t *testing.T) {
	driver := errors.New("dial tcp 10.0.0.1:5432: password for keyport: hunter2")
	good := func(context.Context) (string, error) { return "heard 5ms ago", nil }
	for _, c := range []struct {
		name   string
		store  error
		told   string
		status int
		want   string
	}{
		{"all is well", nil, "", 200, `{"status":"ready","checks":[{"name":"serving","ok":true},{"name":"store","ok":true},{"name":"bulletin","ok":true,"detail":"heard 5ms ago"}]}`},
		{
			"the store is away", domain.ErrUnavailable.Because(driver), "", 503,
			`{"status":"not ready","checks":[{"name":"serving","ok":true},{"name":"store","ok":false,"detail":"` + domain.ErrUnavailable.Detail + `"},{"name":"bulletin","ok":true,"detail":"heard 5ms ago"}]}`,
		},
		{
			"a reason for operators", driver, "run keyport migrate", 503,
			`{"status":"not ready","checks":[{"name":"serving","ok":true},{"name":"store","ok":false,"detail":"run keyport migrate"},{"name":"bulletin","ok":true,"detail":"heard 5ms ago"}]}`,
		},
		{
			"an accident", driver, "", 503,
			`{"status":"not ready","checks":[{"name":"serving","ok":true},{"name":"store","ok":false,"detail":"` + domain.ErrInternal.Detail + `"},{"name":"bulletin","ok":true,"detail":"heard 5ms ago"}]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := asked(t, &httpapi.Readiness{Checks: []httpapi.Check{
				{Name: "store", Ask: func(context.Context) (string, error) { return c.told, c.store }},
				{Name: "bulletin", Ask: good},
			}})
			if status != c.status || body != c.want {
				t.Errorf("%d %s\nwant %d %s", status, body, c.status, c.want)
			}
		})
	}
}

func TestAReplicaThatStopsSaysSoAtOnceAndAsksNothing(t *testing.T) {
	stopping, runs := false, 0
	a := &httpapi.Readiness{
		Stopping: func() bool { return stopping },
		Checks:   []httpapi.Check{{Name: "store", Ask: func(context.Context) (string, error) { runs++; return "", nil }}},
	}
	if status, _ := asked(t, a); status != 200 {
		t.Fatal(status)
	}
	stopping = true
	if status, body := asked(t, a); status != 503 || body != `{"status":"not ready","checks":[{"name":"serving","ok":false,"detail":"this replica is about to stop"}]}` || runs != 1 {
		t.Errorf("%d %s, and the store was asked %d times", status, body, runs)
	}
}

func TestHoweverManyProbeTheStoreIsAskedTwiceASecondAndOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs, running, most int
		a := &httpapi.Readiness{Checks: []httpapi.Check{{Name: "store", Ask: func(context.Context) (string, error) {
			runs++
			running++
			most = max(most, running)
			time.Sleep(time.Millisecond) // the bubble's time
			running--
			return "", nil
		}}}}
		var probes sync.WaitGroup
		for range 100 {
			probes.Go(func() {
				for range 100 {
					if status, _ := asked(t, a); status != 200 {
						t.Error(status)
					}
					time.Sleep(30 * time.Millisecond)
				}
			})
		}
		probes.Wait() // 3 s of it
		if most != 1 || runs < 5 || runs > 7 {
			t.Errorf("in 3 s the store was asked %d times, %d at once", runs, most)
		}
	})
}

func TestAStoreThatDoesNotAnswerIsNotWaitedForAndAProbeThatGoesSpoilsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := true
		a := &httpapi.Readiness{Checks: []httpapi.Check{{Name: "store", Ask: func(ctx context.Context) (string, error) {
			if !hangs {
				return "", ctx.Err()
			}
			<-ctx.Done()
			return "", ctx.Err()
		}}}}
		began := time.Now()
		if status, body := asked(t, a); status != 503 || !strings.Contains(body, domain.ErrTimeout.Detail) || time.Since(began) != 1500*time.Millisecond {
			t.Errorf("%d %s after %v", status, body, time.Since(began))
		}
		hangs = false
		time.Sleep(time.Second)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		a.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, http.MethodGet, "/readyz", nil))
		if status, body := asked(t, a); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	})
}
