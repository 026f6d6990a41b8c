package jose

import (
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/keyport-go/keyport/domain"
)

// An algorithm is how access tokens are signed: how its keys are made, kept and
// published. Everything else in this package is the same for all of them.
type algorithm interface {
	// generate makes a private key, as it is sealed.
	generate() ([]byte, error)
	// private reads what generate has made.
	private(secret []byte) (private, error)
	// public reads a public key, and fails with errJWK for what is none of this
	// algorithm.
	public(k jwk) (public, error)
}

// A public key checks signatures.
type public interface {
	// shaped reports whether b could be a signature by its shape, which costs
	// nothing to know.
	shaped(b []byte) bool
	// verify reports whether signature, which has the shape of one, is that of
	// text.
	verify(text string, signature []byte) bool
	// jwk returns the members that are the algorithm's: kty and what it wants.
	jwk() jwk
}

// A private key signs, and checks what it has signed.
type private interface {
	public
	sign(text string) ([]byte, error)
}

// algorithms are those of domain.SigningAlgorithms.
var algorithms = map[domain.Algorithm]algorithm{
	domain.ES256: es256{},
	domain.EdDSA: eddsa{},
	domain.RS256: rs256{},
}

// A library signs and checks bytes by one algorithm. Its keys are those of the
// standard library: from its own it would derive them anew each time.
type library struct {
	signer   jws.Signer
	verifier jws.Verifier
}

// newLibrary panics if jwx lacks the algorithm.
func newLibrary(a jwa.SignatureAlgorithm) library {
	signer, err := jws.NewSigner(a)
	if err != nil {
		panic(fmt.Errorf("jose: signing by %s: %w", a, err))
	}
	verifier, err := jws.NewVerifier(a)
	if err != nil {
		panic(fmt.Errorf("jose: verifying by %s: %w", a, err))
	}
	return library{signer, verifier}
}

func (l library) sign(text string, key any) ([]byte, error) {
	signature, err := l.signer.Sign([]byte(text), key)
	if err != nil {
		return nil, fmt.Errorf("jose: signing: %w", err)
	}
	return signature, nil
}

func (l library) verify(text string, signature []byte, key any) bool {
	return l.verifier.Verify([]byte(text), signature, key) == nil
}
