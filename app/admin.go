package app

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
)

// CreateAdministrator opens an account with the role admin and a random password,
// and prints the password on out.
func CreateAdministrator(ctx context.Context, c Config, login string, out, log io.Writer) error {
	return administer(ctx, c, log, func(s *accounts.Service) error {
		a, password, err := createAdministrator(ctx, s, login)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "account %s\npassword %s\n", a.ID, password)
		return err
	})
}

// SetPassword gives an account a new password and ends its sessions. The password
// is the first line of in; if in is nil, a random one is made and printed on out.
func SetPassword(ctx context.Context, c Config, login string, in io.Reader, out, log io.Writer) error {
	l, err := domain.ParseLogin(login)
	if err != nil {
		return err
	}
	password := ""
	if in != nil {
		if password, err = firstLine(in); err != nil {
			return err
		}
	}
	return administer(ctx, c, log, func(s *accounts.Service) error {
		if in != nil {
			return s.SetPassword(ctx, l, domain.NewPassword(password))
		}
		made := randomPassword()
		if err := s.SetPassword(ctx, l, domain.NewPassword(made)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out, "password %s\n", made)
		return err
	})
}

// administer runs f on the accounts of the configured store.
func administer(ctx context.Context, c Config, log io.Writer, f func(*accounts.Service) error) error {
	return offline(ctx, c, log, func(o *opened) error { return f(Services(c, o.Parts).Accounts) })
}

// offline runs f on the real parts, beside whatever serves. No token is made or
// read, so the issuer's name does not matter.
func offline(ctx context.Context, c Config, log io.Writer, f func(*opened) error) (err error) {
	c.LogLevel = "warn"
	o, err := open(ctx, c, "http://localhost", log, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	return f(o)
}

// randomPassword returns 26 letters and digits: 130 random bits.
func randomPassword() string { return strings.ToLower(rand.Text()) }

func firstLine(in io.Reader) (string, error) {
	lines := bufio.NewScanner(io.LimitReader(in, domain.MaxPassword+2))
	if !lines.Scan() || lines.Text() == "" {
		return "", errors.Join(errors.New("want a password on the first line of standard input"), lines.Err())
	}
	return lines.Text(), nil
}
