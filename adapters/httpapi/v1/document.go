package v1

import (
	"errors"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// describe returns the head of the OpenAPI document, and how bodies are read and
// written.
func describe(version string) huma.Config {
	format := huma.Format{Marshal: wire.Marshal, Unmarshal: unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "Keyport",
				Version:     version,
				Description: "Accounts, tokens and resources for single-page apps. Every refusal is an RFC 9457 problem; its type is a page that says what to do.",
				License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", Description: "An access token, from /v1/sessions or /v1/token, or an access key, from /v1/me/keys."},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// unmarshal decodes as wire does. Where huma only looks whether a body is of the right
// shape, a number that no double is near is as good as the greatest: a document keeps
// its text.
func unmarshal(body []byte, v any) error {
	err := wire.Unmarshal(body, v)
	if _, looking := v.(*any); err == nil || !looking {
		return err
	}
	return json.Unmarshal(body, v, json.WithUnmarshalers(json.UnmarshalFromFunc(func(d *jsontext.Decoder, v *any) error {
		if d.PeekKind() != '0' {
			return errors.ErrUnsupported
		}
		number, err := d.ReadToken()
		if err != nil {
			return err
		}
		f, _ := strconv.ParseFloat(number.String(), 64) // infinite, if it is out of range
		*v = min(max(f, -math.MaxFloat64), math.MaxFloat64)
		return nil
	})))
}

// tag groups an operation by what stands behind /v1/.
func tag(path string) string {
	if strings.Contains(path, "/records") {
		return "records"
	}
	noun, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/")
	if noun == "me" {
		return "accounts"
	}
	return noun
}

// A document is a JSON object of the caller's own making, in and out.
type document struct{ domain.Document }

// Schema implements huma.SchemaProvider.
func (document) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// UnmarshalJSON reads the object strictly. What it fails with tells the inputs at
// fault below the member that holds the document.
func (d *document) UnmarshalJSON(text []byte) (err error) {
	d.Document, err = domain.ParseDocument(text)
	return err
}

// describeDoors tells the document of the routes that are not huma's.
func (d dialect) describeDoors() {
	doc := d.api.OpenAPI()
	schema := func(t reflect.Type) *huma.Schema { return doc.Components.Schemas.Schema(t, true, "") }
	body := func(mediaType string, s *huma.Schema) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{mediaType: {Schema: s}}
	}
	refusal := &huma.Response{
		Description: "Refused, in the words of OAuth.",
		Content:     body("application/json", schema(reflect.TypeFor[oauthError]())),
	}
	text := &huma.Schema{Type: huma.TypeString}
	form := func(required []string, names ...string) *huma.RequestBody {
		s := &huma.Schema{Type: huma.TypeObject, Required: required, Properties: make(map[string]*huma.Schema), AdditionalProperties: true}
		for _, name := range names {
			s.Properties[name] = text
		}
		content := body("application/x-www-form-urlencoded", s)
		content["application/json"] = &huma.MediaType{Schema: s}
		return &huma.RequestBody{Required: true, Content: content}
	}
	// The cookie is told as it is where huma tells it.
	keeper := doc.Paths["/v1/sessions/{id}"].Delete.Parameters
	keeper = slices.DeleteFunc(slices.Clone(keeper), func(p *huma.Param) bool { return p.In != "cookie" && p.Name != "Origin" })
	sets := func(about string) map[string]*huma.Param {
		return map[string]*huma.Param{"Set-Cookie": {Description: about, Schema: text}}
	}
	doc.AddOperation(&huma.Operation{
		OperationID: "refresh", Method: http.MethodPost, Path: "/v1/token", Summary: "Trade a refresh token for new tokens (RFC 6749, section 6)",
		Description: "Without the parameter refresh_token, the token that the cookie holds is traded for one that the cookie holds. The cookie is cleared where its token is dead.",
		Tags:        []string{"token"},
		Parameters:  keeper,
		RequestBody: form([]string{"grant_type"}, "grant_type", "refresh_token"),
		Responses: map[string]*huma.Response{
			"200": {
				Description: "New tokens.", Headers: sets("The next refresh token, where the cookie held the last."),
				Content: body("application/json", schema(reflect.TypeFor[grant]())),
			},
			"default": refusal,
		},
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "revoke", Method: http.MethodPost, Path: "/v1/token/revoke", Summary: "End the session of a token (RFC 7009)",
		Description: "Without the parameter token, the session of the cookie's ends, and the cookie is cleared.",
		Tags:        []string{"token"},
		Parameters:  keeper,
		RequestBody: form(nil, "token", "token_type_hint"),
		Responses: map[string]*huma.Response{
			"200":     {Description: "The token is dead, if it ever was one.", Headers: sets("Clears the cookie, where it held the token.")},
			"default": refusal,
		},
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "introspect", Method: http.MethodPost, Path: "/v1/token/introspect", Summary: "Ask what a token is worth (RFC 7662); for the roles introspect and admin",
		Tags:        []string{"token"},
		Security:    []map[string][]string{{"bearer": {}}},
		RequestBody: form([]string{"token"}, "token", "token_type_hint"),
		Responses: map[string]*huma.Response{
			"200":     {Description: "What it says, if it is live.", Content: body("application/json", schema(reflect.TypeFor[introspection]()))},
			"default": refusal,
		},
	})
	for path, id := range map[string]string{
		"/.well-known/oauth-authorization-server": "metadata",
		"/.well-known/openid-configuration":       "openid-metadata",
	} {
		doc.AddOperation(&huma.Operation{
			OperationID: id, Method: http.MethodGet, Path: path, Summary: "Where the doors are (RFC 8414, OpenID Connect Discovery 1.0)",
			Tags: []string{"token"},
			Responses: map[string]*huma.Response{"200": {
				Description: "The metadata of the issuer.", Content: body("application/json", schema(reflect.TypeFor[metadata]())),
			}},
		})
	}
	doc.AddOperation(&huma.Operation{
		OperationID: "keys", Method: http.MethodGet, Path: "/.well-known/jwks.json", Summary: "The public keys that verify access tokens (RFC 7517)",
		Tags: []string{"token"},
		Responses: map[string]*huma.Response{"200": {
			Description: "A JWK Set.", Content: body("application/jwk-set+json", &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}),
		}},
	})
}
