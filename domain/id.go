package domain

// An AccountID names an account for ever. It is never reused.
type AccountID string

// A SessionID names a session for ever. It is never reused.
type SessionID string

// A RecordID is unique within its collection.
type RecordID string

// An AccessKeyID names an access key for ever. It is never reused.
type AccessKeyID string

// ParseAccountID reads the text of a UUID. What is none names no account:
// ErrAccountNotFound.
func ParseAccountID(s string) (AccountID, error) { return parseID[AccountID](s, ErrAccountNotFound) }

// ParseSessionID reads the text of a UUID, or fails with ErrSessionNotFound.
func ParseSessionID(s string) (SessionID, error) { return parseID[SessionID](s, ErrSessionNotFound) }

// ParseAccessKeyID reads the text of a UUID, or fails with ErrAccessKeyNotFound.
func ParseAccessKeyID(s string) (AccessKeyID, error) {
	return parseID[AccessKeyID](s, ErrAccessKeyNotFound)
}

// ParseRecordID reads the text of a UUID, or fails with ErrRecordNotFound.
func ParseRecordID(s string) (RecordID, error) { return parseID[RecordID](s, ErrRecordNotFound) }

// parseID wants the one spelling that Keyport itself writes (RFC 9562, section
// 4, in lower case), so that an id has one URL.
func parseID[ID ~string](s string, absent *Error) (ID, error) {
	if len(s) != 36 {
		return "", absent
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return "", absent
			}
		case c < '0' || c > 'f' || c > '9' && c < 'a':
			return "", absent
		}
	}
	return ID(s), nil
}
