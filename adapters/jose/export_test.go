package jose

import "github.com/keyport-go/keyport/domain"

// Forge signs any header and payload with k's genuine key, so that a test can
// tell what is refused although its signature is good.
func Forge(k *Keyring, header, payload string) (string, error) {
	text := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	signature, err := k.tokens.current.sign(text)
	return text + "." + b64.EncodeToString(signature), err
}

// Seal seals a secret as a Keyring does.
func Seal(m Master, k domain.Key, secret []byte) domain.Key {
	k.Sealed = m.seal(k, secret)
	return k
}
