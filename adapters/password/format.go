package password

import "strings"

// formats are the hashes that can be read, by what they begin with. A reader
// returns nil for what is not a hash of its format, or costs more to compare
// than its bounds allow.
var formats = []struct {
	prefix string
	read   func(text string) hash
}{
	{"$argon2id$", readArgon2id},
}

// read returns the hash that text spells, or nil.
func read(text string) hash {
	for _, f := range formats {
		if strings.HasPrefix(text, f.prefix) {
			return f.read(text)
		}
	}
	return nil
}

func readArgon2id(text string) hash {
	if a, err := parseArgon2id(text); err == nil {
		return a
	}
	return nil
}
