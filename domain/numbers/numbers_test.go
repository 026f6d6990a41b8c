package numbers_test

import (
	"errors"
	"math"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/numbers"
)

const users domain.Series = "fleet users"

func TestThingsAreNumberedInTheOrderInWhichTheyCome(t *testing.T) {
	s := numbers.New(new(fake.Store))
	for _, c := range []struct {
		series domain.Series
		ids    []string
		want   []int64
	}{
		{users, []string{"ada"}, []int64{1}},
		{users, []string{"bob", "ada", "carol"}, []int64{2, 1, 3}},
		{"fleet ships", []string{"carol", "ada"}, []int64{1, 2}},
		{users, []string{"carol", "bob", "ada"}, []int64{3, 2, 1}},
	} {
		got, err := s.Of(t.Context(), c.series, c.ids...)
		ok(t, err)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q in %s: %s", c.ids, c.series, diff)
		}
	}
	all, err := s.List(t.Context(), users)
	ok(t, err)
	if diff := cmp.Diff([]domain.Numbered{{Number: 1, ID: "ada"}, {Number: 2, ID: "bob"}, {Number: 3, ID: "carol"}}, all); diff != "" {
		t.Error(diff)
	}
}

func TestTheNumbersOfNothingNeedNoStore(t *testing.T) {
	s := numbers.New(&fake.Store{Fault: func(op string) (bool, error) {
		t.Errorf("the store was asked: %s", op)
		return false, nil
	}})
	got, err := s.Of(t.Context(), users)
	ok(t, err)
	if len(got) != 0 {
		t.Errorf("nothing has the numbers %v", got)
	}
}

func TestANumberIsReadAsOldClientsWriteIt(t *testing.T) {
	s := numbers.New(new(fake.Store))
	_, err := s.Of(t.Context(), users, "ada", "bob")
	ok(t, err)
	for text, want := range map[string]string{
		"1": "ada", "2": "bob", "02": "bob", "0000000000000000000000000001": "ada",
		"0": "", "3": "", "-1": "", "+1": "", "-0": "", "": "", " 1": "", "1 ": "", "1.0": "", "1e0": "", "0x1": "", "1_0": "", "0_1": "",
		"one": "", "１": "", "\x00": "", "2\n": "",
		strconv.FormatInt(math.MaxInt64, 10): "", "9223372036854775808": "", "18446744073709551617": "",
	} {
		got, err := s.ID(t.Context(), users, text)
		if want == "" {
			if !errors.Is(err, domain.ErrNumberNotFound) || got != "" {
				t.Errorf("%q is the number of %q: %v", text, got, err)
			}
			continue
		}
		ok(t, err)
		if got != want {
			t.Errorf("%q is the number of %q, want %q", text, got, want)
		}
	}
}

func TestAListHasNoMoreThanItMay(t *testing.T) {
	s := numbers.New(new(fake.Store))
	ids := make([]string, numbers.MaxList+1)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	_, err := s.Of(t.Context(), users, ids...)
	ok(t, err)
	all, err := s.List(t.Context(), users)
	ok(t, err)
	if last := all[len(all)-1]; len(all) != numbers.MaxList || last != (domain.Numbered{Number: numbers.MaxList, ID: ids[numbers.MaxList-1]}) {
		t.Errorf("%d are listed, the last of them %+v", len(all), last)
	}
}

func TestAStoreThatCannotBeReachedIsUnavailable(t *testing.T) {
	s := numbers.New(&fake.Store{Fault: func(string) (bool, error) { return false, domain.ErrUnavailable }})
	_, of := s.Of(t.Context(), users, "ada")
	_, id := s.ID(t.Context(), users, "1")
	_, list := s.List(t.Context(), users)
	for name, err := range map[string]error{"Of": of, "ID": id, "List": list} {
		if !errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("%s returned %v", name, err)
		}
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
