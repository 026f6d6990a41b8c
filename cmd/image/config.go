package main

import (
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// user is who runs in the container: nobody that another image or the node knows.
const user = 65532

// epoch stands wherever a format wants a time, since the image depends on none.
var epoch = v1.Time{Time: time.Unix(0, 0).UTC()}

// config is what the last stage of deploy/Dockerfile says of the image; a test holds
// the two together.
func config(version string) v1.Config {
	return v1.Config{
		User:         fmt.Sprintf("%d:%[1]d", user),
		WorkingDir:   "/data",
		Env:          []string{"KEYPORT_HTTP_ADDR=:8080"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Entrypoint:   []string{"/keyport"},
		Cmd:          []string{"serve"},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "Keyport",
			"org.opencontainers.image.description": "Accounts, tokens and resources for single-page apps",
			"org.opencontainers.image.source":      "https://github.com/keyport-go/keyport",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     version,
		},
	}
}
