package app

import (
	"context"
	"io"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

// LoadDemo loads what the demo has to show, and prints nothing.
func LoadDemo(ctx context.Context, s wire.Services) error {
	d := Demo{Out: io.Discard}
	return d.load(ctx, s, "", nil)
}
