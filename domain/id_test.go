package domain_test

import (
	"testing"

	"github.com/keyport-go/keyport/domain"
)

func TestAnIDHasOneSpelling(t *testing.T) {
	const good = "01900000-0000-7abc-8def-0123456789af"
	if id, err := domain.ParseAccountID(good); err != nil || string(id) != good {
		t.Errorf("account: %q, %v", id, err)
	}
	if id, err := domain.ParseSessionID(good); err != nil || string(id) != good {
		t.Errorf("session: %q, %v", id, err)
	}
	if id, err := domain.ParseAccessKeyID(good); err != nil || string(id) != good {
		t.Errorf("access key: %q, %v", id, err)
	}
	if id, err := domain.ParseRecordID(good); err != nil || string(id) != good {
		t.Errorf("record: %q, %v", id, err)
	}
	for _, bad := range []string{
		"", "1", "current", "01900000-0000-7ABC-8DEF-0123456789AF", "{01900000-0000-7abc-8def-0123456789af}", "urn:uuid:01900000-0000-7abc-8def-0123456789af",
		"0190000000007abc8def0123456789af", "01900000-0000-7abc-8def-0123456789a", "01900000-0000-7abc-8def-0123456789aff", "01900000-0000-7abc-8def-0123456789ag",
		"01900000-0000-7abc-8def_0123456789af", "0190000-00000-7abc-8def-0123456789af", "01900000-0000-7abc-8def-0123456789a/", "01900000-0000-7abc-8def-0123456789a:",
		"01900000-0000-7abc-8def-0123456789a`", "01900000-0000-7abc-8def-0123456789\x00f", "01900000-0000-7abc-8def-0123456789é",
	} {
		account, err := domain.ParseAccountID(bad)
		blames(t, err, domain.ErrAccountNotFound)
		session, err := domain.ParseSessionID(bad)
		blames(t, err, domain.ErrSessionNotFound)
		record, err := domain.ParseRecordID(bad)
		blames(t, err, domain.ErrRecordNotFound)
		accessKey, err := domain.ParseAccessKeyID(bad)
		blames(t, err, domain.ErrAccessKeyNotFound)
		if account != "" || session != "" || record != "" || accessKey != "" {
			t.Errorf("%q is taken for an id", bad)
		}
	}
}
