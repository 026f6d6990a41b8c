package k8s_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// A cluster holds what an overlay would put into one.
type cluster struct {
	name    string
	objects []runtime.Object
}

// everything is what overlays returns, from the first time on: nobody changes it.
var everything []cluster

// overlays builds each overlay, and one more that adds the component to production, as
// docs/kubernetes.md says.
func overlays(t *testing.T) []cluster {
	t.Helper()
	if everything == nil {
		everything = []cluster{
			{"dev", built(t, "overlays/dev")},
			{"production", built(t, "overlays/production")},
			{"production with monitoring", built(t, monitored(t))},
		}
	}
	return everything
}

func monitored(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Rel(folder, here)
	if err != nil {
		t.Fatal(err)
	}
	text := "namespace: keyport\nresources: [" + up + "/overlays/production]\ncomponents: [" + up + "/components/monitoring]\n"
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

var kubectlVersion = regexp.MustCompile(`(?m)^\s*k8s\.io/kubectl (v\S+)`)

// kubectl returns the path of the kubectl that deploy/tools/kubectl names.
func kubectl(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../tools/kubectl/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs("../../.tools/kubectl-" + string(kubectlVersion.FindSubmatch(text)[1]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal("there is no kubectl: type `make kubectl`")
	}
	return path
}

// built builds a folder and decodes what comes of it.
func built(t *testing.T, folder string) []runtime.Object {
	t.Helper()
	var faults bytes.Buffer
	cmd := exec.CommandContext(t.Context(), kubectl(t), "kustomize", folder)
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil || faults.Len() > 0 { // warnings too
		t.Fatalf("kubectl kustomize %s: %v\n%s", folder, err, &faults)
	}
	return decoded(t, out)
}

// decoded decodes manifests as Kubernetes' server would that is told to be strict: it
// fails where a field is unknown, there twice, or of another type.
func decoded(t *testing.T, text []byte) []runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		apps.AddToScheme, autoscaling.AddToScheme, batch.AddToScheme, core.AddToScheme, networking.AddToScheme, policy.AddToScheme, monitoring.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		objects = append(objects, object)
	}
}

// every returns the objects of one kind.
func every[T runtime.Object](c cluster) []T {
	var all []T
	for _, o := range c.objects {
		if o, ok := o.(T); ok {
			all = append(all, o)
		}
	}
	return all
}

// the returns the only object of one kind.
func the[T runtime.Object](t *testing.T, c cluster) T {
	t.Helper()
	all := every[T](c)
	if len(all) != 1 {
		t.Fatalf("%s has %d of %T: want 1", c.name, len(all), *new(T))
	}
	return all[0]
}

// A workload is what runs a pod.
type workload struct {
	name string
	meta meta.ObjectMeta
	pod  core.PodTemplateSpec
}

func (w workload) container(t *testing.T) core.Container {
	t.Helper()
	if n := len(w.pod.Spec.Containers) + len(w.pod.Spec.InitContainers); n != 1 {
		t.Fatalf("%s has %d containers: want 1", w.name, n)
	}
	return w.pod.Spec.Containers[0]
}

func (c cluster) workloads() []workload {
	var all []workload
	for _, d := range every[*apps.Deployment](c) {
		all = append(all, workload{c.name + ": deployment " + d.Name, d.ObjectMeta, d.Spec.Template})
	}
	for _, j := range every[*batch.Job](c) {
		all = append(all, workload{c.name + ": job " + j.Name, j.ObjectMeta, j.Spec.Template})
	}
	return all
}

// environment returns what the container of w is told, and where from: values that a
// ConfigMap or the manifest has, and the keys of Secrets, as "SECRET/KEY".
func (c cluster) environment(t *testing.T, w workload) (values, secrets map[string]string) {
	t.Helper()
	values, secrets = make(map[string]string), make(map[string]string)
	container := w.container(t)
	for _, from := range container.EnvFrom {
		if from.ConfigMapRef == nil {
			t.Fatalf("%s takes its environment from something else than a ConfigMap: %+v", w.name, from)
		}
		maps.Copy(values, c.configMap(t, from.ConfigMapRef.Name).Data)
	}
	for _, e := range container.Env {
		delete(values, e.Name) // the container's own wins
		switch {
		case e.ValueFrom == nil:
			values[e.Name] = e.Value
		case e.ValueFrom.SecretKeyRef != nil:
			secrets[e.Name] = e.ValueFrom.SecretKeyRef.Name + "/" + e.ValueFrom.SecretKeyRef.Key
		default:
			t.Fatalf("%s takes %s from something else than a Secret", w.name, e.Name)
		}
	}
	return values, secrets
}

func (c cluster) configMap(t *testing.T, name string) *core.ConfigMap {
	t.Helper()
	for _, m := range every[*core.ConfigMap](c) {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("%s has no ConfigMap %s", c.name, name)
	return nil
}

// makefile returns the value of a variable of the Makefile.
func makefile(t *testing.T, variable string) string {
	t.Helper()
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == variable {
			return fields[2]
		}
	}
	t.Fatalf("the Makefile has no %s", variable)
	return ""
}
