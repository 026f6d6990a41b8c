package porttest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/keyport-go/keyport/ports"
)

// An ArchivePlace returns an Archive of one store each time it is called, which the
// clauses close.
type ArchivePlace func() ports.Archive

// TestArchive checks every promise of ports.Archive. open returns a place where no store
// is yet.
func TestArchive(t *testing.T, open func(*testing.T) ArchivePlace) {
	t.Helper()
	run(t, open, archive)
}

var archive = []clause[ArchivePlace]{
	{
		"rows are read as they were added",
		"An Archive is all that a store keeps, as tables of plain rows that mean the same in every store: what is carried from one store to another.",
		func(ctx context.Context, at ArchivePlace) error {
			return laden(ctx, at, func(a ports.Archive) error { return carries(ctx, a, freight()) })
		},
	},
	{
		"what is added comes behind what is there",
		"Add puts rows behind those that the table has, all of them or none.",
		func(ctx context.Context, at ArchivePlace) error {
			return reserved(ctx, at, "there", func(a ports.Archive) error {
				want := freight()
				for _, t := range ports.Archived() {
					for _, r := range want[t.Name] {
						if err := a.Add(ctx, t, []ports.Row{r}); err != nil {
							return fmt.Errorf("%s: %w", t.Name, err)
						}
					}
				}
				return carries(ctx, a, want)
			})
		},
	},
	{
		"of rows of which one cannot be, none is added",
		"Add puts rows behind those that the table has, all of them or none.",
		func(ctx context.Context, at ArchivePlace) error {
			return reserved(ctx, at, "there", func(a ports.Archive) error {
				accounts := ports.Archived()[0]
				rows := freight()[accounts.Name]
				bad := slices.Clone(rows[1])
				bad[0] = nil
				if err := a.Add(ctx, accounts, []ports.Row{rows[0], bad}); err == nil {
					return errors.New("a row without an id was added")
				}
				return carries(ctx, a, nil)
			})
		},
	},
	{
		"who has not reserved it adds nothing",
		"It fails unless this Archive has the store reserved; so does Clear.",
		func(ctx context.Context, at ArchivePlace) error {
			return laden(ctx, at, func(ports.Archive) error {
				b := at()
				defer b.Close()
				accounts := ports.Archived()[:1]
				if b.Add(ctx, accounts[0], freight()["accounts"]) == nil || b.Clear(ctx, accounts) == nil || b.Release(ctx) == nil {
					return errors.New("somebody else wrote what is reserved")
				}
				return nil
			})
		},
	},
	{
		"tables that are cleared are empty, and others are not",
		"Clear drops all rows of the tables, which are the last of Archived.",
		func(ctx context.Context, at ArchivePlace) error {
			return laden(ctx, at, func(a ports.Archive) error {
				all := ports.Archived()
				want := freight()
				for from := len(all) - 1; from >= 0; from-- {
					delete(want, all[from].Name)
					if err := errors.Join(a.Clear(ctx, all[from:]), carries(ctx, a, want)); err != nil {
						return fmt.Errorf("from %s on: %w", all[from].Name, err)
					}
				}
				for _, t := range all {
					if err := a.Add(ctx, t, freight()[t.Name]); err != nil {
						return fmt.Errorf("%s, once more: %w", t.Name, err)
					}
				}
				return errors.Join(carries(ctx, a, freight()), a.Clear(ctx, all), carries(ctx, a, nil))
			})
		},
	},
	{
		"whoever reads sees one moment",
		"Read calls f with the tables as they all are at one moment, whatever is written meanwhile, and returns what f does.",
		func(ctx context.Context, at ArchivePlace) error {
			return laden(ctx, at, func(a ports.Archive) error {
				enough := errors.New("porttest: enough")
				if err := a.Read(ctx, func(ports.Tables) error { return enough }); !errors.Is(err, enough) {
					return fmt.Errorf("what f returned became %w", err)
				}
				if err := a.Release(ctx); err != nil {
					return err
				}
				b := at()
				defer b.Close()
				return b.Read(ctx, func(t ports.Tables) error {
					return errors.Join(stands(ctx, t, freight()), stands(ctx, t, freight()))
				})
			})
		},
	},
	{
		"where no store is there is nothing to read",
		"It fails with ErrNoArchive where there is no store, or one that is not of this release.",
		func(ctx context.Context, at ArchivePlace) error {
			a := at()
			defer a.Close()
			err := a.Read(ctx, func(ports.Tables) error { return nil })
			if !errors.Is(err, ports.ErrNoArchive) {
				return fmt.Errorf("the error is %w", err)
			}
			return nil
		},
	},
	{
		"a store is made for who reserves it",
		"Reserve makes the store, if there is none, and reserves it for what comes from the source of that name, until Release.",
		func(ctx context.Context, at ArchivePlace) error {
			return reserved(ctx, at, "there", func(a ports.Archive) error { return carries(ctx, a, nil) })
		},
	},
	{
		"whoever goes on finds what was brought before",
		"What a reservation for the same source has brought before stays, however that ended.",
		func(ctx context.Context, at ArchivePlace) error {
			return errors.Join(
				laden(ctx, at, func(ports.Archive) error { return nil }),
				reserved(ctx, at, "there", func(a ports.Archive) error { return carries(ctx, a, freight()) }),
			)
		},
	},
	{
		"what is closed stays reserved",
		"What is reserved stays so, for whoever goes on.",
		func(ctx context.Context, at ArchivePlace) error {
			return errors.Join(
				reserved(ctx, at, "there", func(ports.Archive) error { return nil }),
				refuses(ctx, at, "elsewhere", ports.ErrReserved),
				reserved(ctx, at, "there", func(ports.Archive) error { return nil }),
			)
		},
	},
	{
		"what is reserved nobody else reserves",
		"It fails with ErrReserved if the store is reserved for another source, or somebody has it reserved now, and with ErrOccupied if it keeps anything.",
		func(ctx context.Context, at ArchivePlace) error {
			return reserved(ctx, at, "there", func(ports.Archive) error {
				return errors.Join(refuses(ctx, at, "there", ports.ErrReserved), refuses(ctx, at, "elsewhere", ports.ErrReserved))
			})
		},
	},
	{
		"what keeps anything is not reserved",
		"It fails with ErrReserved if the store is reserved for another source, or somebody has it reserved now, and with ErrOccupied if it keeps anything.",
		func(ctx context.Context, at ArchivePlace) error {
			return errors.Join(
				laden(ctx, at, func(a ports.Archive) error { return a.Release(ctx) }),
				refuses(ctx, at, "there", ports.ErrOccupied),
				refuses(ctx, at, "elsewhere", ports.ErrOccupied),
			)
		},
	},
	{
		"what is released is free",
		"Release ends the reservation: from here on the store can be served.",
		func(ctx context.Context, at ArchivePlace) error {
			return errors.Join(
				reserved(ctx, at, "there", func(a ports.Archive) error { return a.Release(ctx) }),
				reserved(ctx, at, "elsewhere", func(a ports.Archive) error { return carries(ctx, a, nil) }),
			)
		},
	},
	{
		"what the visitor returns ends the visit",
		"What the visitor returns ends it.",
		func(ctx context.Context, at ArchivePlace) error {
			return laden(ctx, at, func(a ports.Archive) error {
				enough, visits := errors.New("porttest: enough"), 0
				err := a.Read(ctx, func(t ports.Tables) error {
					return t.Rows(ctx, ports.Archived()[0], func(ports.Row) error { visits++; return enough })
				})
				if !errors.Is(err, enough) || visits != 1 {
					return fmt.Errorf("%d visits, and %w", visits, err)
				}
				return nil
			})
		},
	},
	{
		"a row is the visitor's",
		"A row is the visitor's to keep.",
		func(ctx context.Context, at ArchivePlace) error {
			return laden(ctx, at, func(a ports.Archive) error {
				spoilt := a.Read(ctx, func(t ports.Tables) error {
					for _, of := range ports.Archived() {
						err := t.Rows(ctx, of, func(r ports.Row) error {
							for i := range r {
								if b, ok := r[i].([]byte); ok {
									clear(b)
								}
								r[i] = nil
							}
							return nil
						})
						if err != nil {
							return err
						}
					}
					return nil
				})
				return errors.Join(spoilt, carries(ctx, a, freight()))
			})
		},
	},
	{
		"rows come in the order of their table",
		"Rows visits all rows of the table, in its order.",
		func(ctx context.Context, at ArchivePlace) error {
			return laden(ctx, at, func(a ports.Archive) error {
				return a.Read(ctx, func(t ports.Tables) error { return stands(ctx, t, freight()) })
			})
		},
	},
}

