package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/keyport-go/keyport/adapters/verify"
	"github.com/keyport-go/keyport/cmd/internal/ground"
	"github.com/keyport-go/keyport/cmd/internal/process"
	"github.com/keyport-go/keyport/domain"
)

// A service is somebody else's program, which checks access tokens by itself.
type service struct {
	verifier *verify.Verifier
	stop     context.CancelFunc
	ended    chan error
}

// newService starts a service that hears from a replica, by an access key of the
// administrator's, and waits until it takes a token. The caller closes it.
func newService(ctx context.Context, k *process.Keyport, admin process.Grant) (*service, error) {
	c := k.Client()
	defer c.Close()
	var key struct{ Secret string }
	err := c.Want(ctx, http.StatusCreated, process.Request{
		Method: http.MethodPost, Path: "/v1/me/keys", Token: admin.AccessToken,
		Body: map[string]any{"name": "drill", "scopes": []string{"tokens:introspect"}},
	}, &key)
	if err != nil {
		return nil, err
	}
	// The public URL is a name; this is where it leads to.
	at := strings.TrimPrefix(k.URL, "http://")
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, at)
	}}
	v, err := verify.New(verify.Config{Issuer: ground.PublicURL, Key: domain.NewSecret(key.Secret), Client: &http.Client{Transport: transport}})
	if err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(ctx)
	s := &service{v, stop, make(chan error, 1)}
	go func() {
		s.ended <- v.Run(run)
		transport.CloseIdleConnections()
	}()
	for begun := time.Now(); ; {
		relies, err := s.relies(ctx, admin.AccessToken)
		if relies {
			return s, nil
		}
		if err == nil && time.Since(begun) > 10*time.Second {
			err = errors.New("the service hears nothing")
		}
		if err == nil {
			err = pause(ctx, 10*time.Millisecond)
		}
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
}

func (s *service) close() error {
	s.stop()
	return <-s.ended
}

// takes reports whether the service takes a token. That it cannot know is a fault.
func (s *service) takes(ctx context.Context, token string) (bool, error) {
	_, err := s.verifier.Verify(ctx, token)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, domain.ErrInvalidToken):
		return false, nil
	}
	return false, fmt.Errorf("the service: %w", err)
}

// relies reports whether the service takes a good token, or cannot know.
func (s *service) relies(ctx context.Context, token string) (bool, error) {
	_, err := s.verifier.Verify(ctx, token)
	if errors.Is(err, domain.ErrUnavailable) {
		return false, nil
	}
	return err == nil, err
}
