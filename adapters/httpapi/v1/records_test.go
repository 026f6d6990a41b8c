package v1

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyport-go/keyport/domain"
)

// What is written by hand says what the type says, which the OpenAPI document tells.
func TestAListIsWrittenAsItsTypeSays(t *testing.T) {
	type (
		plainRecord record
		plainList   struct {
			Items []plainRecord `json:"items"`
			Next  string        `json:"next,omitempty"`
			Count *total        `json:"count,omitempty"`
		}
	)
	read := func(text []byte) (v any) {
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return v
	}
	if reflect.TypeFor[listingBody]().NumField() != reflect.TypeFor[plainList]().NumField() {
		t.Fatal("a list has a member more, which is not written")
	}
	rapid.Check(t, func(rt *rapid.T) {
		var list listingBody
		var plain plainList
		list.Items, plain.Items = []record{}, []plainRecord{}
		for range rapid.IntRange(0, 3).Draw(rt, "records") {
			data, err := domain.DocumentOf(map[string]any{rapid.String().Draw(rt, "name"): rapid.String().Draw(rt, "text"), "n": json.Number("1.50")})
			if err != nil {
				rt.Fatal(err)
			}
			r := viewRecord(domain.Record{
				ID: domain.RecordID(rapid.String().Draw(rt, "id")), Owner: domain.AccountID(rapid.String().Draw(rt, "owner")), Data: data,
				Revision: domain.Revision(rapid.Int32().Draw(rt, "revision")),
				Created:  time.UnixMicro(rapid.Int64Range(0, 1<<50).Draw(rt, "created")).UTC(), Changed: time.Unix(1, 0).UTC(),
			})
			list.Items, plain.Items = append(list.Items, r), append(plain.Items, plainRecord(r))
		}
		if rapid.Bool().Draw(rt, "counted") {
			list.Count = &total{rapid.Int().Draw(rt, "count"), rapid.Bool().Draw(rt, "exact")}
		}
		list.Next = rapid.String().Draw(rt, "next")
		plain.Next, plain.Count = list.Next, list.Count
		want, err := json.Marshal(plain)
		if err != nil {
			rt.Fatal(err)
		}
		if got := list.AppendJSON(nil); !reflect.DeepEqual(read(got), read(want)) {
			rt.Fatalf("it is written as\n%s\nand is\n%s", got, want)
		}
	})
}
