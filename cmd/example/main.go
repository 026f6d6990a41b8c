// Command example is a harbour master's service, which checks Keyport's access
// tokens by itself. It is set by HARBOUR_KEYPORT, Keyport's public URL; HARBOUR_KEY,
// an access key with the scope tokens:introspect; HARBOUR_ADDR (127.0.0.1:8090).
package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/keyport-go/keyport/adapters/verify"
	"github.com/keyport-go/keyport/domain"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}

func serve() error {
	key := domain.NewSecret(os.Getenv("HARBOUR_KEY"))
	v, err := verify.New(verify.Config{Issuer: os.Getenv("HARBOUR_KEYPORT"), Key: key, Log: slog.Default()})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("HARBOUR_ADDR"), "127.0.0.1:8090"))
	if err != nil {
		return err
	}
	slog.Info("serving", "addr", listener.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	http.Handle("GET /berths", v.Require(http.HandlerFunc(berths)))
	server := &http.Server{ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- v.Run(context.Background()) }() // to the last request, not to the signal
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return server.Shutdown(context.Background())
	}
}

func berths(w http.ResponseWriter, r *http.Request) {
	claims, _ := verify.ClaimsOf(r.Context())
	fmt.Fprintf(w, "Account %s may moor at berth 7.\n", claims.Subject)
}
