package porttest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/keyport-go/keyport/domain"
)

// is fails unless got is the failure that a comment names: a *domain.Error of
// want's code.
func is(got error, want *domain.Error) error {
	if got == nil {
		return fmt.Errorf("there is no error, want %s", want.Code)
	}
	if e, ok := errors.AsType[*domain.Error](got); !ok || e.Code != want.Code {
		return fmt.Errorf("want %s, not the error %w", want.Code, got)
	}
	return nil
}

// reads takes what a method returned and fails unless it is want:
//
//	reads(ada)(s.Accounts().ByID(ctx, ada.ID))
func reads[T any](want T) func(T, error) error {
	return func(got T, err error) error {
		if err != nil {
			return err
		}
		return same(got, want)
	}
}

// fails takes what a method returned and fails unless it is the failure want.
func fails[T any](want *domain.Error) func(T, error) error {
	return func(_ T, err error) error { return is(err, want) }
}

// same fails unless got and want spell the same, as they do where they are the same to
// the last bit.
func same[T any](got, want T) error {
	if reflect.DeepEqual(got, want) {
		return nil
	}
	if g, w := spell(got), spell(want); g != w {
		return fmt.Errorf("got\n\t%s\nwant\n\t%s", brief(g), brief(w))
	}
	return nil
}

// spell writes a value with all that counts about it: times with their zone,
// logins with kind and normal form, hashes in full; nil and empty slices alike, changes as a
// set, and events without their marks, which are each store's own.
func spell(v any) string {
	switch v := v.(type) {
	case domain.Account:
		logins := make([]string, len(v.Logins))
		for i, l := range v.Logins {
			logins[i] = fmt.Sprintf("%s %q (%q)", l.Kind(), l.Value(), l.Normal())
		}
		return fmt.Sprintf("account %s revision %d: name %q, logins %v, roles %q, %s, authority %d, created %v, changed %v",
			v.ID, v.Revision, v.Name, logins, v.Roles, v.Status, v.Authority, v.Created, v.Changed)
	case domain.Credential:
		return fmt.Sprintf("credential of %s revision %d: %q", v.Account, v.Revision, v.Hash.Reveal())
	case domain.Session:
		return fmt.Sprintf("session %s of %s: counter %d, created %v, used %v, ends %v, renewal %s, device %q, seen %v at %q",
			v.ID, v.Account, v.Counter, v.Created, v.Used, v.Ends, v.Renewal, v.Device, v.Seen, v.Address)
	case domain.AccessKey:
		return fmt.Sprintf("access key %s of %s: name %q, scopes %q, digest %x, created %v, expires %v, seen %v at %q",
			v.ID, v.Account, v.Name, v.Scopes, v.Digest, v.Created, v.Expires, v.Seen, v.Address)
	case domain.Authority:
		return fmt.Sprintf("authority of %s: version %d, roles %q", v.Account, v.Version, v.Roles)
	case domain.Refreshed:
		if v.Verdict != domain.Rotated && v.Verdict != domain.Repeated {
			return fmt.Sprintf("verdict %d", v.Verdict)
		}
		return fmt.Sprintf("verdict %d, %s, %s", v.Verdict, spell(v.Session), spell(v.Authority))
	case domain.Collection:
		return fmt.Sprintf("collection %s revision %d: schema %s, rules %q, unique %v, indexes %v, search %q, watch %t, managed %t, created %v, changed %v",
			v.Name, v.Revision, v.Schema.Text(), v.Rules, v.Unique, spellIndexes(v.Indexes), v.Search, v.Watch, v.Managed, v.Created, v.Changed)
	case domain.Record:
		return fmt.Sprintf("record %s of %q revision %d: created %v, changed %v, data %s",
			v.ID, v.Owner, v.Revision, v.Created, v.Changed, v.Data.Text())
	case domain.Event:
		return fmt.Sprintf("%s in %s at %v: %s, before %s", v.Kind, v.Collection, v.At, spell(v.Record), v.Before.Text())
	case domain.Receipt:
		return fmt.Sprintf("receipt %x of %x at %v: %x", v.ID, v.Body, v.At, v.Answer)
	case domain.Import:
		return fmt.Sprintf("import %s of %s into %s: %d lines, %d stored, %d refused, done: %t, created %v, changed %v, problems %+v",
			v.ID, v.Account, v.Collection, v.Lines, v.Stored, v.Refused, v.Done, v.Created, v.Changed, v.Problems)
	case domain.Change:
		return fmt.Sprintf("%s of %q: value %d, at %v", v.Kind, v.Subject, v.Value, v.At)
	case []domain.Change: // order and repetition say nothing
		lines := make([]string, len(v))
		for i, c := range v {
			lines[i] = spell(c)
		}
		slices.Sort(lines)
		return spellAll(slices.Compact(lines))
	case []domain.Account:
		return spellAll(v)
	case []domain.Session:
		return spellAll(v)
	case []domain.AccessKey:
		return spellAll(v)
	case []domain.Key:
		return spellAll(v)
	case []domain.Collection:
		return spellAll(v)
	case []domain.Record:
		return spellAll(v)
	case []domain.Event:
		return spellAll(v)
	}
	return fmt.Sprintf("%+v", v)
}

func spellIndexes(list []domain.Index) []string {
	texts := make([]string, len(list))
	for i, x := range list {
		texts[i] = fmt.Sprintf("%q building %t", x.Sort, x.Building)
	}
	return texts
}

func spellAll[T any](list []T) string {
	lines := make([]string, len(list))
	for i, x := range list {
		lines[i] = spell(x)
	}
	return fmt.Sprintf("%d: %s", len(list), strings.Join(lines, "\n\t"))
}

// brief cuts what is too long to read.
func brief(s string) string {
	const most = 4000
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s … (%d bytes)", s[:most], len(s))
}

// contenders is how many take part in a race.
const contenders = 32

// race runs f for each contender at once, and returns their errors.
func race(f func(i int) error) []error {
	errs := make([]error, contenders)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// oneWinner fails unless exactly one of errs is nil and all others are the
// failure that the losers get.
func oneWinner(errs []error, loser *domain.Error) error {
	winners := 0
	for _, err := range errs {
		if err == nil {
			winners++
		} else if err := is(err, loser); err != nil {
			return fmt.Errorf("a loser: %w", err)
		}
	}
	if winners != 1 {
		return fmt.Errorf("%d of %d succeeded, want 1", winners, len(errs))
	}
	return nil
}
