package main_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// An alert is a rule of deploy/monitoring/alerts.yaml.
type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

const (
	alertsFile    = "../../deploy/monitoring/alerts.yaml"
	dashboardFile = "../../deploy/monitoring/dashboard.json"
	runbookFile   = "../../docs/runbook.md"
	runbook       = "https://github.com/keyport-go/keyport/blob/main/docs/runbook.md"
)

func alerts(t *testing.T) (all []alert) {
	t.Helper()
	text, err := os.Open(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	var file struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}
	d := yaml.NewDecoder(text)
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there are no alerts")
	}
	return all
}

// expressions returns what the dashboard asks, by the titles of its panels.
func expressions(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]string)
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			expression := strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")
			for _, label := range legend.FindAllStringSubmatch(target.LegendFormat, -1) {
				expression = "sum by (" + label[1] + ") (" + expression + ")"
			}
			all[p.Title] = append(all[p.Title], expression)
		}
	}
	for _, v := range board.Templating.List {
		if found := values.FindStringSubmatch(v.Definition); found != nil {
			all["the choice of "+v.Name] = []string{"sum by (" + found[2] + ") (" + found[1] + ")"}
		}
	}
	if len(all) < 10 {
		t.Fatalf("the dashboard asks little: %v", all)
	}
	return all
}

var (
	legend = regexp.MustCompile(`\{\{(\w+)\}\}`)
	values = regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`)
)

// scraped is what Prometheus itself adds.
var scraped = []string{"job", "instance"}

// TestWhatIsWatchedExists: each expression can be read, each metric that it names is
// shown by a process, with the labels and the values that it asks for.
func TestWhatIsWatchedExists(t *testing.T) {
	all := metrics(t)
	all["up"] = &family{kind: "gauge"}
	asked := expressions(t)
	for _, a := range alerts(t) {
		asked[a.Alert] = []string{a.Expr}
		for _, label := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(a.Annotations["summary"], -1) {
			if !slices.Contains(scraped, label[1]) {
				t.Errorf("%s tells %s", a.Alert, label[1])
			}
		}
	}
	for who, expressions := range asked {
		for _, expression := range expressions {
			found, err := uses(expression)
			if err != nil || len(found) == 0 {
				t.Errorf("%s: %v", who, err)
			}
			labels := slices.Clone(scraped)
			for _, u := range found {
				if f := all[base(all, u.metric)]; f != nil {
					labels = slices.AppendSeq(labels, maps.Keys(f.labels))
				}
			}
			for _, u := range found {
				f := all[base(all, u.metric)]
				if f == nil {
					t.Errorf("%s: there is no metric %s", who, u.metric)
					continue
				}
				if f.kind == "histogram" && base(all, u.metric) == u.metric {
					t.Errorf("%s: a histogram has no samples called %s", who, u.metric)
				}
				for _, m := range u.match {
					if !matched(f, m) {
						t.Errorf("%s: %s has no %s%s%q", who, u.metric, m.label, m.op, m.value)
					}
				}
				for _, l := range u.by {
					if !slices.Contains(labels, l) {
						t.Errorf("%s: no label %s in %s", who, l, expression)
					}
				}
			}
		}
	}
}

// matched reports whether a metric has the label of a matcher, and in some sample the
// value, unless that is one which only a bad day shows.
func matched(f *family, m matcher) bool {
	if slices.Contains(scraped, m.label) {
		return true
	}
	if f.labels[m.label] == nil {
		return false
	}
	pattern := m.value
	if m.op == "=" || m.op == "!=" {
		pattern = regexp.QuoteMeta(pattern)
	}
	wanted, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		return false
	}
	return m.label == "status" || slices.ContainsFunc(slices.Collect(maps.Keys(f.labels[m.label])), wanted.MatchString)
}

// TestEachAlertHasItsParagraph, and each paragraph its alert.
func TestEachAlertHasItsParagraph(t *testing.T) {
	text, err := os.ReadFile(runbookFile)
	if err != nil {
		t.Fatal(err)
	}
	paragraphs := make(map[string]string)
	for _, part := range strings.Split(string(text), "\n## ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		paragraphs[name] = body
	}
	for _, a := range alerts(t) {
		body, there := paragraphs[a.Alert]
		if !there {
			t.Errorf("%s has no paragraph", a.Alert)
		}
		for _, part := range []string{"**It means**", "**Users see**", "**Look at**", "**Do**", "**It ends**"} {
			if there && !strings.Contains(body, part) {
				t.Errorf("the paragraph of %s has no %s", a.Alert, part)
			}
		}
		if want := runbook + "#" + strings.ToLower(a.Alert); a.Annotations["runbook_url"] != want {
			t.Errorf("%s leads to %s, want %s", a.Alert, a.Annotations["runbook_url"], want)
		}
		if a.Annotations["summary"] == "" || a.Labels["severity"] != "critical" && a.Labels["severity"] != "warning" {
			t.Errorf("%s: %v %v", a.Alert, a.Labels, a.Annotations)
		}
		delete(paragraphs, a.Alert)
	}
	for name := range paragraphs {
		t.Errorf("the paragraph %s has no alert", name)
	}
}

// TestExpressionsThatCannotBeReadAreFound shows that the test above can fail.
func TestExpressionsThatCannotBeReadAreFound(t *testing.T) {
	for _, wrong := range []string{
		"", "sum(", "sum(x))", "rate(x)", "rate(x[5])", "x[5m] > 1", "sum(rate(x[5m])", `x{a="b"`, `x{a=b}`, "sum by le (x)", "x >", "x y", "histogram_quantile(x, 0.9)", "x and by (a) y", "nonsense(x)", "$x",
	} {
		if found, err := uses(wrong); err == nil {
			t.Errorf("%q is read as %v", wrong, found)
		}
	}
	found, err := uses(`sum by (le) (rate(a_bucket{b=~"c|d", e!=""}[5m])) / 2 > on (f) g`)
	if err != nil || len(found) != 2 || found[0].metric != "a_bucket" || len(found[0].match) != 2 || !slices.Equal(found[1].by, []string{"le", "f"}) {
		t.Errorf("%v %v", found, err)
	}
}
