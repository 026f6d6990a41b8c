package telemetry

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

var samplers = []string{
	"", "always_on", "always_off", "traceidratio",
	"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
}

// asked reports whether the environment asks for traces. It fails, with all faults,
// where it asks for what Keyport cannot do: the library would go on with something
// else.
func asked() (on bool, err error) {
	env := func(name string) string { return strings.TrimSpace(os.Getenv(name)) }
	exporter := cmp.Or(env("OTEL_TRACES_EXPORTER"), "otlp")
	endpoint, from := env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	if endpoint == "" {
		endpoint, from = env("OTEL_EXPORTER_OTLP_ENDPOINT"), "OTEL_EXPORTER_OTLP_ENDPOINT"
	}
	if strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") || exporter == "none" || endpoint == "" {
		return false, nil
	}
	var faults []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	must(exporter == "otlp", "OTEL_TRACES_EXPORTER is %q: want otlp or none", exporter)
	at, err := url.Parse(endpoint)
	must(err == nil && (at.Scheme == "http" || at.Scheme == "https") && at.Host != "", "%s: want http:// or https:// and a host", from) // it may hold a password
	protocol := cmp.Or(env("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), env("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	must(protocol == "http/protobuf" || protocol == "http/json", "OTEL_EXPORTER_OTLP_PROTOCOL is %q: want http/protobuf or http/json", protocol)
	sampler := strings.ToLower(env("OTEL_TRACES_SAMPLER"))
	must(slices.Contains(samplers, sampler), "OTEL_TRACES_SAMPLER is %q: want one of %s", sampler, strings.Join(samplers[1:], ", "))
	if ratio := env("OTEL_TRACES_SAMPLER_ARG"); ratio != "" && strings.HasSuffix(sampler, "traceidratio") {
		share, err := strconv.ParseFloat(ratio, 64)
		must(err == nil && share >= 0 && share <= 1, "OTEL_TRACES_SAMPLER_ARG is %q: want 0 to 1", ratio)
	}
	return len(faults) == 0, errors.Join(faults...)
}
