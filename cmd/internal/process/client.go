package process

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Client speaks to one server. Many goroutines may use it at once; it keeps a
// connection for each.
type Client struct {
	base string
	http *http.Client
}

// Client returns a client of the public listener. The caller closes it.
func (k *Keyport) Client() *Client { return NewClient(k.URL) }

// Ops returns a client of the private listener. The caller closes it.
func (k *Keyport) Ops() *Client { return NewClient(k.OpsURL) }

// NewClient returns a client of whatever answers at base, such as
// http://127.0.0.1:8080. The caller closes it.
func NewClient(base string) *Client {
	return &Client{base, &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2048, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close lets go of the connections that wait.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// A Request is what is sent. Only Method and Path are required.
type Request struct {
	Method, Path string // the path with its query
	Token        string // an access token
	Match        string // If-Match
	Body         any    // sent as it is if []byte, as a form if url.Values, else as JSON
	Header       http.Header
}

// An Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Took   time.Duration // from the first byte sent to the last received
}

// maxAnswer bounds an answer's body, in bytes.
const maxAnswer = 16 << 20

// Into reads the body, which is JSON.
func (a Answer) Into(v any) error { return json.Unmarshal(a.Body, v) }

// String returns the status and the start of the body.
func (a Answer) String() string {
	return fmt.Sprintf("%d %s", a.Status, strings.TrimSpace(string(a.Body[:min(len(a.Body), 512)])))
}

// A Refusal is an answer that a helper of the client did not hope for.
type Refusal struct {
	Request string // its method and path
	Answer
}

func (r *Refusal) Error() string { return r.Request + ": " + r.Answer.String() }

// Send sends r and returns whatever the answer is. It fails only where there is
// no whole answer: then what was asked for may have been done or not.
func (c *Client) Send(ctx context.Context, r Request) (Answer, error) {
	body, media, err := r.body()
	if err != nil {
		return Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, c.base+r.Path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	for name, value := range map[string]string{"Content-Type": media, "If-Match": r.Match} {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	if r.Token != "" {
		request.Header.Set("Authorization", "Bearer "+r.Token)
	}
	for name, values := range r.Header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	start := time.Now()
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	return Answer{response.StatusCode, response.Header, text, time.Since(start)}, nil
}

func (r Request) body() (body []byte, media string, err error) {
	switch b := r.Body.(type) {
	case nil:
		return nil, "", nil
	case []byte:
		return b, "application/json", nil
	case url.Values:
		return []byte(b.Encode()), "application/x-www-form-urlencoded", nil
	}
	body, err = json.Marshal(r.Body)
	return body, "application/json", err
}

// Want sends r and reads the answer into v, which may be nil. It fails with a
// *Refusal where the status is another.
func (c *Client) Want(ctx context.Context, status int, r Request, v any) error {
	a, err := c.Send(ctx, r)
	if err != nil {
		return err
	}
	if a.Status != status {
		return &Refusal{r.Method + " " + r.Path, a}
	}
	if v == nil {
		return nil
	}
	return a.Into(v)
}

// A Grant is what a sign-in or a refresh gives (RFC 6749, section 5.1).
type Grant struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Session      string `json:"session"`
}

// SignUp opens an account. It fails with a *Refusal where there is one.
func (c *Client) SignUp(ctx context.Context, username, password string) error {
	return c.Want(ctx, http.StatusCreated, Request{
		Method: http.MethodPost, Path: "/v1/accounts",
		Body: map[string]string{"username": username, "password": password},
	}, nil)
}

// SignIn opens a session. It fails with a *Refusal where the password is wrong,
// or too many sign in at once.
func (c *Client) SignIn(ctx context.Context, login, password string) (g Grant, err error) {
	err = c.Want(ctx, http.StatusCreated, SigningIn(login, password), &g)
	return g, err
}

// SigningIn is the request of SignIn.
func SigningIn(login, password string) Request {
	return Request{
		Method: http.MethodPost, Path: "/v1/sessions",
		Body: map[string]string{"login": login, "password": password},
	}
}

// Refresh trades a refresh token for new tokens. It fails with a *Refusal where
// the token is dead.
func (c *Client) Refresh(ctx context.Context, refreshToken string) (g Grant, err error) {
	err = c.Want(ctx, http.StatusOK, Refreshing(refreshToken), &g)
	return g, err
}

// Refreshing is the request of Refresh.
func Refreshing(refreshToken string) Request {
	return Request{
		Method: http.MethodPost, Path: "/v1/token",
		Body: url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}},
	}
}

// SignOut ends the session of an access token. It fails with a *Refusal where
// that is dead already.
func (c *Client) SignOut(ctx context.Context, accessToken string) error {
	return c.Want(ctx, http.StatusNoContent, SigningOut(accessToken), nil)
}

// SigningOut is the request of SignOut.
func SigningOut(accessToken string) Request {
	return Request{Method: http.MethodDelete, Path: "/v1/sessions/current", Token: accessToken}
}
