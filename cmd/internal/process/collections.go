package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Declare declares a collection: declaration is the body, JSON. It fails with a
// *Refusal where there is one of that name.
func (c *Client) Declare(ctx context.Context, administrator, declaration string) error {
	return c.Want(ctx, http.StatusCreated, Request{
		Method: http.MethodPost, Path: "/v1/collections", Token: administrator, Body: []byte(declaration),
	}, nil)
}

// An Imported is how far an import is.
type Imported struct {
	Stored   int64             `json:"stored"`
	Refused  int64             `json:"refused"`
	Done     bool              `json:"done"`
	Problems []json.RawMessage `json:"problems"`
}

// Import sends lines of records to a collection as they are read, and returns how
// far that came. It fails with a *Refusal where there is one.
func (c *Client) Import(ctx context.Context, accessToken, collection string, lines io.Reader) (done Imported, err error) {
	path := "/v1/collections/" + collection + "/records:import"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, lines)
	if err != nil {
		return done, err
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	request.Header.Set("Authorization", "Bearer "+accessToken)
	response, err := c.http.Do(request)
	if err != nil {
		return done, err
	}
	defer response.Body.Close()
	a := Answer{Status: response.StatusCode, Header: response.Header}
	if a.Body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return done, fmt.Errorf("POST %s: %w", path, err)
	}
	if a.Status != http.StatusOK {
		return done, &Refusal{"POST " + path, a}
	}
	return done, a.Into(&done)
}
