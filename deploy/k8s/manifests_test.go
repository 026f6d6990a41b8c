package k8s_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// user is whom the image runs as.
const user = 65532

// TestPodsMayDoNoMoreThanTheyNeed holds every pod of every overlay to what Kubernetes
// calls restricted, and to more.
func TestPodsMayDoNoMoreThanTheyNeed(t *testing.T) {
	settings := []struct {
		name  string
		holds func(pod core.PodSpec, c core.Container) bool
	}{
		{"it runs as nobody", func(pod core.PodSpec, _ core.Container) bool {
			s := pod.SecurityContext
			return is(s.RunAsNonRoot, true) && is(s.RunAsUser, user) && is(s.RunAsGroup, user)
		}},
		{"no container runs as somebody else", func(_ core.PodSpec, c core.Container) bool {
			return c.SecurityContext.RunAsUser == nil && c.SecurityContext.RunAsGroup == nil && c.SecurityContext.RunAsNonRoot == nil
		}},
		{"its system calls are those that the runtime allows", func(pod core.PodSpec, c core.Container) bool {
			return pod.SecurityContext.SeccompProfile.Type == core.SeccompProfileTypeRuntimeDefault && c.SecurityContext.SeccompProfile == nil
		}},
		{"its root cannot be written to", func(_ core.PodSpec, c core.Container) bool { return is(c.SecurityContext.ReadOnlyRootFilesystem, true) }},
		{"it cannot come to more rights", func(_ core.PodSpec, c core.Container) bool {
			return is(c.SecurityContext.AllowPrivilegeEscalation, false) && is(c.SecurityContext.Privileged, false)
		}},
		{"it has no capability", func(_ core.PodSpec, c core.Container) bool {
			return slices.Equal(c.SecurityContext.Capabilities.Drop, []core.Capability{"ALL"}) && len(c.SecurityContext.Capabilities.Add) == 0
		}},
		{"it has no token of Kubernetes'", func(pod core.PodSpec, _ core.Container) bool { return is(pod.AutomountServiceAccountToken, false) }},
		{"it is not told of Services", func(pod core.PodSpec, _ core.Container) bool { return is(pod.EnableServiceLinks, false) }},
		{"it shares nothing with its node", func(pod core.PodSpec, c core.Container) bool {
			ports := !slices.ContainsFunc(c.Ports, func(p core.ContainerPort) bool { return p.HostPort != 0 })
			volumes := !slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.HostPath != nil })
			return ports && volumes && !pod.HostNetwork && !pod.HostPID && !pod.HostIPC
		}},
		{"it has bounds", func(_ core.PodSpec, c core.Container) bool {
			for _, name := range []core.ResourceName{core.ResourceCPU, core.ResourceMemory} {
				request, limit := c.Resources.Requests[name], c.Resources.Limits[name]
				if request.Sign() <= 0 || limit.Cmp(request) < 0 {
					return false
				}
			}
			return true
		}},
	}
	for _, c := range overlays(t) {
		for _, w := range c.workloads() {
			for _, s := range settings {
				if !s.holds(w.pod.Spec, w.container(t)) {
					t.Errorf("%s: %s: that does not hold", w.name, s.name)
				}
			}
		}
		account := the[*core.ServiceAccount](t, c)
		if !is(account.AutomountServiceAccountToken, false) {
			t.Errorf("%s: the service account has a token", c.name)
		}
		for _, w := range c.workloads() {
			if w.pod.Spec.ServiceAccountName != account.Name {
				t.Errorf("%s runs for the service account %q: want %q", w.name, w.pod.Spec.ServiceAccountName, account.Name)
			}
		}
	}
}

