package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

func TestEachKindHasAStatusOfItsOwn(t *testing.T) {
	want := map[domain.Kind]int{
		domain.Internal: 500, domain.Malformed: 400, domain.Invalid: 422, domain.Unauthenticated: 401, domain.Forbidden: 403, domain.NotFound: 404,
		domain.Conflict: 409, domain.Stale: 412, domain.Unconditional: 428, domain.TooLarge: 413, domain.Exhausted: 429, domain.Unavailable: 503,
	}
	for _, k := range domain.Kinds() {
		title, status := wire.Title(k)
		if status != want[k] || title == "" {
			t.Errorf("%s is %d %q, want %d", k, status, title, want[k])
		}
		p := wire.ProblemOf(t.Context(), &domain.Error{Kind: k, Code: "some-code", Detail: "A detail."})
		if p.Status != status || p.Title != title || p.Type != "/problems/some-code" || p.Detail != "A detail." || p.Error() != p.Detail {
			t.Errorf("%s is told as %+v", k, p)
		}
		retry := p.Header().Get("Retry-After")
		if later := status == 429 || status == 503; later != (retry == "1") {
			t.Errorf("%s is told with Retry-After %q", k, retry)
		}
		if challenge := p.Header().Get("WWW-Authenticate"); (status == 401) != (challenge == `Bearer realm="keyport"`) {
			t.Errorf("%s is told with the challenge %q", k, challenge)
		}
	}
	if len(want) != len(domain.Kinds()) {
		t.Errorf("there are %d kinds", len(domain.Kinds()))
	}
}

func TestEachPromisedFailureIsAProblem(t *testing.T) {
	for _, e := range domain.Errors() {
		p := wire.ProblemOf(t.Context(), e)
		if p.Type != "/problems/"+e.Code || p.Status < 400 || p.Title == "" || p.Detail != e.Detail {
			t.Errorf("%s is told as %+v", e.Code, p)
		}
		if p.Status >= 500 && !errors.Is(e, domain.Unavailable) && !errors.Is(e, domain.Internal) {
			t.Errorf("%s is told as our fault", e.Code)
		}
	}
}

func TestAnInvalidTokenIsToldInTheChallenge(t *testing.T) {
	for err, want := range map[*domain.Error]string{
		domain.ErrInvalidToken:       `Bearer realm="keyport", error="invalid_token"`,
		domain.ErrUnauthenticated:    `Bearer realm="keyport"`,
		domain.ErrInvalidCredentials: `Bearer realm="keyport"`,
	} {
		if got := wire.ProblemOf(t.Context(), err).Header().Get("WWW-Authenticate"); got != want {
			t.Errorf("%s: %s", err.Code, got)
		}
	}
}

func TestAProblemTellsNoCause(t *testing.T) {
	const inner = "pq: relation \"accounts\" of /var/lib"
	internal := wire.Problem{Type: "/problems/internal", Title: "Internal error", Status: 500, Detail: domain.ErrInternal.Detail, Instance: "urn:uuid:7"}
	away := wire.Problem{Type: "/problems/unavailable", Title: "Unavailable", Status: 503, Detail: domain.ErrUnavailable.Detail, Instance: "urn:uuid:7"}
	late := wire.Problem{Type: "/problems/timeout", Title: "Unavailable", Status: 503, Detail: domain.ErrTimeout.Detail, Instance: "urn:uuid:7"}
	blamed := wire.Problem{
		Type: "/problems/login-taken", Title: "Conflict", Status: 409, Detail: domain.ErrLoginTaken.Detail, Instance: "urn:uuid:7",
		Errors: []wire.Fault{{"/username", "taken", "choose another"}},
	}
	for _, c := range []struct {
		name string
		err  error
		want wire.Problem
	}{
		{"an accident", errors.New(inner), internal},
		{"a wrapped accident", fmt.Errorf("reading: %w", errors.New(inner)), internal},
		{"a kind alone, which nobody promised", fmt.Errorf("%s: %w", inner, domain.NotFound), internal},
		{"a request that took too long", fmt.Errorf("%s: %w", inner, context.DeadlineExceeded), late},
		{"a request that was given up", fmt.Errorf("%s: %w", inner, context.Canceled), late},
		{"a promise with its cause", domain.ErrUnavailable.Because(errors.New(inner)), away},
		{"a wrapped promise with blame and cause", fmt.Errorf("%s: %w", inner, domain.ErrLoginTaken.At("/username", "taken", "choose another").Because(errors.New(inner))), blamed},
		{"a join of both", errors.Join(errors.New(inner), domain.ErrUnavailable), away},
	} {
		t.Run(c.name, func(t *testing.T) {
			request := &wire.Request{ID: "7"}
			ctx := wire.WithRequest(t.Context(), request)
			p := wire.ProblemOf(ctx, c.err)
			if diff := cmp.Diff(c.want, p); diff != "" {
				t.Error(diff)
			}
			if !errors.Is(request.Cause, c.err) {
				t.Errorf("the log gets %v", request.Cause)
			}
			w := httptest.NewRecorder()
			p.Write(w)
			if strings.Contains(w.Body.String(), "pq:") || strings.Contains(fmt.Sprint(w.Header()), "pq:") {
				t.Error(w.Body)
			}
			var again wire.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &again); err != nil || !cmp.Equal(again, p) {
				t.Errorf("%s (%v)", w.Body, err)
			}
			if w.Code != p.Status || w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		})
	}
}

func TestAProblemThatIsReturnedIsToldAsItIs(t *testing.T) {
	request := &wire.Request{ID: "7"}
	ctx := wire.WithRequest(t.Context(), request)
	for _, p := range []wire.Problem{wire.NoRoute, wire.WrongMethod, wire.WrongType} {
		want := p
		want.Instance = "urn:uuid:7"
		if got := wire.ProblemOf(ctx, fmt.Errorf("routing: %w", p)); !cmp.Equal(got, want) || request.Cause != nil {
			t.Errorf("%+v, cause %v", got, request.Cause)
		}
		if p.Title == "" || p.Detail == "" || p.Instance != "" {
			t.Errorf("%+v", p)
		}
	}
}

func TestOutsideTheStackThereIsNoInstance(t *testing.T) {
	if p := wire.ProblemOf(t.Context(), domain.ErrStale); p.Instance != "" {
		t.Errorf("%+v", p)
	}
	w := httptest.NewRecorder()
	wire.ProblemOf(t.Context(), domain.ErrStale).Write(w)
	if want := `{"type":"/problems/stale-revision","title":"Stale","status":412,"detail":"It has changed since it was read."}` + "\n"; w.Body.String() != want {
		t.Errorf("got %s, want %s", w.Body, want)
	}
}
