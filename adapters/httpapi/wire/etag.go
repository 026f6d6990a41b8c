package wire

import (
	"strconv"
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// ETag returns the strong entity tag of a revision (RFC 9110, section 8.8.3).
func ETag(r domain.Revision) string { return `"` + strconv.FormatInt(int64(r), 10) + `"` }

// never is a revision that nothing has.
const never domain.Revision = -1

// IfMatch reads an If-Match header that must be there: the revision that is to
// be changed, or 0 for "*". A tag that is none of ours matches nothing, and gives
// a revision that nothing has. It fails with domain.ErrNoCondition if there is
// none, and with domain.ErrInvalid if there are several.
func IfMatch(header string) (domain.Revision, error) {
	if strings.TrimSpace(header) == "" {
		return 0, domain.ErrNoCondition
	}
	return OptionalIfMatch(header)
}

// OptionalIfMatch is IfMatch where the condition may be left out: then it is 0.
func OptionalIfMatch(header string) (domain.Revision, error) {
	header = strings.TrimSpace(header)
	switch {
	case header == "" || header == "*":
		return 0, nil
	case strings.Contains(header, ","):
		return 0, domain.ErrInvalid.At("If-Match", "several", "want one entity tag, or *")
	}
	text, quoted := strings.CutPrefix(header, `"`)
	text, closed := strings.CutSuffix(text, `"`)
	n, err := strconv.ParseInt(text, 10, 64)
	if !quoted || !closed || err != nil || n < 1 || ETag(domain.Revision(n)) != header {
		return never, nil
	}
	return domain.Revision(n), nil
}

// NoneMatch reports whether an If-None-Match header holds for what is at
// revision r: whether it is to be sent (RFC 9110, section 13.1.2).
func NoneMatch(header string, r domain.Revision) bool {
	for tag := range strings.SplitSeq(header, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == ETag(r) {
			return false
		}
	}
	return true
}
