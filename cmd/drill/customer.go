package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// thinks is the longest that a customer waits between two requests: connections are
// idle now and then, as they are with people.
const thinks = 40 * time.Millisecond

// A customer is a writer with a connection of its own, who does all that people do,
// and counts what fails.
type customer struct {
	*writer
	client *process.Client
	did    int // things
	failed int // of these
	most   time.Duration
}

// shop does one thing after the other until ctx ends, at each call on a new connection.
// What fails is a fault, and the customer goes on.
func (c *customer) shop(ctx context.Context, calls *atomic.Int64) {
	deeds := []func(*process.Client) bool{
		c.create, c.browse, c.patch, c.refresh, c.create, c.look, c.patch, c.browse,
		c.signIn, c.create, c.refresh, c.patch, c.signOut, c.browse,
	}
	heeded := int64(0)
	for turn := rand.N(len(deeds)); ; turn++ {
		if pause(ctx, rand.N(thinks)) != nil {
			return
		}
		if n := calls.Load(); n != heeded {
			c.client.Close()
			heeded = n
		}
		began := time.Now()
		if c.did++; !deeds[turn%len(deeds)](c.client) {
			c.failed++
		}
		c.most = max(c.most, time.Since(began))
	}
}

// browse lists the first ships.
func (c *customer) browse(client *process.Client) bool {
	a, ok := c.send(client, process.Request{Method: http.MethodGet, Path: ships + "?limit=20"}, http.StatusOK)
	var page struct{ Items []record }
	if ok && (a.Into(&page) != nil || len(page.Items) == 0) {
		c.crew.ledger.fault("a strange list", "%s", a)
		return false
	}
	return ok
}

// look asks who the customer is, as each page does.
func (c *customer) look(client *process.Client) bool {
	_, ok := c.send(client, process.Request{Method: http.MethodGet, Path: "/v1/me", Token: c.grant.AccessToken}, http.StatusOK)
	return ok
}

// signIn opens a session, which signOut ends.
func (c *customer) signIn(client *process.Client) bool {
	a, ok := c.send(client, process.SigningIn(c.login, password), http.StatusCreated)
	var g process.Grant
	if ok = ok && a.Into(&g) == nil; ok {
		c.spares = append(c.spares, g)
	}
	return ok
}

// signOut ends a session, if there is one to end.
func (c *customer) signOut(client *process.Client) bool {
	return len(c.spares) == 0 || c.writer.signOut(client)
}
