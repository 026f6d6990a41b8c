// Package telemetry shows operators what Keyport does: metrics in the form that
// Prometheus reads, traces for a collector that speaks OTLP, and a structured log.
// Nothing else of Keyport knows Prometheus or OpenTelemetry.
//
// It knows what a request is, and nothing of the other adapters: what they count
// reaches it as functions.
package telemetry

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// buckets are the bounds of the histogram, in seconds: from a read that is
// answered from memory to a sign-in that waited its turn.
var buckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics count what happens. All methods are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	chores   *prometheus.CounterVec
	done     *prometheus.GaugeVec
}

// New returns metrics in a registry of their own, with those of the Go runtime
// and of the process, and keyport_build_info for the given version.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keyport_http_requests_total",
			Help: "Requests answered.",
		}, []string{"route", "method", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "keyport_http_request_duration_seconds",
			Help:    "Time from the head of a request to the end of its answer.",
			Buckets: buckets,
		}, []string{"route", "method"}),
		chores: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keyport_chore_runs_total",
			Help: "What has to be done from time to time, and whether it was done or failed.",
		}, []string{"chore", "outcome"}),
		done: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "keyport_chore_done_timestamp_seconds",
			Help: "When it was last done; before the first time, when this replica started.",
		}, []string{"chore"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "keyport_build_info",
		Help:        "Always 1; the labels say what was built.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.duration, m.chores, m.done, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers with all metrics as they are at the moment. It is for the
// private listener.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// ObserveRequest counts one answered request. route is the pattern that matched,
// never the path that was asked for; "" stands for none and is shown as "none".
// A method that Keyport does not serve, and a status outside 100 to 599, are
// shown as "other", so that callers cannot make up labels.
func (m *Metrics) ObserveRequest(route, method string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	method = methodLabel(method)
	m.requests.WithLabelValues(route, method, statusLabel(status)).Inc()
	m.duration.WithLabelValues(route, method).Observe(took.Seconds())
}

// The outcomes of a chore.
const (
	choreDone   = "done"
	choreFailed = "failed"
)

// ExpectChore shows a chore before it was first done, so that what is never done is
// seen too.
func (m *Metrics) ExpectChore(name string) {
	m.chores.WithLabelValues(name, choreDone)
	m.chores.WithLabelValues(name, choreFailed)
	m.done.WithLabelValues(name).SetToCurrentTime()
}

// ObserveChore counts one run of a chore, which failed with err or did not.
func (m *Metrics) ObserveChore(name string, err error) {
	if err != nil {
		m.chores.WithLabelValues(name, choreFailed).Inc()
		return
	}
	m.chores.WithLabelValues(name, choreDone).Inc()
	m.done.WithLabelValues(name).SetToCurrentTime()
}

// Gauge shows what f returns each time that somebody looks. f is called from
// many goroutines and must be quick. Gauge panics if the name is taken or is no
// name of a metric.
func (m *Metrics) Gauge(name, help string, f func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
}

// Counter is Gauge for what only ever grows.
func (m *Metrics) Counter(name, help string, f func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, f))
}

func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func statusLabel(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return strconv.Itoa(status)
}