// TestManifestsMeanSomething checks what a strict decoder lets pass.
func TestManifestsMeanSomething(t *testing.T) {
	for _, c := range overlays(t) {
		t.Run(c.name, func(t *testing.T) {
			namespace := the[*apps.Deployment](t, c).Namespace
			for _, o := range c.objects {
				m := o.(meta.Object)
				if _, ok := o.(*core.Namespace); ok == (m.GetNamespace() == namespace) || namespace == "" {
					t.Errorf("%T %s is in the namespace %q", o, m.GetName(), m.GetNamespace())
				}
				if _, ok := o.(*core.Secret); ok {
					t.Errorf("git holds the Secret %s", m.GetName())
				}
				if m.GetLabels()["app.kubernetes.io/name"] != "keyport" {
					t.Errorf("%T %s has the labels %v", o, m.GetName(), m.GetLabels())
				}
			}
			image := makefile(t, "IMAGE")
			for _, w := range c.workloads() {
				if name, _, _ := strings.Cut(w.container(t).Image, ":"); name != image {
					t.Errorf("%s runs %s: the Makefile makes %s", w.name, name, image)
				}
			}
			theDeploymentHolds(t, c)
			whatLeadsToPodsHolds(t, c)
		})
	}
}

func theDeploymentHolds(t *testing.T, c cluster) {
	d := the[*apps.Deployment](t, c)
	spec, pod := d.Spec, d.Spec.Template.Spec
	w := c.workloads()[0]
	container := w.container(t)
	values, _ := c.environment(t, w)
	if spec.Replicas != nil && *spec.Replicas < 1 {
		t.Errorf("it wants %d replicas", *spec.Replicas)
	}
	if !selects(t, *spec.Selector, spec.Template.Labels) {
		t.Errorf("it selects %v, and makes pods with %v", spec.Selector, spec.Template.Labels)
	}
	if len(pod.TopologySpreadConstraints) != 2 {
		t.Errorf("it spreads over %d topologies: want nodes and zones", len(pod.TopologySpreadConstraints))
	}
	for _, s := range pod.TopologySpreadConstraints {
		if !selects(t, *s.LabelSelector, spec.Template.Labels) || s.MaxSkew < 1 {
			t.Errorf("it spreads %+v", s)
		}
	}
	for name, probe := range map[string]struct {
		*core.Probe
		path string
	}{"startup": {container.StartupProbe, "/livez"}, "liveness": {container.LivenessProbe, "/livez"}, "readiness": {container.ReadinessProbe, "/readyz"}} {
		get := probe.HTTPGet
		if get == nil || get.Path != probe.path || get.Port.Type != intstr.String || !hasPort(container, get.Port.StrVal) {
			t.Errorf("the %s probe asks %+v", name, get)
		}
		if probe.PeriodSeconds < 1 || probe.TimeoutSeconds < 1 || probe.FailureThreshold < 1 {
			t.Errorf("the %s probe is %+v", name, probe.Probe)
		}
	}
	if want := "serve"; !slices.Equal(container.Args, []string{want}) || container.Command != nil {
		t.Errorf("it runs %q %q: want %q", container.Command, container.Args, want)
	}

	// What ends a pod leaves it the time that it takes.
	needs := seconds(container.Lifecycle.PreStop.Sleep.Seconds) + duration(t, values, "KEYPORT_DRAIN_DELAY", 0) + duration(t, values, "KEYPORT_DRAIN_GRACE", 15*time.Second) + 5*time.Second
	if grace := seconds(*pod.TerminationGracePeriodSeconds); grace < needs {
		t.Errorf("it may take %v to end, and needs %v", grace, needs)
	}
	if sleep := container.Lifecycle.PreStop.Sleep.Seconds; sleep < 2 {
		t.Errorf("it goes %d s after it was told: others have not heard of it by then", sleep)
	}
	if heap, limit := quantity(t, strings.TrimSuffix(values["GOMEMLIMIT"], "B")), container.Resources.Limits.Memory(); heap.Cmp(*limit) >= 0 {
		t.Errorf("GOMEMLIMIT is %v, where the limit is %v", &heap, limit)
	}

	// The declarations are where the setting says.
	for _, mount := range container.VolumeMounts {
		i := slices.IndexFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == mount.Name })
		if i < 0 {
			t.Errorf("%s is mounted, and no volume", mount.Name)
			continue
		}
		switch v := pod.Volumes[i]; {
		case v.ConfigMap != nil:
			if mount.MountPath != values["KEYPORT_COLLECTIONS"] || !mount.ReadOnly {
				t.Errorf("the declarations are at %s, KEYPORT_COLLECTIONS is %s", mount.MountPath, values["KEYPORT_COLLECTIONS"])
			}
			for file := range c.configMap(t, v.ConfigMap.Name).Data {
				if !strings.HasSuffix(file, ".yaml") && !strings.HasSuffix(file, ".json") {
					t.Errorf("%s is no declaration", file)
				}
			}
		case v.PersistentVolumeClaim != nil:
			if claim := the[*core.PersistentVolumeClaim](t, c); v.PersistentVolumeClaim.ClaimName != claim.Name {
				t.Errorf("it claims %s, and %s is there", v.PersistentVolumeClaim.ClaimName, claim.Name)
			}
			if !strings.HasPrefix(values["KEYPORT_DATABASE_URL"], "sqlite:"+mount.MountPath+"/") {
				t.Errorf("the volume is at %s, the database at %s", mount.MountPath, values["KEYPORT_DATABASE_URL"])
			}
			// Two pods with one SQLite may be on two nodes.
			if !is(spec.Replicas, 1) || spec.Strategy.Type != apps.RecreateDeploymentStrategyType || len(every[*autoscaling.HorizontalPodAutoscaler](c)) > 0 {
				t.Errorf("SQLite on a volume, and it may have %v replicas, %s", spec.Replicas, spec.Strategy.Type)
			}
			if !is(pod.SecurityContext.FSGroup, user) {
				t.Error("the volume is not the user's")
			}
		default:
			t.Errorf("it mounts %+v", v)
		}
	}
}

