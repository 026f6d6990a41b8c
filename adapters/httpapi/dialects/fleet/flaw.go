package fleet

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// passable are the algorithms of tokens that would have been looked at further: the
// original's, and those that sign Keyport's by default or at wish. RS256 can sign
// them too, and yet its name is told as the original told it.
var passable = []string{"HS256", "ES256", "EdDSA"}

// flaw says what is wrong with a token that is none of ours, as far as its shape
// tells: in the words and the order of PyJWT 1.7, which read a token whole before it
// looked at algorithm and signature.
func flaw(token string) string {
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return "Not enough segments"
	}
	decoded := make([][]byte, 3)
	for i, name := range []string{"header", "payload", "crypto"} {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[i], "=")); err != nil {
			return "Invalid " + name + " padding"
		}
		if name != "crypto" && !isObject(decoded[i]) {
			return "Invalid " + name + " string: must be a json object"
		}
	}
	var header struct {
		Alg jsontext.Value `json:"alg"`
	}
	var alg string
	if json.Unmarshal(decoded[0], &header) != nil || json.Unmarshal(header.Alg, &alg) != nil || !slices.Contains(passable, alg) {
		return "The specified alg value is not allowed"
	}
	return "Signature verification failed"
}

func isObject(text []byte) bool {
	v := jsontext.Value(text)
	return v.IsValid() && v.Kind() == '{'
}
