package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// locate returns the absolute path of a database file, and says what is wrong
// with the place in words that SQLite does not have.
func locate(path string) (string, error) {
	if path == "" {
		return "", errors.New("sqlite: no path of a database file")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("sqlite: %w", err)
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("sqlite: no place for %s: %w", path, err)
	}
	if !folder.IsDir() {
		return "", fmt.Errorf("sqlite: no place for %s: %s is not a folder", path, filepath.Dir(path))
	}
	if there, err := os.Stat(path); err == nil && !there.Mode().IsRegular() {
		return "", fmt.Errorf("sqlite: %s is not a file", path)
	}
	return path, nil
}

// create makes an empty file that only its owner can read, unless there is one:
// password hashes will be in it. SQLite gives its other files the same mode. A
// file that is there is never opened here, for closing any descriptor of it
// would end the locks that this process holds on it (POSIX, fcntl).
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return f.Close()
}

// connector makes connections to the file and runs the pragmas on each new one,
// that of busy_timeout first.
func connector(path string, pragmas ...string) (driver.Connector, error) {
	c, err := sqlite.NewConnector(uri(path, pragmas))
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return c, nil
}

// uri writes the path so that no character of it is taken for more than itself.
func uri(path string, pragmas []string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/...
		path = "/" + path
	}
	query := url.Values{
		"_pragma":   pragmas,
		"_txlock":   {"immediate"},
		"_dqs":      {"0"}, // "x" is a name, never a text
		"_error_rc": {"1"}, // messages are of the error at hand
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}
