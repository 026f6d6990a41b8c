package deploy_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// A composition is what deploy/compose.yaml may say (Compose specification), and no
// more than that: what this does not know it refuses.
type composition struct {
	Name     string             `json:"name"`
	Services map[string]service `json:"services"`
	Networks map[string]*struct {
		Internal bool `json:"internal"`
	} `json:"networks"`
	Volumes map[string]*struct{} `json:"volumes"`
}

type service struct {
	Image           string               `json:"image"`
	Build           any                  `json:"build"` // a folder, or a context and a file
	Environment     map[string]string    `json:"environment"`
	Volumes         []string             `json:"volumes"`
	Tmpfs           []string             `json:"tmpfs"`
	Networks        []string             `json:"networks"`
	Ports           []string             `json:"ports"`
	DependsOn       map[string]condition `json:"depends_on"`
	ReadOnly        bool                 `json:"read_only"`
	CapDrop         []string             `json:"cap_drop"`
	SecurityOpt     []string             `json:"security_opt"`
	ShmSize         string               `json:"shm_size"`
	Restart         string               `json:"restart"`
	StopSignal      string               `json:"stop_signal"`
	StopGracePeriod string               `json:"stop_grace_period"`
	Healthcheck     struct {
		Test        []string `json:"test"`
		Interval    string   `json:"interval"`
		Timeout     string   `json:"timeout"`
		Retries     int      `json:"retries"`
		StartPeriod string   `json:"start_period"`
	} `json:"healthcheck"`
}

type condition struct {
	Condition string `json:"condition"`
}

func composed(t *testing.T) composition {
	t.Helper()
	var c composition
	if err := yaml.UnmarshalStrict([]byte(text(t, "compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Services) != 3 {
		t.Fatalf("it has %d services: want Keyport, PostgreSQL and PgBouncer", len(c.Services))
	}
	return c
}

func text(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEachServiceIsHeldBack(t *testing.T) {
	c := composed(t)
	for name, s := range c.Services {
		if !s.ReadOnly || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may write to its root, or come to more rights", name)
		}
		// PostgreSQL's image begins as root, and gives its folders away.
		if name != "postgres" && !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s keeps capabilities", name)
		}
		if s.Restart != "unless-stopped" || duration(t, s.StopGracePeriod) < 20*time.Second {
			t.Errorf("%s: restart %s, a stop of %s", name, s.Restart, s.StopGracePeriod)
		}
		h := s.Healthcheck
		if len(h.Test) < 2 || h.Test[0] != "CMD" || duration(t, h.Interval) <= 0 || duration(t, h.Timeout) <= 0 || duration(t, h.StartPeriod) <= 0 || h.Retries < 1 {
			t.Errorf("%s is asked how it is by %+v", name, h)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s is open to the network: %s", name, port)
			}
		}
		if len(s.Ports) > 0 && name != "keyport" {
			t.Errorf("%s is reached from outside", name)
		}
		for other, on := range s.DependsOn {
			if _, ok := c.Services[other]; !ok || on.Condition != "service_healthy" {
				t.Errorf("%s waits for %s, %s", name, other, on.Condition)
			}
		}
		for _, network := range s.Networks {
			if _, ok := c.Networks[network]; !ok {
				t.Errorf("%s is in the network %s, which is not there", name, network)
			}
		}
		for _, volume := range s.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			_, named := c.Volumes[from]
			if _, err := os.Stat(from); !named && (err != nil || !strings.HasSuffix(volume, ":ro")) {
				t.Errorf("%s has the volume %s: %v", name, volume, err)
			}
		}
	}
	if n := c.Services["postgres"].Networks; len(n) != 1 || !c.Networks[n[0]].Internal {
		t.Errorf("PostgreSQL is in the networks %q", n)
	}
	if k := c.Services["keyport"]; slices.Contains(k.Networks, "database") || duration(t, k.StopGracePeriod) < duration(t, k.Environment["KEYPORT_DRAIN_GRACE"])+5*time.Second {
		t.Errorf("Keyport is in the networks %q, and has %s to end", k.Networks, k.StopGracePeriod)
	}
}

// secret matches what has to be told from outside, and has no default.
var secret = regexp.MustCompile(`\$\{(\w+):\?[^}]+\}`)

