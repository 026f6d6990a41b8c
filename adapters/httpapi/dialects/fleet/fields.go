package fleet

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

// A form is what the body of a request may hold, read as marshmallow 3 reads it: one
// value is taken for another where the original's clients rely on it.
type form []field

// A field is one member of a form.
type field struct {
	name     string
	optional bool
	read     reader
}

// A reader returns a value as it is meant, or what is wrong with it: a list of texts,
// or such lists by the places of items.
type reader func(v any) (meant, wrong any)

// The texts of marshmallow.
const (
	isMissing  = "Missing data for required field."
	isNull     = "Field may not be null."
	isUnknown  = "Unknown field."
	noText     = "Not a valid string."
	noInteger  = "Not a valid integer."
	noList     = "Not a valid list."
	noObject   = "Invalid input type."
	isTooLarge = "Number too large."
)

func tooShort(least int) string { return fmt.Sprintf("Shorter than minimum length %d.", least) }

// maxWrong bounds how many fields, and how many items of one, are said to be wrong.
const maxWrong = 100

// load returns the members of a body as they are meant, or a refusal that says of
// each field what is wrong with it.
func (f form) load(members map[string]any) (map[string]any, error) {
	meant, wrong := make(map[string]any), make(map[string]any)
	for _, field := range f {
		v, there := members[field.name]
		switch {
		case !there && field.optional:
		case !there:
			wrong[field.name] = []string{isMissing}
		case v == nil:
			wrong[field.name] = []string{isNull}
		default:
			m, w := field.read(v)
			if w != nil {
				wrong[field.name] = w
				continue
			}
			meant[field.name] = m
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if len(wrong) >= maxWrong {
			break
		}
		if !slices.ContainsFunc(f, func(field field) bool { return field.name == name }) {
			wrong[wire.Clip(name)] = []string{isUnknown}
		}
	}
	if len(wrong) > 0 {
		return nil, refusal{status: http.StatusBadRequest, message: wrong}
	}
	return meant, nil
}

// create is load for what is to have an id, and so may not bring one along.
func (f form) create(members map[string]any) (map[string]any, error) {
	meant, err := f.load(members)
	if err == nil && meant["id"] != nil {
		err = refusal{status: http.StatusBadRequest}
	}
	return meant, err
}

// replace is load for what has the number in its URL, and may say it again.
func (f form) replace(members map[string]any, number string) (map[string]any, error) {
	meant, err := f.load(members)
	if id, given := meant["id"].(json.Number); given && id.String() != strings.TrimLeft(number, "0") {
		err = refusal{status: http.StatusBadRequest, message: "Request data id has to match resource id."}
	}
	delete(meant, "id")
	return meant, err
}

// text reads a text of at least so many characters.
func text(least int) reader {
	return func(v any) (any, any) {
		s, ok := v.(string)
		switch {
		case !ok:
			return nil, []string{noText}
		case utf8.RuneCountInString(s) < least:
			return nil, []string{tooShort(least)}
		}
		return s, nil
	}
}

// whole reads a whole number from 1, or what Python's int makes one of: a fraction
// loses what is behind its point, and a text of digits counts as their number.
func whole(v any) (any, any) {
	n := truncated(v)
	switch {
	case n == nil:
		return nil, []string{noInteger}
	case n.Sign() < 1:
		return nil, []string{"Must be greater than or equal to 1."}
	}
	digits := n.String()
	if len(digits) > domain.MaxDigits {
		return nil, []string{isTooLarge}
	}
	return json.Number(digits), nil
}

// truncated returns v without what is behind its point, or nil if it is no number.
func truncated(v any) *big.Int {
	switch v := v.(type) {
	case json.Number:
		r, ok := new(big.Rat).SetString(v.String()) // the body's reader bounds its digits and its exponent
		if !ok {
			return nil
		}
		return new(big.Int).Quo(r.Num(), r.Denom())
	case string:
		s := strings.TrimSpace(v)
		if len(s) > 2*domain.MaxDigits { // reading digits costs more than their number
			return nil
		}
		if n, ok := new(big.Int).SetString(s, 10); ok {
			return n
		}
	}
	return nil
}

// texts reads a list of texts.
func texts(v any) (any, any) {
	list, ok := v.([]any)
	if !ok {
		return nil, []string{noList}
	}
	wrong := make(map[string]any)
	for i, item := range list {
		if len(wrong) >= maxWrong {
			break
		}
		switch item.(type) {
		case string:
		case nil:
			wrong[strconv.Itoa(i)] = []string{isNull}
		default:
			wrong[strconv.Itoa(i)] = []string{noText}
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return list, nil
}