// reserved runs f on a reserved archive, and closes it.
func reserved(ctx context.Context, at ArchivePlace, source string, f func(ports.Archive) error) (err error) {
	a := at()
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.Reserve(ctx, source); err != nil {
		return err
	}
	return f(a)
}

// laden is reserved with all freight in it, from "there".
func laden(ctx context.Context, at ArchivePlace, f func(ports.Archive) error) error {
	return reserved(ctx, at, "there", func(a ports.Archive) error {
		for _, t := range ports.Archived() {
			if err := a.Add(ctx, t, freight()[t.Name]); err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
		}
		return f(a)
	})
}

func refuses(ctx context.Context, at ArchivePlace, source string, want error) error {
	err := reserved(ctx, at, source, func(ports.Archive) error { return nil })
	if !errors.Is(err, want) {
		return fmt.Errorf("reserved from %s: %w, want %w", source, err, want)
	}
	return nil
}

// carries fails unless the archive has just these rows, by their tables.
func carries(ctx context.Context, a ports.Archive, want map[string][]ports.Row) error {
	return a.Read(ctx, func(t ports.Tables) error { return stands(ctx, t, want) })
}

func stands(ctx context.Context, tables ports.Tables, want map[string][]ports.Row) error {
	for _, t := range ports.Archived() {
		var got []ports.Row
		err := tables.Rows(ctx, t, func(r ports.Row) error { got = append(got, r); return nil })
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		if !reflect.DeepEqual(got, want[t.Name]) {
			return fmt.Errorf("%s: there are\n%s\nwant\n%s", t.Name, listOf(got), listOf(want[t.Name]))
		}
	}
	return nil
}

