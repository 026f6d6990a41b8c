package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// ApplyCollections makes the store declare what the folder does, and prints what
// became of each collection. With dryRun it changes nothing, and tells what stands in
// the way. A folder of "" is that of c. It may take long: each record is held against
// a schema that has changed, and entered into indexes that are new.
func ApplyCollections(ctx context.Context, c Config, dir string, dryRun bool, out, log io.Writer) (err error) {
	if dir == "" {
		dir = c.Collections
	}
	if dir == "" {
		return errors.New("which folder? Name it, or set KEYPORT_COLLECTIONS")
	}
	o, err := open(ctx, c, "http://keyport.invalid", log, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	return apply(ctx, Services(c, o.Parts).Resources, dir, dryRun, func(format string, args ...any) {
		_, _ = fmt.Fprintf(out, format+"\n", args...)
	})
}

// apply makes the collections of a folder what it declares, and gives those back to
// the API that it declared before and no longer does. It tells of each what became of
// it, goes on after one that cannot be, and tells all that is wrong at once.
func apply(ctx context.Context, s *resources.Service, dir string, dryRun bool, tell func(format string, args ...any)) error {
	declared, err := readFolder(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	stored, err := s.Collections(ctx)
	if err != nil {
		return err
	}
	before := make(map[domain.CollectionName]domain.Collection)
	for _, c := range stored {
		before[c.Name] = c
	}
	how := resources.Declaring{Operator: true, DryRun: dryRun}
	var faults []error
	for _, c := range declared {
		c.Managed = true
		old, there := before[c.Name]
		delete(before, c.Name)
		now, err := s.Declare(ctx, domain.Asker{}, c, how)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("%s: %w", c.Name, plainly(err)))
		case !there:
			tell("%s: declared", c.Name)
		case now.Declares(old):
			tell("%s: as it was", c.Name)
		default:
			tell("%s: changed", c.Name)
		}
	}
	for name, c := range before {
		if !c.Managed {
			continue
		}
		c.Managed = false
		if _, err := s.Declare(ctx, domain.Asker{}, c, how); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, plainly(err)))
			continue
		}
		tell("%s: no longer declared here; the API may change it now", name)
	}
	return errors.Join(faults...)
}

// plainly tells what an error blames, a line each.
func plainly(err error) error {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || len(e.Fields) == 0 {
		return err
	}
	var b strings.Builder
	b.WriteString(e.Detail)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "\n    %s: %s", f.Path, f.Problem)
	}
	return errors.New(b.String())
}
