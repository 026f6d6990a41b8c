package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/keyport-go/keyport/domain"
)

// maxDeclaration is the most bytes of a file that declares a collection.
const maxDeclaration = domain.MaxDocument

// readFolder reads the declarations of a folder: all files whose names end in .json,
// .yaml or .yml, each one collection, in the order of their names. It tells all that
// is wrong at once. Hidden files are passed over: where Kubernetes mounts a
// ConfigMap, they are the former versions.
func readFolder(dir string) ([]domain.Collection, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []domain.Collection
	var faults []error
	files := make(map[domain.CollectionName]string)
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || !slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(name)) {
			continue
		}
		c, err := readFile(filepath.Join(dir, name))
		if err == nil && files[c.Name] != "" {
			err = fmt.Errorf("%s is declared in %s already", c.Name, files[c.Name])
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
			continue
		}
		files[c.Name] = name
		all = append(all, c)
	}
	return all, errors.Join(faults...)
}

func readFile(path string) (domain.Collection, error) {
	f, err := os.Open(path)
	if err != nil {
		return domain.Collection{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDeclaration+1))
	if err != nil {
		return domain.Collection{}, err
	}
	if len(text) > maxDeclaration {
		return domain.Collection{}, errors.New("want at most 1 MiB")
	}
	if filepath.Ext(path) != ".json" {
		if text, err = fromYAML(text); err != nil {
			return domain.Collection{}, err
		}
	}
	return readDeclaration(text)
}

// fromYAML returns one YAML document as JSON.
func fromYAML(text []byte) ([]byte, error) {
	var tree any
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one document")
	}
	return json.Marshal(tree)
}

// readDeclaration reads a collection as the API shows it, less what the store
// adds.
func readDeclaration(text []byte) (domain.Collection, error) {
	var in struct {
		Name   string         `json:"name"`
		Schema jsontext.Value `json:"schema"`
		Rules  struct {
			List   string `json:"list"`
			Read   string `json:"read"`
			Create string `json:"create"`
			Update string `json:"update"`
			Delete string `json:"delete"`
		} `json:"rules"`
		Unique []struct {
			Field string `json:"field"`
			Per   string `json:"per"`
		} `json:"unique"`
		Indexes []string `json:"indexes"`
		Search  []string `json:"search"`
		Watch   bool     `json:"watch"`
	}
	if err := json.Unmarshal(text, &in, json.RejectUnknownMembers(true)); err != nil {
		return domain.Collection{}, err
	}
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return domain.Collection{}, domain.ErrInvalidCollection.At("/name", "invalid-name", "want a lower-case word").Because(err)
	}
	c := domain.Collection{Name: name, Rules: domain.Rules(in.Rules), Search: in.Search, Watch: in.Watch}
	if c.Schema, err = domain.ParseDocument(in.Schema); err != nil {
		return domain.Collection{}, err
	}
	for i, u := range in.Unique {
		if u.Per != "owner" && u.Per != "collection" {
			return domain.Collection{}, domain.ErrInvalidCollection.At(fmt.Sprintf("/unique/%d/per", i), "invalid-scope", "want collection or owner")
		}
		c.Unique = append(c.Unique, domain.Unique{Field: u.Field, PerOwner: u.Per == "owner"})
	}
	for i, text := range in.Indexes {
		order, err := domain.ParseSort(text)
		if err != nil {
			return domain.Collection{}, domain.ErrInvalidCollection.At(fmt.Sprintf("/indexes/%d", i), "invalid-index", "want an order such as -length,model").Because(err)
		}
		c.Indexes = append(c.Indexes, domain.Index{Sort: order})
	}
	return c, nil
}
