package domain

import (
	"bytes"
	"encoding/json"
	"maps"
	"unicode/utf8"
)

// The bounds of a document.
const (
	MaxDocument = 1 << 20 // bytes
	MaxDepth    = 32      // objects and arrays within one another
)

// A Document is a JSON object in one canonical spelling: members sorted by name,
// no space, and every number with the digits that its author wrote. The zero
// Document is the empty object.
type Document struct{ text string }

// ParseDocument reads a JSON object. It fails with ErrMalformed for what is no
// strict JSON (RFC 8259 in UTF-8, names unique, no NUL, no lone surrogate), for
// more than MaxDocument bytes or MaxDepth levels, and with ErrInvalid for what is
// not an object, holds a number beyond the bounds of checkNumber, or has more
// than MaxDocument bytes in its canonical spelling.
func ParseDocument(text []byte) (Document, error) {
	if len(text) > MaxDocument {
		return Document{}, ErrMalformed.At("", "too-large", "want at most 1 MiB")
	}
	if !utf8.Valid(text) {
		return Document{}, ErrMalformed.At("", "invalid-utf-8", "want UTF-8")
	}
	if loneSurrogate(text) {
		return Document{}, ErrMalformed.At("", "lone-surrogate", "want surrogates in pairs")
	}
	if !json.Valid(text) {
		return Document{}, ErrMalformed.At("", "not-json", "want one JSON value and nothing after it")
	}
	r := reader{text: string(text)}
	v, err := r.value(nil, 1)
	if err != nil {
		return Document{}, err
	}
	return DocumentOf(v)
}

// DocumentOf returns v, as Tree returns it, as a Document. It fails with
// ErrInvalid if v is not an object, or goes beyond MaxDocument.
func DocumentOf(v any) (Document, error) {
	if _, ok := v.(map[string]any); !ok {
		return Document{}, ErrInvalid.At("", "not-an-object", "want a JSON object")
	}
	text := encode(v)
	if len(text) > MaxDocument { // it escapes line separators, which its author need not
		return Document{}, ErrInvalid.At("", "too-large", "want at most 1 MiB")
	}
	return Document{string(text)}, nil
}

// RestoreDocument returns the document that Text gave before.
func RestoreDocument(text string) Document { return Document{text} }

// Text returns the canonical spelling.
func (d Document) Text() string {
	if d.text == "" {
		return "{}"
	}
	return d.text
}

// MarshalJSON returns the canonical spelling, so that a Document nests in
// whatever is encoded.
func (d Document) MarshalJSON() ([]byte, error) { return []byte(d.Text()), nil }

// Tree returns the members as nil, bool, json.Number, string, []any and
// map[string]any, afresh on each call.
func (d Document) Tree() map[string]any {
	r := reader{text: d.Text()}
	v, err := r.value(nil, 1)
	members, ok := v.(map[string]any)
	if err != nil || !ok {
		panic("domain: a Document that is no JSON object")
	}
	return members
}

// Merge applies a merge patch (RFC 7396, section 2): null removes a member,
// objects merge, all else replaces. It fails with ErrInvalid if the result goes
// beyond MaxDocument.
func (d Document) Merge(patch Document) (Document, error) {
	return DocumentOf(merge(d.Tree(), patch.Tree()))
}

func merge(target, patch map[string]any) map[string]any {
	merged := maps.Clone(target)
	if merged == nil {
		merged = make(map[string]any)
	}
	for name, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(merged, name)
		case map[string]any:
			into, _ := merged[name].(map[string]any)
			merged[name] = merge(into, v)
		default:
			merged[name] = v
		}
	}
	return merged
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("domain: a tree that is no JSON: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
