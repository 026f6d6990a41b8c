package domain_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyport-go/keyport/domain"
)

func TestALineThatIsNotTakenIsNoted(t *testing.T) {
	i := domain.Import{Lines: 3}
	if err := i.Refuse(nil); err != nil || i.Refused != 0 || i.Problems != nil {
		t.Errorf("a line that was taken: %+v, %v", i, err)
	}
	i.Lines = 4
	fault := domain.ErrInvalidRecord.At("/data/name", "required", "it is missing")
	if err := i.Refuse(fmt.Errorf("at that place: %w", fault)); err != nil {
		t.Error(err)
	}
	want := domain.Import{Lines: 4, Refused: 1, Problems: []domain.ImportProblem{{
		Line: 4, Code: "invalid-record", Detail: domain.ErrInvalidRecord.Detail,
		Fields: []domain.Field{{Path: "/data/name", Code: "required", Problem: "it is missing"}},
	}}}
	if diff := cmp.Diff(want, i); diff != "" {
		t.Error(diff)
	}
}

func TestWhatALineIsNotToBlameFor(t *testing.T) {
	for _, err := range []error{
		domain.ErrUnavailable, domain.ErrTimeout, domain.ErrInternal, domain.ErrCollectionChanged, domain.ErrCollectionNotFound, context.Canceled, errors.New("no room"),
		domain.ErrUnavailable.Because(context.DeadlineExceeded),
	} {
		i := domain.Import{Lines: 1}
		if got := i.Refuse(err); !errors.Is(got, err) || i.Refused != 0 || i.Problems != nil {
			t.Errorf("%v: it is noted as %+v, and returned as %v", err, i, got)
		}
	}
	for _, err := range []error{
		domain.ErrNotAllowed, domain.ErrUnauthenticated, domain.ErrInvalidRecord, domain.ErrMalformed, domain.ErrNotUnique, domain.ErrRecordExists, domain.ErrTooLarge,
	} {
		i := domain.Import{Lines: 1}
		if got := i.Refuse(err); got != nil || i.Refused != 1 || len(i.Problems) != 1 {
			t.Errorf("%v: it is noted as %+v, and returned as %v", err, i, got)
		}
	}
}

func TestSoManyProblemsAreToldOfAnImport(t *testing.T) {
	var i domain.Import
	for range domain.MaxImportProblems + 50 {
		i.Lines++
		if err := i.Refuse(domain.ErrInvalidRecord); err != nil {
			t.Fatal(err)
		}
	}
	if len(i.Problems) != domain.MaxImportProblems || i.Refused != domain.MaxImportProblems+50 || i.Problems[domain.MaxImportProblems-1].Line != domain.MaxImportProblems {
		t.Errorf("%d problems are told of %d", len(i.Problems), i.Refused)
	}
}

func TestTheNameOfAnImport(t *testing.T) {
	const id = "01900000-0000-7000-8000-000000000001"
	if got, err := domain.ParseImportID(id); err != nil || got != id {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range []string{"", "1", id + "0", "01900000-0000-7000-8000-00000000000G", "01900000-0000-7000-8000-00000000000A"} {
		got, err := domain.ParseImportID(bad)
		blames(t, err, domain.ErrImportNotFound)
		if got != "" {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
}
