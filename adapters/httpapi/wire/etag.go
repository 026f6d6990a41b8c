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

// PutCondition reads the condition of a PUT, which must have one: what IfMatch reads,
// to replace what is there, or an If-None-Match of "*" (RFC 9110, section 13.1.2),
// to create what is not. It fails with domain.ErrNoCondition without either, and with
// domain.ErrInvalid for both, and for an If-None-Match of something else.
func PutCondition(ifMatch, ifNoneMatch string) (match domain.Revision, create bool, err error) {
	ifMatch, ifNoneMatch = strings.TrimSpace(ifMatch), strings.TrimSpace(ifNoneMatch)
	switch {
	case ifNoneMatch == "":
		match, err = IfMatch(ifMatch)
		return match, false, err
	case ifMatch != "":
		return 0, false, domain.ErrInvalid.At("If-None-Match", "contradictory", "want If-Match to replace what is there, or If-None-Match to create it, and not both")
	case ifNoneMatch != "*":
		return 0, false, domain.ErrInvalid.At("If-None-Match", "invalid", "want *, to create what is not there")
	}
	return 0, true, nil
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
