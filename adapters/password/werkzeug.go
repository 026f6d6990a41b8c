package password

import "strings"

// The bounds of what Werkzeug writes: method$salt$key, the salt used as it is
// spelled, the key in hexadecimal. Its salts have 8 or 16 characters.
const maxWerkzeugSalt = 64

// parseWerkzeug reads method$salt$key, the key of size bytes.
func parseWerkzeug(text string, size int) (salt, key []byte, err error) {
	field := strings.Split(text, "$")
	if len(field) != 3 {
		return nil, nil, malformed("want method$salt$key")
	}
	spelled, err := readSalt(field[1], maxWerkzeugSalt)
	if err != nil {
		return nil, nil, err
	}
	key, err = readHex(field[2], size)
	return []byte(spelled), key, err
}
