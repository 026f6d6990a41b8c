package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/keyport-go/keyport/adapters/httpapi/dialects/fleet"
	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/deploy/demo"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/accounts"
	"github.com/keyport-go/keyport/domain/resources"
)

// A Demo is Keyport with something in it to try: two collections, fifteen ships
// and an administrator, in a folder of its own.
type Demo struct {
	Dir string    // where the database is kept, unless a setting says otherwise
	Out io.Writer // where the addresses and the new password are printed

	dialects bool   // whether the older APIs stand where the demo has them, and not where a setting says
	setting  string // how a command in another terminal is led to the same database; "" where the environment does it
}

// Prepare makes the demo's folder and returns c with the demo's own settings,
// where none were given. It fails where others could reach the demo.
func (d *Demo) Prepare(c Config) (Config, error) {
	if !loopback(c.HTTPAddr) {
		return c, fmt.Errorf("the demo is for this machine alone: KEYPORT_HTTP_ADDR is %s; listen on 127.0.0.1", c.HTTPAddr)
	}
	if _, given := os.LookupEnv("KEYPORT_DATABASE_URL"); !given {
		if err := os.MkdirAll(d.Dir, 0o700); err != nil {
			return c, err
		}
		url := "sqlite:" + filepath.Join(d.Dir, "keyport.db")
		c.DatabaseURL = Secret{domain.NewSecret(url)}
		d.setting = "KEYPORT_DATABASE_URL=" + url + " "
	}
	if _, given := os.LookupEnv("KEYPORT_DIALECTS"); !given {
		c.Dialects = []string{"fleet=127.0.0.1:5000", "skeleton=127.0.0.1:5001", "signup=127.0.0.1:5002", "library=127.0.0.1:5003"}
		d.dialects = true
	}
	return c, nil
}

// load declares the collections, fills them where they are empty, opens the accounts
// that there are not yet, and prints where everything is.
func (d *Demo) load(ctx context.Context, s wire.Services, url string, places []place) error {
	for _, text := range demo.Collections() {
		c, err := readDeclaration(text)
		if err != nil {
			return err
		}
		if _, err := s.Resources.Declare(ctx, domain.Asker{}, c, resources.Declaring{Operator: true}); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	ships, err := readShips(demo.Ships())
	if err != nil {
		return err
	}
	if _, err := s.Resources.Fill(ctx, "ships", ships); err != nil {
		return fmt.Errorf("ships: %w", err)
	}
	if err := loadFleet(ctx, s); err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	_, made, err := createAdministrator(ctx, s.Accounts, "admin")
	if err != nil && !errors.Is(err, domain.ErrLoginTaken) {
		return err
	}
	admin := "admin, password " + made
	if made == "" {
		admin = "admin; a new password: " + d.setting + "go run ./cmd/keyport admin password admin"
	}
	where := d.Dir
	if d.setting == "" {
		where = "the database of KEYPORT_DATABASE_URL"
	}
	var older strings.Builder
	for _, p := range places {
		fmt.Fprintf(&older, "  %-14s %s", p.dialect, p.url)
		if p.why != "" {
			fmt.Fprintf(&older, "  (%s)", p.why)
		}
		older.WriteByte('\n')
	}
	_, err = fmt.Fprintf(d.Out, `Keyport's demo is at %s
  ships          %[1]s/v1/collections/ships/records
  reference      %[1]s/docs
  administrator  %s
%s  stop it with Ctrl-C; its data stays in %s
`, url, admin, older.String(), where)
	return err
}

// loadFleet numbers the ships, and opens the two accounts that the clients of fleet
// know.
func loadFleet(ctx context.Context, s wire.Services) error {
	var ids []string
	for p := (domain.PageRequest{Limit: domain.MaxLimit}); ; {
		page, err := s.Resources.List(ctx, domain.Asker{}, "ships", resources.ListRequest{PageRequest: p})
		if err != nil {
			return err
		}
		for _, r := range page.Items {
			ids = append(ids, string(r.ID))
		}
		if p.Cursor = page.Next; p.Cursor == "" {
			break
		}
	}
	if _, err := s.Numbers.Of(ctx, fleet.Ships, ids...); err != nil {
		return err
	}
	for _, known := range []struct{ name, password string }{{"user", "password"}, {"guest", "guest"}} {
		login, err := domain.ParseUsername(known.name)
		if err != nil {
			return err
		}
		_, err = s.Accounts.Register(ctx, accounts.Registration{
			Logins: []domain.Login{login}, Password: domain.NewPassword(known.password), Least: 1, Series: fleet.Users,
		})
		if err != nil && !errors.Is(err, domain.ErrLoginTaken) {
			return err
		}
	}
	return nil
}

// createAdministrator opens an account with a random password, and returns that
// too. It fails with domain.ErrLoginTaken if there is one.
func createAdministrator(ctx context.Context, s *accounts.Service, name string) (domain.Account, string, error) {
	login, err := domain.ParseLogin(name)
	if err != nil {
		return domain.Account{}, "", err
	}
	p := randomPassword()
	a, err := s.Register(ctx, accounts.Registration{
		Logins: []domain.Login{login}, Roles: []domain.Role{domain.Administrator}, Password: domain.NewPassword(p),
	})
	if err != nil {
		return domain.Account{}, "", err
	}
	return a, p, nil
}

// readShips reads the ships, without the numbers that the older API gave them:
// their order tells those.
func readShips(text []byte) ([]domain.Document, error) {
	var ships []map[string]jsontext.Value
	if err := json.Unmarshal(text, &ships); err != nil {
		return nil, err
	}
	docs := make([]domain.Document, len(ships))
	for i, ship := range ships {
		delete(ship, "id")
		data, err := json.Marshal(ship)
		if err != nil {
			return nil, err
		}
		if docs[i], err = domain.ParseDocument(data); err != nil {
			return nil, err
		}
	}
	return docs, nil
}
