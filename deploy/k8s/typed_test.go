package k8s_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// A script is what a document has people type in one go, and what came of it: the
// commands that went to a cluster, and what kubectl would have put there.
type script struct {
	document string
	commands [][]string // less the word kubectl
	cluster             // empty where it applies no overlay
}

var typedBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// typed has a shell type each block of a document that speaks to a cluster, in a
// folder that has the manifests. Where kubectl would ask a cluster, what it is told is
// noted; what it applies is built, and must be there. Nothing is built or pushed.
func typed(t *testing.T, document string) []script {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "deploy/k8s"), os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	bin, notes := t.TempDir(), t.TempDir()
	for name, does := range map[string]string{
		"make": ":", "skopeo": ":", "docker": ":", "kind": ":",
		"kubectl": `printf '%s\037' "$@" >>"$NOTES/commands"; echo >>"$NOTES/commands"
case "$1" in apply) shift
	case "$1" in
	-k) exec "$KUBECTL" kustomize "$2" >"$NOTES/applied" ;;
	-f) exec cat "$2" >>"$NOTES/single" ;;
	esac
	exit 1 ;;
esac`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+does+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var scripts []script
	for _, block := range typedBlock.FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(block[1], "kubectl") {
			continue
		}
		shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", block[1])
		shell.Dir = folder
		shell.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "NOTES="+notes, "KUBECTL="+kubectl(t))
		if out, err := shell.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s\n%s", document, err, block[1], out)
		}
		s := script{document: document, cluster: cluster{name: document}}
		noted := take(t, filepath.Join(notes, "commands"))
		for line := range strings.SplitSeq(strings.TrimSuffix(noted, "\n"), "\x1f\n") {
			s.commands = append(s.commands, strings.Split(strings.TrimSuffix(line, "\x1f"), "\x1f"))
		}
		s.objects = append(decoded(t, []byte(take(t, filepath.Join(notes, "applied")))), decoded(t, []byte(take(t, filepath.Join(notes, "single"))))...)
		scripts = append(scripts, s)
	}
	if len(scripts) == 0 {
		t.Fatalf("%s has nothing to type", document)
	}
	return scripts
}

// take reads a file that may be there, and removes it.
func take(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheReadmeLeadsToAKeyport types the README's block, with the values that it
// shows, and looks at what a cluster would get.
func TestTheReadmeLeadsToAKeyport(t *testing.T) {
	scripts := typed(t, "../../README.md")
	if len(scripts) != 1 {
		t.Fatalf("%d blocks: a newcomer needs one", len(scripts))
	}
	s := scripts[0]
	s.holds(t)
	for _, w := range s.workloads() {
		values, secrets := s.environment(t, w)
		if image := w.container(t).Image; image != "registry.example.com/keyport:1.0" {
			t.Errorf("%s runs %s", w.name, image)
		}
		if url := values["KEYPORT_PUBLIC_URL"]; url != "https://keyport.example.com" && w.pod.Labels["app.kubernetes.io/component"] == "server" {
			t.Errorf("%s has the public URL %s", w.name, url)
		}
		for setting, from := range secrets {
			if s.secret(t)[from] == "" {
				t.Errorf("%s takes %s from %s, and there is %v", w.name, setting, from, s.secret(t))
			}
		}
	}
	made := s.secret(t)
	if key, err := base64.RawURLEncoding.DecodeString(made["keyport/master-key"]); err != nil || len(key) != 32 {
		t.Errorf("the master key has %d bytes (%v): want 32", len(key), err)
	}
	if !strings.HasPrefix(made["keyport/database-url"], "postgres://") || len(made) != 2 {
		t.Errorf("the secret has %d keys", len(made))
	}
}

// TestTheGuideLeadsToAKeyport types what docs/kubernetes.md has people type, as it
// stands behind what the README has made.
func TestTheGuideLeadsToAKeyport(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../docs/kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(t.TempDir(), "both.md")
	if err := os.WriteFile(both, slices.Concat(readme, guide), 0o600); err != nil {
		t.Fatal(err)
	}
	scripts := typed(t, both)
	if len(scripts) != 4 {
		t.Fatalf("%d blocks: want the README's, a trial, an upgrade, and metrics", len(scripts))
	}
	for _, s := range scripts {
		s.holds(t)
	}
	if image := scripts[2].workloads()[0].container(t).Image; image != "registry.example.com/keyport:1.1" {
		t.Errorf("after the upgrade it runs %s", image)
	}
	if values, _ := scripts[3].environment(t, scripts[3].workloads()[0]); values["KEYPORT_OPS_ADDR"] == "" {
		t.Error("with the component nobody reaches the metrics")
	}
}

// holds checks that all that the commands name is there.
func (s script) holds(t *testing.T) {
	t.Helper()
	namespace := the[*apps.Deployment](t, s.cluster).Namespace
	for _, command := range s.commands {
		var words []string
		for i, word := range command {
			if in, ok := strings.CutPrefix(word, "--namespace="); ok && in != namespace {
				t.Errorf("%q: the manifests are in %s", command, namespace)
			}
			if word == "--" {
				if got := command[i+1]; got != "/keyport" {
					t.Errorf("%q: the image has /keyport, and no %s", command, got)
				}
				break
			}
			if !strings.HasPrefix(word, "--") {
				words = append(words, word)
			}
		}
		switch verb := words[0]; verb {
		case "apply": // it was built
		case "create":
			if !slices.Equal(words, []string{"create", "secret", "generic", "keyport"}) {
				t.Errorf("%q", command)
			}
		case "delete":
			s.has(t, words[1]+"/"+words[2])
		case "rollout":
			s.has(t, words[2])
		case "wait", "exec":
			s.has(t, words[1])
		case "port-forward":
			s.has(t, words[1])
			service := s.service(t, strings.TrimPrefix(words[1], "service/"))
			if _, port, _ := strings.Cut(words[2], ":"); port != fmt.Sprint(service.Spec.Ports[0].Port) {
				t.Errorf("%q: the Service has the port %d", command, service.Spec.Ports[0].Port)
			}
		default:
			t.Errorf("this test does not know what becomes of %q", command)
		}
	}
}

// has checks that a thing is there, as kubectl names it: deployment/keyport.
func (s script) has(t *testing.T, thing string) {
	t.Helper()
	kind, name, _ := strings.Cut(thing, "/")
	if !slices.ContainsFunc(s.objects, func(o runtime.Object) bool {
		if o.(meta.Object).GetName() != name {
			return false
		}
		switch o.(type) {
		case *apps.Deployment:
			return kind == "deployment"
		case *batch.Job:
			return kind == "job"
		case *core.Service:
			return kind == "service"
		default:
			return false
		}
	}) {
		t.Errorf("%s names %s, which is not there", s.document, thing)
	}
}

func (s script) service(t *testing.T, name string) *core.Service {
	t.Helper()
	for _, service := range every[*core.Service](s.cluster) {
		if service.Name == name {
			return service
		}
	}
	t.Fatalf("there is no Service %s", name)
	return nil
}

// secret returns what the Secrets hold that the commands make, by SECRET/KEY.
func (s script) secret(t *testing.T) map[string]string {
	t.Helper()
	made := make(map[string]string)
	for _, command := range s.commands {
		i := slices.Index(command, "generic")
		if i < 0 {
			continue
		}
		for _, word := range command {
			if pair, ok := strings.CutPrefix(word, "--from-literal="); ok {
				key, value, _ := strings.Cut(pair, "=")
				made[command[i+1]+"/"+key] = value
			}
		}
	}
	return made
}
