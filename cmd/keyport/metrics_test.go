package main_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
	"github.com/keyport-go/keyport/cmd/internal/process"
)

// A family is a metric as processes show it.
type family struct {
	kind, help string
	labels     map[string]map[string]bool // and their values
	on         []string                   // the stores with which it is there
}

var (
	sample = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$`)
	pair   = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"`)
)

// metrics returns what processes on both stores show after a little traffic.
func metrics(t *testing.T) map[string]*family {
	t.Helper()
	all := make(map[string]*family)
	for store, env := range map[string][]string{
		"SQLite":     nil,
		"PostgreSQL": {"KEYPORT_DATABASE_URL=" + pgtest.Database(t, nil), "KEYPORT_MASTER_KEY=" + masterKey},
	} {
		k := start(t, env, "serve", "--demo", "--dir", t.TempDir())
		traffic(t, k)
		ops := k.Ops()
		defer ops.Close()
		a, err := ops.Send(t.Context(), process.Request{Method: http.MethodGet, Path: "/metrics"})
		if err != nil || a.Status != http.StatusOK {
			t.Fatal(a, err)
		}
		read(t, all, store, string(a.Body))
	}
	return all
}

// traffic is enough for every metric that has labels to have some.
func traffic(t *testing.T, k *process.Keyport) {
	t.Helper()
	v := visit(t, k)
	v.want(201, "POST", "/v1/accounts", map[string]string{"username": "ada", "password": "fifteen characters"}, nil)
	grant, err := v.SignIn(t.Context(), "ada", "fifteen characters")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Refresh(t.Context(), grant.RefreshToken); err != nil {
		t.Fatal(err)
	}
	v.token = grant.AccessToken
	v.want(200, "GET", "/v1/collections/ships/records", nil, nil)
	v.want(200, "GET", "/readyz", nil, nil)
	v.want(404, "GET", "/nowhere", nil, nil)
}

// read adds a page in the form of Prometheus (text, version 0.0.4).
func read(t *testing.T, all map[string]*family, store, page string) {
	t.Helper()
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if text, is := strings.CutPrefix(line, "# HELP "); is {
			name, help, _ := strings.Cut(text, " ")
			if all[name] == nil {
				all[name] = &family{help: help, labels: make(map[string]map[string]bool)}
			}
			all[name].on = append(all[name].on, store)
			continue
		}
		if text, is := strings.CutPrefix(line, "# TYPE "); is {
			name, kind, _ := strings.Cut(text, " ")
			all[name].kind = kind
			continue
		}
		found := sample.FindStringSubmatch(line)
		if found == nil {
			t.Fatalf("no sample: %s", line)
		}
		f := all[base(all, found[1])]
		for _, p := range pair.FindAllStringSubmatch(found[2], -1) {
			if f.labels[p[1]] == nil {
				f.labels[p[1]] = make(map[string]bool)
			}
			f.labels[p[1]][p[2]] = true
		}
	}
}

// base returns the name under which a sample's metric is listed.
func base(all map[string]*family, name string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if short, is := strings.CutSuffix(name, suffix); is && all[short] != nil && (all[short].kind == "histogram" || all[short].kind == "summary") {
			return short
		}
	}
	return name
}

const metricsHead = `# Metrics

The private listener, ` + "`KEYPORT_OPS_ADDR`" + `, answers ` + "`/metrics`" + ` in the form of Prometheus. This table is what processes on both stores showed; beside it there
are the metrics of the Go runtime and of the process, ` + "`go_…` and `process_…`" + `, under their usual names. Labels are bounded: a route is the pattern that matched, or
` + "`none`" + `, and methods and statuses that do not exist are ` + "`other`" + `. What is counted is counted a replica, since it started.

The dashboard and the alerts are in [deploy/monitoring](../deploy/monitoring); [the runbook](runbook.md) says what to do when one fires.

| metric | type | labels | with | meaning |
| --- | --- | --- | --- | --- |
`

// TestMetricsAreListed holds docs/metrics.md to what processes show.
func TestMetricsAreListed(t *testing.T) {
	all := metrics(t)
	got := bytes.NewBufferString(metricsHead)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		if !strings.HasPrefix(name, "keyport_") {
			continue
		}
		labels := slices.Sorted(maps.Keys(f.labels))
		labels = slices.DeleteFunc(labels, func(l string) bool { return l == "le" })
		with := "both"
		if len(f.on) == 1 {
			with = f.on[0]
		}
		fmt.Fprintf(got, "| `%s` | %s | %s | %s | %s |\n", name, f.kind, strings.Join(labels, ", "), with, f.help)
		if strings.HasSuffix(name, "_total") != (f.kind == "counter") {
			t.Errorf("%s is a %s", name, f.kind)
		}
	}
	const file = "../../docs/metrics.md"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is stale; run with -update (%v):\n%s", file, err, got)
	}
}
