package domain

import (
	"bytes"
	"encoding/json"
	"strings"
)

// A reader turns text that is known to be JSON (RFC 8259) into a tree. The
// standard library has judged the grammar; this adds what it lets pass: names that
// are repeated, NUL, depth, and numbers beyond all bounds.
type reader struct {
	text string
	at   int // the next byte
}

// A place is where a value stands, written out only for whom it concerns.
type place struct {
	within *place
	name   string
}

// String returns the place as a JSON pointer (RFC 6901, section 3). An item of an
// array is "-".
func (p *place) String() string {
	if p == nil {
		return ""
	}
	name := p.name
	if len(name) > 64 { // it goes back to whoever sent it, who may have sent much
		name = strings.ToValidUTF8(name[:64], "") + "…"
	}
	return p.within.String() + "/" + escape(name)
}

func (r *reader) value(at *place, depth int) (any, error) {
	r.space()
	switch r.text[r.at] {
	case '{':
		return r.object(at, depth)
	case '[':
		return r.array(at, depth)
	case '"':
		return r.string(at)
	case 't':
		r.at += len("true")
		return true, nil
	case 'f':
		r.at += len("false")
		return false, nil
	case 'n':
		r.at += len("null")
		return nil, nil
	}
	return r.number(at)
}

func (r *reader) object(at *place, depth int) (any, error) {
	if err := tooDeep(depth); err != nil {
		return nil, err
	}
	object := make(map[string]any)
	for more := r.opens('}'); more; more = r.goesOn() {
		r.space()
		name, err := r.string(at)
		if err != nil {
			return nil, err
		}
		member := &place{at, name}
		if _, twice := object[name]; twice {
			return nil, ErrMalformed.At(member.String(), "duplicate-name", "want each name once")
		}
		r.space()
		r.at++ // the colon
		if object[name], err = r.value(member, depth+1); err != nil {
			return nil, err
		}
	}
	return object, nil
}

func (r *reader) array(at *place, depth int) (any, error) {
	if err := tooDeep(depth); err != nil {
		return nil, err
	}
	array := []any{}
	item := &place{at, "-"}
	for more := r.opens(']'); more; more = r.goesOn() {
		v, err := r.value(item, depth+1)
		if err != nil {
			return nil, err
		}
		array = append(array, v)
	}
	return array, nil
}

func tooDeep(depth int) error {
	if depth > MaxDepth {
		return ErrMalformed.At("", "too-deep", "want at most 32 levels")
	}
	return nil
}

// opens passes the bracket that opens, and reports whether anything stands before
// the one that closes; if nothing does it passes that too.
func (r *reader) opens(closing byte) bool {
	r.at++
	r.space()
	if r.text[r.at] == closing {
		r.at++
		return false
	}
	return true
}

// goesOn passes a comma or the bracket that closes, and reports whether it was the
// comma.
func (r *reader) goesOn() bool {
	r.space()
	r.at++
	return r.text[r.at-1] == ','
}

func (r *reader) space() {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
}

func (r *reader) number(at *place) (any, error) {
	start := r.at
	for r.at < len(r.text) && strings.IndexByte("+-.0123456789eE", r.text[r.at]) >= 0 {
		r.at++
	}
	s := r.text[start:r.at]
	return json.Number(s), checkNumber(at, s)
}

// string reads a text or a name. It refuses NUL, which one of the stores cannot
// keep, and so none does.
func (r *reader) string(at *place) (string, error) {
	start := r.at
	r.at++
	plain := r.text[r.at : r.at+strings.IndexByte(r.text[r.at:], '"')]
	if strings.IndexByte(plain, '\\') < 0 {
		r.at += len(plain) + 1
		return plain, nil
	}
	for ; r.text[r.at] != '"'; r.at++ {
		if r.text[r.at] == '\\' {
			r.at++
		}
	}
	r.at++
	var s string
	if err := json.Unmarshal([]byte(r.text[start:r.at]), &s); err != nil {
		return "", ErrMalformed.At(at.String(), "not-json", "want a text").Because(err)
	}
	if strings.ContainsRune(s, 0) {
		return "", ErrMalformed.At(at.String(), "nul", "want no NUL")
	}
	return s, nil
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
		case none:
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
