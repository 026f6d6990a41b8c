package jose

import "encoding/base64"

var b64 = base64.RawURLEncoding.Strict()

// decode reads base64url without padding (RFC 4648, section 5), in the one
// spelling that a value has: the library lets line breaks pass even where it is
// strict on spare bits.
func decode(text string) ([]byte, bool) {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return nil, false
		}
	}
	b, err := b64.DecodeString(text)
	return b, err == nil
}
