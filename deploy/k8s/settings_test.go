package k8s_test

import (
	"cmp"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var manualName = regexp.MustCompile("(?m)^\\| `(KEYPORT_[A-Z_]+)` \\|")

// manual returns the names that docs/configuration.md has.
func manual(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, found := range manualName.FindAllStringSubmatch(string(text), -1) {
		names = append(names, found[1])
	}
	if len(names) < 20 {
		t.Fatalf("the manual has %d settings; there are more", len(names))
	}
	return names
}

var settingName = regexp.MustCompile(`\bKEYPORT_[A-Z_]*[A-Z]\b`)

// Comments and patches count too: what they tell people to set must be there.
func TestEverySettingInTheManifestsIsInTheManual(t *testing.T) {
	known := manual(t)
	files := 0
	for _, pattern := range []string{"*/*.yaml", "*/*/*.yaml", "../*.yaml", "../Dockerfile", "../pgbouncer/*", "../../docs/kubernetes.md", "../../README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			files++
			for _, name := range settingName.FindAllString(string(text), -1) {
				if !slices.Contains(known, name) {
					t.Errorf("%s names %s, which is in no manual", file, name)
				}
			}
		}
	}
	if files < 15 {
		t.Errorf("%d files were read; there are more", files)
	}
	for _, c := range overlays(t) {
		for _, w := range c.workloads() {
			values, secrets := c.environment(t, w)
			for name := range maps.Keys(values) {
				if !slices.Contains(known, name) && name != "GOMEMLIMIT" {
					t.Errorf("%s is told %s, which is in no manual", w.name, name)
				}
			}
			for name := range maps.Keys(secrets) {
				if !slices.Contains(known, name) {
					t.Errorf("%s is told %s, which is in no manual", w.name, name)
				}
			}
		}
	}
}

func TestWhatProductionNeedsIsSet(t *testing.T) {
	guide, err := os.ReadFile("../../docs/kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(guide), "KEYPORT_TRUSTED_PROXIES") {
		t.Error("docs/kubernetes.md does not tell of KEYPORT_TRUSTED_PROXIES")
	}
	for _, c := range overlays(t) {
		for _, w := range c.workloads() {
			values, secrets := c.environment(t, w)
			if values["KEYPORT_PUBLIC_URL"] == "" && w.pod.Labels["app.kubernetes.io/component"] == "server" {
				t.Errorf("%s does not know where clients reach it", w.name)
			}
			if c.name == "dev" {
				if len(secrets) > 0 {
					t.Errorf("%s wants the secrets %v: to try it, nobody should need one", w.name, secrets)
				}
				continue
			}
			want := map[string]string{"KEYPORT_DATABASE_URL": "keyport/database-url", "KEYPORT_MASTER_KEY": "keyport/master-key"}
			if !maps.Equal(secrets, want) {
				t.Errorf("%s takes the secrets %v: want %v", w.name, secrets, want)
			}
		}
	}
}

// TestKeyportTakesWhatTheManifestsSay has the program itself read each pod's settings,
// and the declarations that are mounted. The database is another one.
func TestKeyportTakesWhatTheManifestsSay(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "keyport")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "../../cmd/keyport")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := func(w workload, settings map[string]string, args ...string) {
		cmd := exec.CommandContext(t.Context(), binary, args...)
		for name, value := range settings {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", w.name, err, out)
		}
	}
	for _, c := range overlays(t) {
		w := c.workloads()[0]
		values, _ := c.environment(t, w)
		declared := t.TempDir()
		for _, v := range w.pod.Spec.Volumes {
			if v.ConfigMap == nil {
				continue
			}
			for name, text := range c.configMap(t, v.ConfigMap.Name).Data {
				if err := os.WriteFile(filepath.Join(declared, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		database := "sqlite:" + filepath.Join(t.TempDir(), "keyport.db")
		values["KEYPORT_DATABASE_URL"], values["KEYPORT_COLLECTIONS"] = database, declared
		run(w, values, "collections", "apply")
		for _, w := range c.workloads()[1:] {
			values, _ := c.environment(t, w)
			values["KEYPORT_HTTP_ADDR"] = cmp.Or(values["KEYPORT_HTTP_ADDR"], ":8080") // as the image has it
			values["KEYPORT_DATABASE_URL"] = database
			run(w, values, w.container(t).Args...)
		}
	}
}
