package password

import (
	_ "embed" // for the list
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// common holds the passwords of at least 8 characters in the list of
// @zxcvbn-ts/language-common 4.1.3 (MIT; the licence lies beside it), folded, one
// a line, in the order of their bytes. Shorter ones are refused for their length.
//
//go:embed blocklist/common.txt
var common string

// A Blocklist knows 17,950 common passwords. It takes no memory but the binary's
// own: the text is searched where it lies.
type Blocklist struct{}

var _ ports.Blocklist = Blocklist{}

// Contains implements ports.Blocklist.
func (Blocklist) Contains(p domain.Password) bool {
	if len(p.Reveal()) > domain.MaxPassword {
		return false
	}
	want := cases.Fold().String(norm.NFC.String(p.Reveal()))
	rest := common
	for rest != "" {
		// The line around the middle of what is left.
		middle := len(rest) / 2
		start := strings.LastIndexByte(rest[:middle], '\n') + 1
		end := start + strings.IndexByte(rest[start:], '\n')
		switch strings.Compare(want, rest[start:end]) {
		case 0:
			return true
		case -1:
			rest = rest[:start]
		default:
			rest = rest[end+1:]
		}
	}
	return false
}
