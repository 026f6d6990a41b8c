package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// The bounds of a look at another process: in time, which is more than /readyz takes
// to find out, and in the bytes of its answer.
const (
	healthMost   = 5 * time.Second
	healthAnswer = 4 << 10
)

// Health asks the Keyport that listens on this machine by the same settings whether it
// is ready, for containers whose image has nothing else to ask with. It writes the
// answer of /readyz to out, and fails where that is another than 200 or does not come
// within 5 s.
func Health(ctx context.Context, c Config, out io.Writer) error {
	url, err := nearby(c.HTTPAddr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthMost)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return err
	}
	// No proxy stands between, whatever the environment says.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(out, io.LimitReader(answer.Body, healthAnswer)); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %s", answer.Status)
	}
	return nil
}

// nearby returns the URL of the listener on addr, as it is reached from this machine:
// one that takes all addresses takes the loopback's.
func nearby(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("KEYPORT_HTTP_ADDR: %w", err)
	}
	if port == "0" {
		return "", errors.New("KEYPORT_HTTP_ADDR leaves the port to the system: nobody can know which it took")
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}