func TestGitHoldsNoSecretOfTheComposition(t *testing.T) {
	c := composed(t)
	for name, s := range c.Services {
		for setting, value := range s.Environment {
			if strings.HasSuffix(setting, "PASSWORD") || strings.HasSuffix(setting, "MASTER_KEY") {
				if secret.ReplaceAllString(value, "") != "" {
					t.Errorf("%s is told %s: %s", name, setting, value)
				}
			}
		}
	}
	u, err := url.Parse(secret.ReplaceAllString(c.Services["keyport"].Environment["KEYPORT_DATABASE_URL"], "$1"))
	if err != nil {
		t.Fatal(err)
	}
	if password, _ := u.User.Password(); password != "POSTGRES_PASSWORD" {
		t.Errorf("the password to the database is %s", password)
	}
	for file, line := range map[string]string{"../.gitignore": "/deploy/.env", "../.dockerignore": "deploy/.env"} {
		if !slices.Contains(strings.Split(text(t, file), "\n"), line) {
			t.Errorf("%s lets %s pass", file, line)
		}
	}
	// The secrets that people are told to make are those that are asked for.
	var asked []string
	for _, found := range secret.FindAllStringSubmatch(text(t, "compose.yaml"), -1) {
		asked = append(asked, found[1])
	}
	slices.Sort(asked)
	for _, file := range []string{"compose.yaml", "../docs/kubernetes.md"} {
		for _, name := range slices.Compact(asked) {
			if !strings.Contains(text(t, file), name+"=%s") {
				t.Errorf("%s does not tell to make %s", file, name)
			}
		}
	}
}

func TestTheCompositionsSettingsAreInTheManual(t *testing.T) {
	manual := text(t, "../docs/configuration.md")
	for name := range composed(t).Services["keyport"].Environment {
		if !strings.Contains(manual, "\n| `"+name+"` |") {
			t.Errorf("%s is in no manual", name)
		}
	}
}

func TestThePartsOfTheCompositionMeet(t *testing.T) {
	c := composed(t)
	ini := text(t, "pgbouncer/pgbouncer.ini")
	k, b, p := c.Services["keyport"], c.Services["pgbouncer"], c.Services["postgres"]
	u, err := url.Parse(secret.ReplaceAllString(k.Environment["KEYPORT_DATABASE_URL"], "secret"))
	if err != nil {
		t.Fatal(err)
	}
	database := strings.TrimPrefix(u.Path, "/")
	for _, want := range []string{
		"listen_port = " + u.Port() + "\n", "pool_mode = transaction\n", database + " = host=postgres port=5432 dbname=" + p.Environment["POSTGRES_DB"] + " ",
	} {
		if !strings.Contains(ini, "\n"+want) {
			t.Errorf("pgbouncer.ini has no line that begins with %q", want)
		}
	}
	if u.Hostname() != "pgbouncer" || k.Environment["KEYPORT_PGBOUNCER"] != "true" || u.User.Username() != p.Environment["POSTGRES_USER"] {
		t.Errorf("Keyport is led to %s", u.Redacted())
	}
	if !strings.Contains(text(t, "pgbouncer/start"), `"`+u.User.Username()+`"`) {
		t.Errorf("PgBouncer does not know %s", u.User.Username())
	}
	auth := regexp.MustCompile(`(?m)^auth_file = (/\S+)/users$`).FindStringSubmatch(ini)
	if auth == nil || !slices.ContainsFunc(b.Tmpfs, func(mount string) bool { return strings.HasPrefix(mount, auth[1]+":") }) {
		t.Errorf("PgBouncer's folder in memory is %q, its file of users in %q", b.Tmpfs, auth)
	}
	if !slices.Equal(k.Healthcheck.Test, []string{"CMD", "/keyport", "health"}) {
		t.Errorf("Keyport is asked how it is by %q", k.Healthcheck.Test)
	}
	for _, s := range []service{p, b} {
		if s.Healthcheck.Test[1] != "pg_isready" {
			t.Errorf("a database is asked how it is by %q", s.Healthcheck.Test)
		}
	}
	if !strings.Contains(strings.Join(b.Healthcheck.Test, " "), "--port="+u.Port()) {
		t.Errorf("PgBouncer is asked how it is by %q", b.Healthcheck.Test)
	}
	if !slices.Contains(k.Ports, "127.0.0.1:8080:8080") || k.Environment["KEYPORT_HTTP_ADDR"] != ":8080" {
		t.Errorf("Keyport listens at %s, and is reached at %q", k.Environment["KEYPORT_HTTP_ADDR"], k.Ports)
	}
	if !slices.ContainsFunc(k.Volumes, func(v string) bool { return strings.HasSuffix(v, ":"+k.Environment["KEYPORT_COLLECTIONS"]+":ro") }) {
		t.Errorf("the declarations are in %q", k.Volumes)
	}
	if version := strings.TrimPrefix(p.Image, "postgres:"); !strings.Contains(text(t, "pgbouncer/Dockerfile"), "FROM postgres:"+version+"\n") {
		t.Errorf("PgBouncer stands on another image than %s", p.Image)
	}
	for name, s := range c.Services {
		for _, file := range built(s) {
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// built returns the Dockerfile that a service is built from, if any.
func built(s service) []string {
	switch b := s.Build.(type) {
	case string:
		return []string{filepath.Join(b, "Dockerfile")}
	case map[string]any:
		return []string{filepath.Join(b["context"].(string), b["dockerfile"].(string))}
	default:
		return nil
	}
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
