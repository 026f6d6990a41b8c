package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/ground"
)

// movingIn imports a file of accounts with hashes by command, from the start of the
// process to its end.
func movingIn(ctx context.Context, site ground.Site, lines int) (s sum, err error) {
	file, err := writeAccounts(lines)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, os.Remove(file)) }()
	start := time.Now()
	said, err := site.Run(ctx, nil, "accounts", "import", file)
	s = sum{requests: int64(lines), took: time.Since(start)}
	if err == nil && !strings.Contains(said, fmt.Sprintf(": %d imported,", lines)) {
		err = fmt.Errorf("not all were imported: %s", said)
	}
	return s, err
}

// anAccount is a line of the file; its hash is of no password.
const anAccount = `{"username":"mover-%d","email":"mover-%[1]d@example.com","name":"Mover %[1]d",` +
	`"hash":"pbkdf2:sha256:260000$MaqXupxZJeCVitNz$%064[1]x","created_at":"2020-01-02T03:04:05Z"}` + "\n"

// writeAccounts writes a file of accounts, and returns its name.
func writeAccounts(lines int) (name string, err error) {
	f, err := os.CreateTemp("", "keyport-accounts-*.ndjson")
	if err != nil {
		return "", err
	}
	b := bufio.NewWriter(f)
	for n := range lines {
		fmt.Fprintf(b, anAccount, n) // Flush tells of its failure
	}
	if err := errors.Join(b.Flush(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}
