package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// gauge reads one of the metrics of a Keyport, which counts something.
func gauge(ctx context.Context, ops *process.Client, name string) (int, error) {
	a, err := ops.Send(ctx, process.Request{Method: http.MethodGet, Path: "/metrics"})
	if err != nil {
		return 0, fmt.Errorf("the metrics: %w", err)
	}
	_, value, found := strings.Cut("\n"+string(a.Body), "\n"+name+" ")
	text, _, _ := strings.Cut(value, "\n")
	n, err := strconv.Atoi(text)
	if !found || err != nil {
		return 0, fmt.Errorf("the metrics have no %s: %w", name, err)
	}
	return n, nil
}
