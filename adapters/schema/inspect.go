package schema

import (
	"encoding/json"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/keyport-go/keyport/domain"
)

// draft is the one value that $schema may have.
const draft = "https://json-schema.org/draft/2020-12/schema"

// inspect fails with domain.ErrInvalidSchema for what the library would load,
// misread or take too long over. It looks at members by name wherever they
// stand, in examples and defaults too: a text that it lets pass is harmless
// however the library reads it.
func inspect(text domain.Document) error {
	if len(text.Text()) > MaxText {
		return domain.ErrInvalidSchema.At("/schema", "too-large", "want at most 64 KiB")
	}
	i := inspection{root: text.Tree(), anchors: make(map[string]bool)}
	i.walk("", i.root)
	if i.subschemas > MaxSubschemas {
		return domain.ErrInvalidSchema.At("/schema", "too-many", "want at most 1000 subschemas")
	}
	i.follow()
	if len(i.faults) == 0 {
		return nil
	}
	e := *domain.ErrInvalidSchema
	e.Fields = i.faults[:min(len(i.faults), maxFields)]
	return &e
}

// An inspection is one walk through a schema's text.
type inspection struct {
	root       map[string]any
	subschemas int // at most so many
	anchors    map[string]bool
	references []reference
	faults     []domain.Field
}

// A reference is the text of a $ref, and where it stands.
type reference struct{ path, text string }

func (i *inspection) walk(path string, v any) {
	switch v := v.(type) {
	case bool:
		i.subschemas++
	case []any:
		for n, item := range v {
			i.walk(path+"/"+strconv.Itoa(n), item)
		}
	case map[string]any:
		i.subschemas++
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := path + "/" + escape(name)
			i.member(at, name, v[name])
			i.walk(at, v[name])
		}
	}
}

// member looks at one member of an object.
func (i *inspection) member(path, name string, v any) {
	switch v := v.(type) {
	case string:
		i.keyword(path, name, v)
	case json.Number:
		// The library keeps counts in 64 bits, and takes the low ones of
		// whatever has more.
		if n, ok := new(big.Rat).SetString(v.String()); counts[name] && ok && !n.Num().IsInt64() {
			i.blame(path, "number-out-of-range", "want a number below 2 to the 63rd")
		}
	case map[string]any:
		if name != "patternProperties" {
			return
		}
		for _, p := range slices.Sorted(maps.Keys(v)) {
			if _, _, err := parsePattern(p); err != nil {
				i.blame(path+"/"+escape(p), "pattern", patternWanted)
			}
		}
	}
}

var counts = map[string]bool{
	"minLength": true, "maxLength": true, "minItems": true, "maxItems": true, "minContains": true,
	"maxContains": true, "minProperties": true, "maxProperties": true,
}

func (i *inspection) keyword(path, name, text string) {
	switch name {
	case "$schema":
		if text != draft {
			i.blame(path, "draft", "want "+draft)
		}
	case "$id":
		// A second base address would make references mean another thing than
		// they say here.
		if path != "/$id" {
			i.blame(path, "id", "want $id at the root alone")
		}
	case "$anchor", "$dynamicAnchor":
		i.anchors[text] = true
	case "$ref", "$dynamicRef", "$recursiveRef":
		i.references = append(i.references, reference{path, text})
	}
}

// follow blames the references that lead out of the schema, or nowhere.
func (i *inspection) follow() {
	for _, r := range i.references {
		target, within := strings.CutPrefix(r.text, "#")
		target, err := url.PathUnescape(target)
		if !within || err != nil || !i.leads(target) {
			i.blame(r.path, "reference", "want # and a JSON pointer or an anchor of this same schema")
		}
	}
}

// leads reports whether there is something at the target of a reference.
func (i *inspection) leads(target string) bool {
	path, isPointer := strings.CutPrefix(target, "/")
	if !isPointer {
		return target == "" || i.anchors[target]
	}
	var v any = i.root
	for token := range strings.SplitSeq(path, "/") {
		switch in := v.(type) {
		case map[string]any:
			member, ok := in[unescape(token)]
			if !ok {
				return false
			}
			v = member
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || n < 0 || n >= len(in) {
				return false
			}
			v = in[n]
		default:
			return false
		}
	}
	return true
}

func (i *inspection) blame(path, code, problem string) {
	i.faults = append(i.faults, domain.Field{Path: "/schema" + path, Code: code, Problem: problem})
}
