package ports

import (
	"context"

	"github.com/keyport-go/keyport/domain"
)

// A TokenIssuer turns claims into access tokens and back.
type TokenIssuer interface {
	// Issue returns claims as a token that Verify accepts.
	Issue(ctx context.Context, c domain.Claims) (domain.Secret, error)

	// Verify returns the claims of a token that this issuer made and that
	// nobody has altered. It does not look at the clock: whether the claims are
	// still live is the caller's question. It fails with domain.ErrInvalidToken.
	Verify(ctx context.Context, token string) (domain.Claims, error)

	// KeySet returns the public keys that verify what Issue makes, as a JWK Set
	// (RFC 7517, section 5). No private or symmetric key is in it.
	KeySet(ctx context.Context) ([]byte, error)
}

// A RefreshIssuer turns refresh tokens into text and back.
type RefreshIssuer interface {
	// Issue returns the token's text: the same for the same token while the same
	// key signs, and at most 256 bytes of the letters, digits, hyphen and underscore
	// of base64url.
	Issue(t domain.RefreshToken) domain.Secret

	// Verify returns the token whose text it is, if this issuer made it and
	// nobody has altered it. It fails with domain.ErrInvalidToken.
	Verify(text string) (domain.RefreshToken, error)

	// IssueLasting returns the text of a token that is used again and again, as
	// Issue does. Neither of Verify and VerifyLasting takes a text of the other's.
	IssueLasting(t domain.LastingToken) domain.Secret

	// VerifyLasting returns the token whose text it is, as Verify does, whatever
	// the time: whether it has expired is the caller's question.
	VerifyLasting(text string) (domain.LastingToken, error)
}

// A CursorSealer makes places in a listing opaque, and knows its own again.
type CursorSealer interface {
	// Seal returns place as text that Open accepts with the same scope: letters,
	// digits, hyphen and underscore.
	Seal(scope, place string) string

	// Open returns the place, or domain.ErrInvalidCursor if the text was not
	// made for this scope or has been altered.
	Open(scope, text string) (string, error)
}
