package jose

import (
	"time"

	"github.com/keyport-go/keyport/domain"
)

// Forge signs any header and payload with the genuine key that signs at the time,
// so that a test can tell what is refused although its signature is good.
func Forge(k *Keyring, header, payload string) (string, error) {
	return forge(k.snapshot.Load().sign.signer(k.c.Now()), header, payload)
}

// ForgeBy signs as Forge does, with the genuine key of an id.
func ForgeBy(k *Keyring, kid, header, payload string) (string, error) {
	s := k.snapshot.Load().sign
	for _, key := range s.opened {
		if key.kid == kid {
			return forge(key, header, payload)
		}
	}
	panic("there is no such key")
}

func forge(key *signer, header, payload string) (string, error) {
	text := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	signature, err := key.private.sign(text)
	return text + "." + b64.EncodeToString(signature), err
}

// Seal seals a secret as a Keyring does.
func Seal(m Master, k domain.Key, secret []byte) domain.Key {
	k.Sealed = m.seal(k, secret)
	return k
}

// Choose does what choosing the keys that sign takes of an Issue.
func Choose(k *Keyring, now time.Time) {
	s := k.snapshot.Load()
	s.sign.signer(now)
	s.refresh.signer(now)
	s.cursor.signer(now)
}