func listOf(rows []ports.Row) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "\t%.200q\n", []any(r))
	}
	return b.String()
}

// freight returns rows for each table, in its order, with whatever a value can be.
func freight() map[string][]ports.Row {
	ada, ben := uuid(1, 1), uuid(1, 2)
	first, second, third := uuid(3, 1), uuid(3, 2), uuid(3, 3)
	const (
		noon = int64(1_790_000_000_123_456)
		past = int64(-62_135_596_800_000_000) // the year 1
		far  = int64(253_402_300_799_999_999) // the year 9999
		most = int64(1<<63 - 1)
	)
	odd := "é漢 \U0001F6A2 'quoted' \"twice\" \\ {},\n\t%s $1 ?"
	raw := []byte{0, 1, 0xff, '\'', '\\', 0}
	digest := []byte(strings.Repeat("\x00\xff", 16))
	return map[string][]ports.Row{
		"accounts": {
			{ada, odd, `["admin","clerk"]`, "active", int64(7), most, past, far},
			{ben, "", `[]`, "suspended", int64(0), int64(1), noon, noon},
		},
		"logins": {
			{"email", "ada@example.com", "Ada@example.com", ada},
			{"username", "ada", "Ada", ada},
			{"username", "ada ben", odd, ben}, // a space comes before all letters
			{"username", "é", "É", ben},
		},
		"credentials": {{ada, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", int64(3)}, {ben, "", int64(1)}},
		"sessions": {
			{uuid(2, 1), ada, int64(0), noon, noon, far, odd, "rotating", noon, "192.0.2.1"},
			{uuid(2, 2), ada, most, past, noon, noon, "", "lasting", past, ""},
		},
		"access_keys": {
			{uuid(4, 1), ada, odd, `["account:read","admin"]`, digest, noon, nil, nil, ""},
			{uuid(4, 2), ben, "", `[]`, make([]byte, 32), noon, far, noon, "::1"},
		},
		"collections": {
			{"boats", `{ "type" : "object" }`, `{"list":"true","read":"","create":"","update":"","delete":""}`, `[]`, `[]`, `[]`, int64(0), int64(0), int64(0), int64(1), noon, noon},
			{
				"ships", `{}`, `{"list":"record.owner == account.id \u0026\u0026 1 \u003c 2","read":"","create":"","update":"","delete":""}`,
				`[{"field":"name","per_owner":true}]`, `[{"sort":"-length,model","building":false},{"sort":"model","building":true}]`, `["model"]`,
				int64(1), int64(1), int64(1), most, past, far,
			},
		},
		"records": {
			{"boats", second, nil, `{"n" : 1.0e10, "text":"\u0000\ud83d\udea2", "n":2}`, int64(1), noon, noon},
			{"ships", first, ada, `{}`, most, past, far},
			{"ships", third, ben, `{"cargo":"` + strings.Repeat("x", 1<<20) + `"}`, int64(2), noon, noon},
		},
		"record_keys": {
			{"ships", "name", digest, first},
			{"ships", "name", []byte(strings.Repeat("\x01", 32)), third},
			{"ships", odd, digest, first},
		},
		"record_index": {
			{"ships", "-length,model", []byte{0}, third, int64(2)},
			{"ships", "-length,model", raw, first, most},
			{"ships", "-length,model", raw, third, int64(1)},
			{"ships", "model", []byte{0xff}, first, int64(9)},
		},
		"record_words": {{"ships", first, "12 a ab wing é"}, {"ships", third, "漢"}},
		"record_events": {
			{"created", "ships", third, nil, `{}`, nil, int64(1), noon, noon, noon},
			{"changed", "ships", first, ada, `{"a": 1}`, `{"a":0}`, int64(2), past, far, noon},
			{"deleted", "boats", uuid(3, 9), uuid(1, 9), `{}`, nil, int64(1), noon, noon, past}, // of who is gone
		},
		"changes": {
			{"session-ended", uuid(2, 9), int64(0), noon},
			{"session-ended", uuid(2, 9), int64(0), noon}, // told twice
			{"authority-raised", ada, int64(7), far},
		},
		"keys": {
			{"refresh", int64(1), uuid(5, 1), "HS256", raw, noon, noon},
			{"sign", int64(2), uuid(5, 2), "ES256", []byte{}, noon, far},
			{"sign", int64(10), uuid(5, 3), "EdDSA", digest, noon, noon},
		},
		"numbers":  {{"fleet/ships", int64(1), first}, {"fleet/ships", int64(2), odd}, {"fleet/users", most, ada}},
		"receipts": {{make([]byte, 32), digest, []byte{}, noon}, {digest, make([]byte, 32), raw, past}},
		"imports": {
			{uuid(7, 1), nil, "ships", int64(3), int64(1), int64(2), `[{"line":2,"code":"no","detail":"\u003cno\u003e","fields":[{"path":"/a","code":"b","problem":"c"}]},{"line":3,"code":"","detail":"","fields":[]}]`, int64(1), noon, noon},
			{uuid(7, 2), ada, "boats", most, int64(0), int64(0), `[]`, int64(0), past, far},
		},
	}
}
