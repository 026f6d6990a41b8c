package v1

import (
	"context"
	"net/http"
	"time"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// A grant is a token answer (RFC 6749, section 5.1).
type grant struct {
	AccessToken  string           `json:"access_token"`
	TokenType    string           `json:"token_type" enum:"Bearer"`
	ExpiresIn    int64            `json:"expires_in" doc:"Seconds until the access token ends."`
	RefreshToken string           `json:"refresh_token,omitempty" doc:"Left out where the cookie holds it."`
	Session      domain.SessionID `json:"session" format:"uuid" doc:"The session that both belong to."`
}

func viewGrant(g domain.Grant) grant {
	return grant{
		AccessToken: g.Access.Reveal(), TokenType: "Bearer", ExpiresIn: int64(g.Life / time.Second),
		RefreshToken: g.Refresh.Reveal(), Session: g.Session,
	}
}

// A session is how a session looks to its account.
type session struct {
	ID        domain.SessionID `json:"id" format:"uuid"`
	Current   bool             `json:"current" doc:"Whether it is the one that asks."`
	Device    string           `json:"device,omitempty" doc:"The user agent that signed in."`
	Address   string           `json:"address,omitempty" doc:"The network address that it was last used from."`
	CreatedAt time.Time        `json:"created_at"`
	UsedAt    time.Time        `json:"used_at" doc:"When one of its tokens was last used; up to two minutes may be missing."`
	EndsAt    time.Time        `json:"ends_at"`
}

func (d dialect) sessions() {
	public(d, operation("sign-in", http.MethodPost, "/v1/sessions", "Sign in", http.StatusCreated, 401, 403), d.signIn)
	asked(d, operation("list-sessions", http.MethodGet, "/v1/sessions", "List your sessions", http.StatusOK, 401, 403), d.listSessions)
	asked(d, operation("end-session", http.MethodDelete, "/v1/sessions/{id}", "End one of your sessions; current is the one that asks", http.StatusNoContent, 401, 403, 404), d.endSession)
	asked(d, operation("end-sessions", http.MethodDelete, "/v1/sessions", "End all your sessions, or all others", http.StatusNoContent, 401, 403), d.endSessions)
}

type signedIn struct {
	Location  string `header:"Location"`
	SetCookie string `header:"Set-Cookie" doc:"The refresh token, where the cookie transport was asked for."`
	Body      grant
}

func (d dialect) signIn(ctx context.Context, in *struct {
	Page
	UserAgent string `header:"User-Agent"`
	Body      struct {
		Login     string `json:"login" doc:"A user name or an e-mail address."`
		Password  string `json:"password"`
		Transport string `json:"transport,omitempty" enum:"body,cookie" doc:"How the refresh token travels: in the body, which is the default, or in a cookie that no script can read."`
	}
},
) (*signedIn, error) {
	if in.Body.Transport == byCookie {
		if err := d.cookies.offered(in.Origin); err != nil {
			return nil, err
		}
	}
	login, err := domain.ParseLogin(in.Body.Login)
	if err != nil {
		return nil, moved(err, domain.ErrInvalidLogin, "/login")
	}
	proof, err := d.Accounts.Authenticate(ctx, login, domain.NewPassword(in.Body.Password))
	if err != nil {
		return nil, err
	}
	g, err := d.Tokens.Open(ctx, proof.Account, proof.Credential, domain.Client{Device: in.UserAgent, Address: wire.RequestOf(ctx).Client})
	if err != nil {
		return nil, err
	}
	out := &signedIn{Location: "/v1/sessions/" + string(g.Session), Body: viewGrant(g)}
	if in.Body.Transport == byCookie {
		out.SetCookie, out.Body.RefreshToken = setting(g), ""
	}
	return out, nil
}

func (d dialect) listSessions(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Paging
},
) (*page[session], error) {
	p, err := d.Tokens.List(ctx, who, in.request())
	if err != nil {
		return nil, err
	}
	return pageOf("/v1/sessions", in.request(), p, func(s domain.Session) session {
		used := s.Used
		if s.Seen.After(used) {
			used = s.Seen
		}
		return session{s.ID, s.ID == who.Session, s.Device, s.Address, s.Created, used, s.Ends}
	}), nil
}

type signedOut struct {
	SetCookie string `header:"Set-Cookie" doc:"Clears the cookie, where the current session is ended by a request that carries it."`
}

func (d dialect) endSession(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Keeper
	ID string `path:"id" doc:"A session, or current."`
},
) (*signedOut, error) {
	if in.ID == "current" {
		return d.endCurrent(ctx, who, in.Keeper)
	}
	id, err := domain.ParseSessionID(in.ID)
	if err != nil && !who.Stranger() {
		return nil, err
	}
	return &signedOut{}, d.Tokens.End(ctx, who, id)
}

func (d dialect) endCurrent(ctx context.Context, who domain.Asker, in Keeper) (*signedOut, error) {
	var out signedOut
	if in.Cookie != "" {
		if err := d.cookies.known(in.Origin); err != nil {
			return nil, err
		}
		out.SetCookie = clearing
	}
	return &out, d.Tokens.End(ctx, who, who.Session)
}

func (d dialect) endSessions(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Except string `query:"except" enum:"current" doc:"Leave the one that asks."`
},
) (*nothing, error) {
	var except domain.SessionID
	if in.Except != "" {
		except = who.Session
	}
	return &nothing{}, d.Tokens.EndAll(ctx, who, except)
}
