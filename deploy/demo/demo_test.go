package demo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/deploy/demo"
)

type declaration struct {
	Name   string `json:"name"`
	Schema struct {
		Draft      string `json:"$schema"`
		Title      string `json:"title"`
		Type       string `json:"type"`
		Properties map[string]struct {
			Type      string `json:"type"`
			Minimum   int    `json:"minimum"`
			MinLength int    `json:"minLength"`
			Items     *struct {
				Type string `json:"type"`
			} `json:"items"`
		} `json:"properties"`
		Required             []string `json:"required"`
		AdditionalProperties *bool    `json:"additionalProperties"`
	} `json:"schema"`
	Rules struct {
		List, Read, Create, Update, Delete string
	} `json:"rules"`
	Unique  []struct{ Field, Per string } `json:"unique"`
	Indexes []string                      `json:"indexes"`
	Search  []string                      `json:"search"`
	Watch   bool                          `json:"watch"`
}

func read(t *testing.T, text []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil || d.More() {
		t.Fatalf("%.60s: %v", text, err)
	}
}

func TestTheDeclarationsAreWhole(t *testing.T) {
	var names []string
	for _, text := range demo.Collections() {
		var c declaration
		read(t, text, &c)
		names = append(names, c.Name)
		s := c.Schema
		if s.Draft != "https://json-schema.org/draft/2020-12/schema" || s.Type != "object" || s.AdditionalProperties == nil || *s.AdditionalProperties {
			t.Errorf("%s: the schema is open: %+v", c.Name, s)
		}
		for _, name := range s.Required {
			if s.Properties[name].Type == "" {
				t.Errorf("%s: %s is required and not described", c.Name, name)
			}
		}
		for _, u := range c.Unique {
			if s.Properties[u.Field].Type == "" || u.Per != "owner" && u.Per != "collection" {
				t.Errorf("%s: %+v", c.Name, u)
			}
		}
		for _, rule := range []string{c.Rules.List, c.Rules.Read, c.Rules.Create, c.Rules.Update, c.Rules.Delete} {
			if rule == "" {
				t.Errorf("%s: a rule is missing: %+v", c.Name, c.Rules)
			}
		}
	}
	if want := []string{"authors", "ships"}; !cmp.Equal(names, want) {
		t.Error(cmp.Diff(want, names))
	}
}

func TestTheShipsFitTheirDeclaration(t *testing.T) {
	var c declaration
	read(t, demo.Collections()[1], &c)
	members := append(slices.Sorted(maps.Keys(c.Schema.Properties)), "id")
	slices.Sort(members)

	var ships []map[string]any
	read(t, demo.Ships(), &ships)
	if len(ships) != 15 {
		t.Errorf("there are %d ships", len(ships))
	}
	for i, ship := range ships {
		if ship["id"] != float64(i+1) {
			t.Errorf("ship %d has the id %v", i+1, ship["id"])
		}
		if got := slices.Sorted(maps.Keys(ship)); !cmp.Equal(got, members) {
			t.Errorf("ship %d: %s", i+1, cmp.Diff(members, got))
		}
		for name, p := range c.Schema.Properties {
			v := ship[name]
			kind := map[string]string{"string": "string", "integer": "float64", "array": "[]interface {}"}[p.Type]
			if got := fmt.Sprintf("%T", v); got != kind {
				t.Errorf("ship %d: %s is a %s", i+1, name, got)
			}
			if n, ok := v.(float64); ok && n < float64(p.Minimum) {
				t.Errorf("ship %d: %s is %v", i+1, name, n)
			}
		}
	}
}

func TestCallersMayWriteOnWhatTheyGet(t *testing.T) {
	demo.Ships()[0], demo.Collections()[0][0] = 'x', 'x'
	if demo.Ships()[0] == 'x' || demo.Collections()[0][0] == 'x' {
		t.Error("a copy is shared")
	}
}
