package sqlite_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/keyport-go/keyport/adapters/sqlite"
	"github.com/keyport-go/keyport/adapters/sqlite/litetest"
	"github.com/keyport-go/keyport/domain"
)

func TestADeclarationIsReadAsItWasWritten(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	full := searched("boats")
	full.Unique = []domain.Unique{{Field: "model", PerOwner: true}}
	full.Rules = domain.Rules{List: "true", Read: "record.owner == account.id"}
	full.Watch, full.Managed, full.Indexes[1].Building, full.SearchBuilding = true, true, true, true
	for _, c := range []domain.Collection{full, {Name: "plain", Revision: 1, Created: noon, Changed: noon}} {
		if err := s.Collections().Add(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		c.Schema = domain.RestoreDocument("{}")
		if found, err := s.Collections().ByName(t.Context(), c.Name); err != nil || !reflect.DeepEqual(found, c) {
			t.Errorf("read %+v, want %+v: %v", found, c, err)
		}
	}
}

func TestUniqueFieldsMayOnlyBeLeftOutWhileThereAreRecords(t *testing.T) {
	s := opened(t, sqlite.Config{Path: litetest.Path(t)})
	c := fleet("ships")
	c.Unique = []domain.Unique{{Field: "name"}, {Field: `na"me`, PerOwner: true}}
	if err := errors.Join(s.Collections().Add(t.Context(), c), s.Records().Add(t.Context(), c.Ref(), ship(1), c.Entries(ship(1), noon))); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name   string
		unique []domain.Unique
		want   error
	}{
		{"one more", append(c.Unique, domain.Unique{Field: "crew"}), domain.ErrCollectionInUse},
		{"another", []domain.Unique{{Field: "name"}, {Field: "crew"}}, domain.ErrCollectionInUse},
		{"one for each owner", []domain.Unique{{Field: "name", PerOwner: true}}, domain.ErrCollectionInUse},
		{"the other way round", []domain.Unique{c.Unique[1], c.Unique[0]}, nil},
		{"one left out", c.Unique[1:], nil},
		{"it comes again", c.Unique, domain.ErrCollectionInUse},
		{"none", nil, nil},
	} {
		next := c
		next.Unique = step.unique
		err := s.Collections().Replace(t.Context(), next)
		if !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.name, err, step.want)
		}
		if err == nil {
			c.Revision++
		}
	}
	// What was unique before bars nothing.
	if err := s.Records().Add(t.Context(), c.Ref(), ship(2), domain.Entries{}); err != nil {
		t.Error(err)
	}
	for _, step := range []struct {
		name string
		ref  domain.CollectionRef
		want error
	}{
		{"a collection that there is not", domain.CollectionRef{Name: "none", Revision: 1}, domain.ErrCollectionNotFound},
		{"one that has changed", domain.CollectionRef{Name: "ships", Revision: 1}, domain.ErrStale},
		{"one with records", c.Ref(), domain.ErrCollectionInUse},
	} {
		if err := s.Collections().Remove(t.Context(), step.ref); !errors.Is(err, step.want) {
			t.Errorf("removing %s: %v, want %v", step.name, err, step.want)
		}
		if err := s.Collections().Hold(t.Context(), step.ref); !errors.Is(err, step.want) && !errors.Is(step.want, domain.ErrCollectionInUse) {
			t.Errorf("holding %s: %v, want %v", step.name, err, step.want)
		}
	}
	if err := errors.Join(
		s.Collections().Hold(t.Context(), c.Ref()),
		s.Records().Remove(t.Context(), c.Ref(), ship(1).ID, 1, noon),
		s.Records().Remove(t.Context(), c.Ref(), ship(2).ID, 1, noon),
		s.Collections().Remove(t.Context(), c.Ref()),
	); err != nil {
		t.Error(err)
	}
	if _, err := s.Collections().ByName(t.Context(), c.Name); !errors.Is(err, domain.ErrCollectionNotFound) {
		t.Error(err)
	}
}
