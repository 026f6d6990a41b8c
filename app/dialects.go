package app

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/keyport-go/keyport/adapters/httpapi/dialects/fleet"
	"github.com/keyport-go/keyport/adapters/httpapi/dialects/library"
	"github.com/keyport-go/keyport/adapters/httpapi/dialects/signup"
	"github.com/keyport-go/keyport/adapters/httpapi/dialects/skeleton"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

// dialects make the handlers of the older APIs. base is the path at which one stands,
// "" at the root.
var dialects = map[string]func(s wire.Services, base string) http.Handler{
	"fleet": func(s wire.Services, base string) http.Handler {
		return fleet.New(fleet.Config{Services: s, Base: base})
	},
	"skeleton": func(s wire.Services, base string) http.Handler {
		return skeleton.New(skeleton.Config{Services: s, Base: base})
	},
	"signup": func(s wire.Services, base string) http.Handler {
		return signup.New(signup.Config{Services: s, Base: base})
	},
	"library": func(s wire.Services, base string) http.Handler {
		return library.New(library.Config{Services: s, Base: base})
	},
}

// A mount says where an older API stands: at a path of the public listener, or at the
// root of a listener of its own.
type mount struct{ dialect, path, addr string }

func (m mount) String() string { return m.dialect + "=" + m.path + m.addr }

var mountPath = regexp.MustCompile(`^(/[a-z0-9][a-z0-9_-]*)+$`)

// reserved are the first steps of paths that are Keyport's own.
var reserved = []string{"v1", "docs", "problems", "livez", "readyz"}

// mounts reads c.Dialects, or tells everything that is wrong with them.
func (c Config) mounts() (mounts []mount, err error) {
	var faults []error
	places := make(map[string]string)
	for _, text := range c.Dialects {
		m, err := readMount(text)
		if err == nil && m.addr != "" && c.PublicURL == "" && !loopback(m.addr) {
			err = fmt.Errorf("%s is an address that others can reach: set KEYPORT_PUBLIC_URL, or listen on 127.0.0.1", m.addr)
		}
		if other, taken := places[m.path+m.addr]; err == nil && taken && !strings.HasSuffix(m.addr, ":0") {
			err = fmt.Errorf("%s stands there already", other)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%q: %w", text, err))
			continue
		}
		places[m.path+m.addr] = m.dialect
		mounts = append(mounts, m)
	}
	return mounts, errors.Join(faults...)
}

func readMount(text string) (mount, error) {
	name, place, _ := strings.Cut(text, "=")
	m := mount{dialect: name}
	if _, known := dialects[name]; !known {
		return m, fmt.Errorf("there is no such older API: want %s", strings.Join(slices.Sorted(maps.Keys(dialects)), ", "))
	}
	if strings.HasPrefix(place, "/") {
		first, _, _ := strings.Cut(place[1:], "/")
		if !mountPath.MatchString(place) || slices.Contains(reserved, first) {
			return m, fmt.Errorf("it cannot stand at that path: want one such as /%s, which is not Keyport's own", name)
		}
		m.path = place
		return m, nil
	}
	if _, port, err := net.SplitHostPort(place); err != nil || port == "" {
		return m, fmt.Errorf("want %s=/%[1]s, or %[1]s=127.0.0.1:5000", name)
	}
	m.addr = place
	return m, nil
}

// paths returns the handlers of the mounts that stand on the public listener.
func paths(mounts []mount, s wire.Services) map[string]http.Handler {
	older := make(map[string]http.Handler)
	for _, m := range mounts {
		if m.path != "" {
			older[m.path] = dialects[m.dialect](s, m.path)
		}
	}
	return older
}
