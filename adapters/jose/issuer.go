package jose

import (
	"bytes"
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// An issuer implements ports.TokenIssuer. Each key has one algorithm, and is
// found by its exact id.
type issuer struct{ ring *Keyring }

var _ ports.TokenIssuer = issuer{}

// Issue implements ports.TokenIssuer. Claims that Verify would not take, by an
// id or a date that is none, are an accident.
func (i issuer) Issue(ctx context.Context, c domain.Claims) (domain.Secret, error) {
	if err := ctx.Err(); err != nil {
		return domain.Secret{}, err
	}
	config := &i.ring.c
	p := newPayload(config.Issuer, config.Audience, c)
	if _, err := p.claims(config.Issuer, config.Audience); err != nil {
		return domain.Secret{}, fmt.Errorf("jose: issuing an access token: %w", err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return domain.Secret{}, fmt.Errorf("jose: writing the claims: %w", err)
	}
	key := i.ring.snapshot.Load().sign.signer(config.Now())
	signed := key.protected + "." + b64.EncodeToString(text)
	signature, err := key.private.sign(signed)
	if err != nil {
		return domain.Secret{}, err
	}
	token := signed + "." + b64.EncodeToString(signature)
	if len(token) > maxToken {
		return domain.Secret{}, fmt.Errorf("jose: issuing an access token: %w", errLength)
	}
	return domain.NewSecret(token), nil
}

// Verify implements ports.TokenIssuer, with all keys that are kept.
func (i issuer) Verify(ctx context.Context, token string) (domain.Claims, error) {
	return i.ring.checker.verify(ctx, i.ring.snapshot.Load().verifiers, token)
}

// KeySet implements ports.TokenIssuer. All keys that are kept are in it, the newest
// first: those that wait for their turn, and those that verify what they signed.
func (i issuer) KeySet(context.Context) ([]byte, error) {
	return bytes.Clone(i.ring.snapshot.Load().set), nil
}