func whatLeadsToPodsHolds(t *testing.T, c cluster) {
	d := the[*apps.Deployment](t, c)
	server := d.Spec.Template
	container := server.Spec.Containers[0]
	services := every[*core.Service](c)
	for _, s := range services {
		if !selects(t, meta.LabelSelector{MatchLabels: s.Spec.Selector}, server.Labels) {
			t.Errorf("the Service %s selects %v", s.Name, s.Spec.Selector)
		}
		for _, p := range s.Spec.Ports {
			if p.TargetPort.Type != intstr.String || !hasPort(container, p.TargetPort.StrVal) || p.Name == "" {
				t.Errorf("the Service %s leads to the port %v", s.Name, p)
			}
			// What everybody reaches has no port for operators.
			if (p.Name == "ops") != (s.Name == "keyport-ops") {
				t.Errorf("the Service %s has the port %s", s.Name, p.Name)
			}
		}
	}
	for _, m := range every[*monitoring.ServiceMonitor](c) {
		chosen := slices.DeleteFunc(slices.Clone(services), func(s *core.Service) bool { return !selects(t, m.Spec.Selector, s.Labels) })
		if len(chosen) != 1 || len(m.Spec.Endpoints) != 1 || chosen[0].Spec.Ports[0].Name != m.Spec.Endpoints[0].Port || m.Spec.Endpoints[0].Path != "/metrics" {
			t.Errorf("the ServiceMonitor %s selects %d Services, %+v", m.Name, len(chosen), m.Spec.Endpoints)
		}
	}
	for _, j := range every[*batch.Job](c) {
		if pod := j.Spec.Template; !slices.Equal(pod.Spec.Containers[0].Args, []string{"migrate"}) || pod.Spec.RestartPolicy != core.RestartPolicyNever {
			t.Errorf("the Job %s runs %q", j.Name, pod.Spec.Containers[0].Args)
		}
		for _, s := range services {
			if selects(t, meta.LabelSelector{MatchLabels: s.Spec.Selector}, j.Spec.Template.Labels) {
				t.Errorf("the Service %s leads to the Job %s", s.Name, j.Name)
			}
		}
	}
	policies := every[*networking.NetworkPolicy](c)
	for _, w := range c.workloads() {
		if !slices.ContainsFunc(policies, func(p *networking.NetworkPolicy) bool {
			return selects(t, p.Spec.PodSelector, w.pod.Labels) && len(p.Spec.PolicyTypes) == 2
		}) {
			t.Errorf("no network policy is for %s, with the labels %v", w.name, w.pod.Labels)
		}
	}
	for _, p := range policies {
		for _, in := range p.Spec.Ingress {
			for _, port := range in.Ports {
				if port.Port.Type != intstr.String || !hasPort(container, port.Port.StrVal) {
					t.Errorf("the network policy %s lets in to the port %v", p.Name, port.Port)
				}
				if port.Port.StrVal != "http" && (port.Port.StrVal != "ops" || !monitorsAlone(in.From)) {
					t.Errorf("the network policy %s lets %v in to the port %v", p.Name, in.From, port.Port)
				}
			}
			if len(in.Ports) == 0 {
				t.Errorf("the network policy %s lets in to all ports", p.Name)
			}
		}
		for _, out := range p.Spec.Egress {
			if len(out.Ports) == 0 {
				t.Errorf("the network policy %s lets out to all ports", p.Name)
			}
		}
	}
}

