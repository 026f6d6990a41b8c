package domain

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"strings"
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
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := readValue(d, "", 1)
	if err != nil {
		if _, known := errors.AsType[*Error](err); !known {
			err = ErrMalformed.At("", "not-json", "want one JSON value").Because(err)
		}
		return Document{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return Document{}, ErrMalformed.At("", "trailing-data", "want one JSON value and nothing after it")
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
	dec := json.NewDecoder(strings.NewReader(d.Text()))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		panic("domain: a Document that is no JSON: " + err.Error())
	}
	return m
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

// readValue reads one value at path. The decoder checks the grammar; this adds
// what it lets pass.
func readValue(d *json.Decoder, path string, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if depth > MaxDepth {
			return nil, ErrMalformed.At("", "too-deep", "want at most 32 levels")
		}
		if t == '{' {
			return readObject(d, path, depth)
		}
		return readArray(d, path, depth)
	case json.Number:
		return t, checkNumber(path, t.String())
	case string:
		return t, checkText(path, t)
	}
	return token, nil
}

func readObject(d *json.Decoder, path string, depth int) (any, error) {
	object := make(map[string]any)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		s, _ := name.(string)
		at := path + "/" + escape(s)
		if err := checkText(at, s); err != nil {
			return nil, err
		}
		if _, twice := object[s]; twice {
			return nil, ErrMalformed.At(at, "duplicate-name", "want each name once")
		}
		if object[s], err = readValue(d, at, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, err
}

func readArray(d *json.Decoder, path string, depth int) (any, error) {
	array := []any{}
	for d.More() {
		v, err := readValue(d, path+"/-", depth+1)
		if err != nil {
			return nil, err
		}
		array = append(array, v)
	}
	_, err := d.Token()
	return array, err
}

// checkText refuses NUL, which one of the stores cannot keep, and so none does.
func checkText(path, s string) error {
	if strings.ContainsRune(s, 0) {
		return ErrMalformed.At(path, "nul", "want no NUL")
	}
	return nil
}

// escape writes a name as a token of a JSON pointer (RFC 6901, section 3).
func escape(name string) string { return pointerEscapes.Replace(name) }

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// loneSurrogate reports whether text has an escaped half of a surrogate pair
// without the other (RFC 8259, section 8.2), which the decoder would replace.
func loneSurrogate(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		if i >= len(text) || text[i] != 'u' {
			continue
		}
		switch half(text[i+1:]) {
		case low:
			return true
		case high:
			if rest := text[i+5:]; !bytes.HasPrefix(rest, []byte(`\u`)) || half(rest[2:]) != low {
				return true
			}
			i += 6
		}
		i += 4
	}
	return false
}

type surrogate uint8

const (
	none surrogate = iota
	high           // D800 to DBFF
	low            // DC00 to DFFF
)

// half says which half the four hexadecimal digits at the start of b are.
func half(b []byte) surrogate {
	if len(b) < 4 || b[0]|0x20 != 'd' {
		return none
	}
	switch b[1] | 0x20 {
	case '8' | 0x20, '9' | 0x20, 'a', 'b':
		return high
	case 'c', 'd', 'e', 'f':
		return low
	}
	return none
}
