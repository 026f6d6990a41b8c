package domain

import "time"

// ReceiptRetention is how long the answer to a request with an Idempotency-Key is
// kept.
const ReceiptRetention = 24 * time.Hour

// A ReceiptID stands for one Idempotency-Key of one caller on one route.
type ReceiptID [32]byte

// A Receipt is the answer to a request, kept for who asks again.
type Receipt struct {
	ID     ReceiptID
	Body   [32]byte // a keyed digest of what was asked
	Answer []byte   // sealed
	At     time.Time
}

// An IdempotencyKey is what a client names a request by, to send it again: 1 to 255
// visible ASCII characters.
type IdempotencyKey string

// ParseIdempotencyKey reads the value of an Idempotency-Key header. It fails with
// ErrInvalidIdempotencyKey.
func ParseIdempotencyKey(s string) (IdempotencyKey, error) {
	if s == "" || len(s) > 255 {
		return "", ErrInvalidIdempotencyKey
	}
	for i := range len(s) {
		if s[i] < '!' || s[i] > '~' {
			return "", ErrInvalidIdempotencyKey
		}
	}
	return IdempotencyKey(s), nil
}