func monitorsAlone(peers []networking.NetworkPolicyPeer) bool {
	return len(peers) == 1 && peers[0].NamespaceSelector != nil && peers[0].NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] == "monitoring"
}

func TestProductionBearsALoss(t *testing.T) {
	for _, c := range overlays(t) {
		if c.name == "dev" {
			continue
		}
		d := the[*apps.Deployment](t, c)
		h := the[*autoscaling.HorizontalPodAutoscaler](t, c)
		if to := h.Spec.ScaleTargetRef; to.Kind != "Deployment" || to.APIVersion != "apps/v1" || to.Name != d.Name {
			t.Errorf("%s: the autoscaler scales %+v", c.name, to)
		}
		if d.Spec.Replicas != nil {
			t.Errorf("%s: whoever applies it undoes what the autoscaler did", c.name)
		}
		if h.Spec.MinReplicas == nil || *h.Spec.MinReplicas < 2 || h.Spec.MaxReplicas < *h.Spec.MinReplicas {
			t.Errorf("%s: the autoscaler keeps %v to %d", c.name, h.Spec.MinReplicas, h.Spec.MaxReplicas)
		}
		b := the[*policy.PodDisruptionBudget](t, c)
		if !selects(t, *b.Spec.Selector, d.Spec.Template.Labels) || b.Spec.MaxUnavailable.IntValue() != 1 || b.Spec.MinAvailable != nil {
			t.Errorf("%s: the disruption budget is %+v", c.name, b.Spec)
		}
		roll := d.Spec.Strategy.RollingUpdate
		if roll.MaxUnavailable.IntValue() != 0 || roll.MaxSurge.IntValue() < 1 {
			t.Errorf("%s: a rollout takes %+v", c.name, roll)
		}

		// PostgreSQL lets 100 in, of which it keeps 3 for its administrators. The
		// migration takes two.
		values, _ := c.environment(t, c.workloads()[0])
		each := quantity(t, values["KEYPORT_DATABASE_CONNS"])
		if most := (each.Value()+1)*(int64(h.Spec.MaxReplicas)+int64(roll.MaxSurge.IntValue())) + 2; each.Value() < 1 || most > 97 {
			t.Errorf("%s: they may take %d connections to the database", c.name, most)
		}
	}
}

// is reports whether a setting is made, and is what is wanted.
func is[T comparable](got *T, want T) bool { return got != nil && *got == want }

func selects(t *testing.T, s meta.LabelSelector, of map[string]string) bool {
	t.Helper()
	selector, err := meta.LabelSelectorAsSelector(&s)
	if err != nil {
		t.Fatal(err)
	}
	return !selector.Empty() && selector.Matches(labels.Set(of))
}

func hasPort(c core.Container, name string) bool {
	return slices.ContainsFunc(c.Ports, func(p core.ContainerPort) bool { return p.Name == name && name != "" })
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// duration reads a setting, or takes the program's own.
func duration(t *testing.T, values map[string]string, name string, otherwise time.Duration) time.Duration {
	t.Helper()
	text, ok := values[name]
	if !ok {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func quantity(t *testing.T, text string) resource.Quantity {
	t.Helper()
	q, err := resource.ParseQuantity(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return q
}
