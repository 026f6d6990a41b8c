package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/keyport-go/keyport/adapters/jose"
	"github.com/keyport-go/keyport/domain"
)

// master returns the master key: from the environment, from the file that it
// names, or, beside an embedded database, from a file that is made at the first
// start.
func master(c Config) (jose.Master, error) {
	m, err := givenMaster("KEYPORT_MASTER_KEY", c.MasterKey, c.MasterKeyFile)
	if err != nil || !m.IsZero() {
		return m, err
	}
	path, _ := c.sqlitePath()
	path += ".key"
	m, err = readMaster(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeMaster(path); err == nil {
			m, err = readMaster(path)
		}
	}
	if err != nil {
		return jose.Master{}, fmt.Errorf("the master key beside the database: %w", err)
	}
	return m, nil
}

// otherMaster returns the other master key that opens stored keys; zero: there is
// none.
func otherMaster(c Config) (jose.Master, error) {
	return givenMaster("KEYPORT_MASTER_KEY_OTHER", c.MasterKeyOther, c.MasterKeyOtherFile)
}

// givenMaster returns the master key that the setting or its file holds; zero where
// neither is set.
func givenMaster(setting string, key Secret, file string) (m jose.Master, err error) {
	switch {
	case !key.IsZero():
		m, err = jose.ParseMaster(key.Secret)
	case file != "":
		setting += "_FILE"
		m, err = readMaster(file)
	}
	if err != nil {
		return jose.Master{}, fmt.Errorf("%s: %w", setting, err)
	}
	return m, nil
}

func readMaster(path string) (jose.Master, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return jose.Master{}, err
	}
	m, err := jose.ParseMaster(domain.NewSecret(string(text)))
	if err != nil {
		return jose.Master{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// makeMaster writes a new master key to path, whole and durable or not at all.
// Where another process was faster, its key stays.
func makeMaster(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(jose.NewMaster().Text().Reveal() + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
