package app

import (
	"context"
	"errors"
	"net"
	"syscall"
)

// An outpost is a listener of its own, for one older API.
type outpost struct {
	net.Listener
	dialect string
}

// A place is where an older API can be reached, and why it is not elsewhere.
type place struct{ dialect, url, why string }

// outposts listens on the addresses of the older APIs. Where yielding, one whose
// address is taken stands at a path of the public listener instead; c comes back with
// that. The caller closes the listeners, also where there is an error.
func outposts(ctx context.Context, c Config, yielding bool) (Config, []outpost, []place, error) {
	mounts, err := c.mounts()
	if err != nil {
		return c, nil, nil, err
	}
	var all []outpost
	var places []place
	c.Dialects = nil
	for _, m := range mounts {
		why := ""
		if m.addr != "" {
			l, err := listen(ctx, "KEYPORT_DIALECTS", m.addr)
			switch {
			case err == nil:
				all = append(all, outpost{l, m.dialect})
				places = append(places, place{m.dialect, "http://" + l.Addr().String(), ""})
				m.addr = l.Addr().String()
				c.Dialects = append(c.Dialects, m.String())
				continue
			case !yielding || !errors.Is(err, syscall.EADDRINUSE):
				return c, all, nil, err
			}
			m, why = mount{dialect: m.dialect, path: "/" + m.dialect}, m.addr+" is taken by another program"
		}
		places = append(places, place{m.dialect, c.PublicURL + m.path, why})
		c.Dialects = append(c.Dialects, m.String())
	}
	return c, all, places, nil
}
