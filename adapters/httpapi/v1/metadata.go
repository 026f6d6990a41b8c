package v1

import (
	"bytes"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// metadata is what verifiers and clients need not be told by hand: RFC 8414,
// section 2, with the members that OpenID Connect Discovery 1.0, section 3, wants
// on top. Nobody signs in through a browser's redirect here, so there is no
// authorization endpoint and no response type; no ID token is issued, and the
// algorithms are those of access tokens, where verifiers look for them.
type metadata struct {
	Issuer               string             `json:"issuer" format:"uri"`
	KeySet               string             `json:"jwks_uri" format:"uri"`
	Token                string             `json:"token_endpoint" format:"uri"`
	Revocation           string             `json:"revocation_endpoint" format:"uri"`
	Introspection        string             `json:"introspection_endpoint" format:"uri"`
	Documentation        string             `json:"service_documentation" format:"uri"`
	Grants               []string           `json:"grant_types_supported" nullable:"false"`
	Responses            []string           `json:"response_types_supported" nullable:"false"`
	Subjects             []string           `json:"subject_types_supported" nullable:"false"`
	Algorithms           []domain.Algorithm `json:"id_token_signing_alg_values_supported" nullable:"false" doc:"Of access tokens; no ID token is issued. Each key has one, which the key set tells."`
	TokenMethods         []string           `json:"token_endpoint_auth_methods_supported" nullable:"false"`
	RevocationMethods    []string           `json:"revocation_endpoint_auth_methods_supported" nullable:"false"`
	IntrospectionMethods []string           `json:"introspection_endpoint_auth_methods_supported" nullable:"false" doc:"Bearer: an access token or an access key of an account with the role introspect or admin (RFC 8414, section 2)."`
	Claims               []string           `json:"claims_supported" nullable:"false" doc:"Of access tokens."`
	Revocations          string             `json:"keyport_revocations_endpoint" format:"uri" doc:"Where a service that checks access tokens by itself hears which were revoked."`
	RevocationMax        float64            `json:"keyport_revocation_max" doc:"The longest that a revoked access token may still be taken here, in seconds. Whoever checks tokens by itself and does not hear what was revoked takes them until they expire."`
}

func (d dialect) metadata(r chi.Router, revocationMax time.Duration) {
	var document bytes.Buffer
	err := wire.Marshal(&document, metadata{
		Issuer:               d.issuer,
		KeySet:               d.issuer + "/.well-known/jwks.json",
		Token:                d.issuer + "/v1/token",
		Revocation:           d.issuer + "/v1/token/revoke",
		Introspection:        d.issuer + "/v1/token/introspect",
		Documentation:        d.issuer + "/docs",
		Grants:               []string{"refresh_token"},
		Responses:            []string{},
		Subjects:             []string{"public"},
		Algorithms:           domain.SigningAlgorithms(),
		TokenMethods:         []string{"none"},
		RevocationMethods:    []string{"none"},
		IntrospectionMethods: []string{"Bearer"},
		Claims:               []string{"iss", "sub", "aud", "exp", "iat", "jti", "sid", "av", "roles", "auth_time"},
		Revocations:          d.issuer + "/v1/revocations",
		RevocationMax:        revocationMax.Seconds(),
	})
	if err != nil {
		panic("v1: the metadata cannot be written: " + err.Error())
	}
	serve := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(document.Bytes())
	}
	r.Get("/.well-known/oauth-authorization-server", serve)
	r.Get("/.well-known/openid-configuration", serve)
}
