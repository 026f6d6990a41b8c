package app

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

// A transferLine is an account as it stands in a file: a line of NDJSON, or of CSV
// under a head of the same names. Roles have spaces between them in CSV. What the
// server alone decides, such as an id, is no member.
type transferLine struct {
	Username  string   `json:"username,omitzero"`
	Email     string   `json:"email,omitzero"`
	Name      string   `json:"name,omitzero"`
	Roles     []string `json:"roles,omitempty"`
	Status    string   `json:"status,omitzero"`
	Hash      string   `json:"hash,omitzero"`
	Password  string   `json:"password,omitzero"`
	CreatedAt string   `json:"created_at,omitzero"` // RFC 3339
}

// transferMembers are the names that a transferLine has.
var transferMembers = []string{"username", "email", "name", "roles", "status", "hash", "password", "created_at"}

// set sets the member that has a name, one of transferMembers, to the text of a cell.
func (l *transferLine) set(name, text string) {
	switch name {
	case "username":
		l.Username = text
	case "email":
		l.Email = text
	case "name":
		l.Name = text
	case "roles":
		l.Roles = strings.Fields(text)
	case "status":
		l.Status = text
	case "hash":
		l.Hash = text
	case "password":
		l.Password = text
	case "created_at":
		l.CreatedAt = text
	}
}

// transfer reads what the line says. Its error says which member is at fault, and
// nothing of what a secret one holds. A password is taken where plain alone; its hash is
// still to be made.
func (l transferLine) transfer(plain bool) (t accounts.Transfer, p domain.Password, err error) {
	if t.Logins, err = l.logins(); err != nil {
		return t, p, err
	}
	if t.Name, err = domain.ParseName(l.Name); err != nil {
		return t, p, err
	}
	if t.Roles, err = domain.ParseRoles(l.Roles); err != nil {
		return t, p, err
	}
	if l.Status != "" {
		if t.Status, err = domain.ParseStatus(l.Status); err != nil {
			return t, p, err
		}
	}
	if t.Created, err = l.created(); err != nil {
		return t, p, err
	}
	switch {
	case l.Hash == "" && l.Password == "":
		return t, p, errors.New("hash: there is none")
	case l.Hash != "" && l.Password != "":
		return t, p, errors.New("password: there is a hash as well; want one of them")
	case l.Hash != "":
		t.Hash = domain.NewPasswordHash(l.Hash)
	case !plain:
		return t, p, errors.New("password: it is not hashed; --passwords hashes it")
	case len(l.Password) > domain.MaxPassword:
		return t, p, fmt.Errorf("password: want %d bytes at most", domain.MaxPassword)
	case !utf8.ValidString(l.Password) || strings.Contains(l.Password, "\x00"):
		return t, p, errors.New("password: nobody could type it at a sign-in: want UTF-8 without NUL")
	default:
		p = domain.NewPassword(l.Password)
	}
	return t, p, nil
}

func (l transferLine) logins() (logins []domain.Login, err error) {
	for _, login := range []struct {
		text  string
		parse func(string) (domain.Login, error)
	}{{l.Username, domain.ParseUsername}, {l.Email, domain.ParseEmail}} {
		if login.text == "" {
			continue
		}
		parsed, err := login.parse(login.text)
		if err != nil {
			return nil, err
		}
		logins = append(logins, parsed)
	}
	if len(logins) == 0 {
		return nil, errors.New("username: there is none, and no email")
	}
	return logins, nil
}

// created returns the time at which the account was opened, to the microsecond, which
// is what a store keeps; zero where the line tells none. It has to be one that RFC 3339
// can tell in UTC, too.
func (l transferLine) created() (time.Time, error) {
	if l.CreatedAt == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, l.CreatedAt)
	t = t.UTC().Truncate(time.Microsecond)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, errors.New("created_at: want a time of 1970 or later as RFC 3339 has it: 2026-01-02T15:04:05Z")
	}
	return t, nil
}

// lineOf returns an account as readTransfers reads it.
func lineOf(t accounts.Transfer) transferLine {
	l := transferLine{Name: t.Name, Status: string(t.Status), Hash: t.Hash.Reveal(), CreatedAt: t.Created.Format(time.RFC3339Nano)}
	for _, login := range t.Logins {
		l.set(string(login.Kind()), login.Value())
	}
	for _, r := range t.Roles {
		l.Roles = append(l.Roles, string(r))
	}
	return l
}
