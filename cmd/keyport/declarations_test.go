package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const yards = `# where ships are built
name: yards
schema:
  type: object
  properties:
    name: {type: string}
    slips: {type: integer, minimum: 1}
  required: [name]
rules: {list: "true", read: "true", create: account != null, update: account != null, delete: account != null}
indexes: [-slips]
`

const berths = `{"name":"berths","schema":{"type":"object"},"rules":{"list":"true","read":"true","create":"true","update":"true","delete":"true"}}`

// folder writes the files of a folder of declarations.
func folder(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestFilesDeclareCollections applies a folder by command and at start, changes it, and
// finds what it declares shown and not changed by the API.
func TestFilesDeclareCollections(t *testing.T) {
	build(t)
	for name, env := range map[string][]string{"SQLite": anEmbedded(t), "PostgreSQL": aServer(t)} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, map[string]string{"yards.yaml": yards, "berths.json": berths, ".former.json": "{", "README": "no declaration"})
			same(t, "a dry run", printed(t, env, "collections", "apply", "--dry-run", dir), "berths: declared\nyards: declared\n")
			same(t, "the first time", printed(t, env, "collections", "apply", dir), "berths: declared\nyards: declared\n")
			same(t, "the second time", printed(t, env, "collections", "apply", dir), "berths: as it was\nyards: as it was\n")

			password := newPassword(t, env, "admin", "create", "root")
			k := start(t, append(env, "KEYPORT_COLLECTIONS="+dir), "serve")
			v := visit(t, k)
			v.signIn(password)
			var yard struct{ Managed bool }
			v.want(200, "GET", "/v1/collections/yards", nil, &yard)
			if !yard.Managed {
				t.Error("the API does not show that yards is managed")
			}
			v.want(409, "DELETE", "/v1/collections/yards", nil, nil, "If-Match", "*")
			v.want(201, "POST", "/v1/collections/yards/records", map[string]any{"data": map[string]any{"name": "Kuat", "slips": 3}}, nil)
			v.want(201, "POST", "/v1/collections/yards/records", map[string]any{"data": map[string]any{"name": "Corellia"}}, nil)

			if err := os.WriteFile(filepath.Join(dir, "yards.yaml"), []byte(strings.Replace(yards, "required: [name]", "required: [name, slips]", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := command(t, env, "", "collections", "apply", dir)
			if err == nil || !strings.Contains(out, "/data") || !strings.Contains(out, "yards: Some of the records that are stored do not fit") {
				t.Errorf("a declaration that what is stored does not fit: %v\n%s", err, out)
			}
			if err := os.Remove(filepath.Join(dir, "yards.yaml")); err != nil {
				t.Fatal(err)
			}
			same(t, "without the file", printed(t, env, "collections", "apply", dir), "berths: as it was\nyards: no longer declared here; the API may change it now\n")
			v.want(200, "GET", "/v1/collections/yards", nil, &yard)
			if yard.Managed {
				t.Error("the API shows yards as managed still")
			}
		})
	}
}

func (v *visitor) signIn(password string) {
	v.t.Helper()
	var session struct {
		AccessToken string `json:"access_token"`
	}
	v.want(201, "POST", "/v1/sessions", map[string]string{"login": "root", "password": password}, &session)
	v.token = session.AccessToken
}

func TestAFolderThatDeclaresNonsenseIsRefusedAtStart(t *testing.T) {
	build(t)
	for name, files := range map[string]map[string]string{
		"the same twice":   {"a.json": berths, "b.json": berths},
		"two documents":    {"a.yaml": yards + "---\n" + yards},
		"an unknown word":  {"a.yaml": yards + "colour: red\n"},
		"a bad rule":       {"a.json": strings.Replace(berths, `"list":"true"`, `"list":"tru"`, 1)},
		"a bad order":      {"a.yaml": strings.Replace(yards, "-slips", "'-slips, name'", 1)},
		"no JSON":          {"a.json": berths[1:]},
		"a member twice":   {"a.yaml": yards + "name: yards\n"},
		"an index of none": {"a.yaml": strings.Replace(yards, "-slips", `""`, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, files)
			out, err := command(t, append(anEmbedded(t), "KEYPORT_COLLECTIONS="+dir, "KEYPORT_HTTP_ADDR=127.0.0.1:0", "KEYPORT_OPS_ADDR=127.0.0.1:0"), "", "serve")
			if err == nil || !strings.Contains(out, "KEYPORT_COLLECTIONS") {
				t.Errorf("it is taken: %v\n%s", err, out)
			}
		})
	}
}
