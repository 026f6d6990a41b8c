package porttest

import (
	"context"
	"slices"
	"testing"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/ports"
)

func TestArchiveOfTheFakeKeepsItsPromises(t *testing.T) {
	TestArchive(t, func(*testing.T) ArchivePlace { return cellar(func(a *fake.Archive) ports.Archive { return a }) })
}

func cellar(lie func(*fake.Archive) ports.Archive) ArchivePlace {
	c := new(fake.Cellar)
	return func() ports.Archive { return lie(&fake.Archive{Cellar: c}) }
}

var lyingArchives = []struct {
	name   string
	lie    func(*fake.Archive) ports.Archive
	caught []string // by these, and maybe by more
}{
	{"turns rows round", func(a *fake.Archive) ports.Archive { return turningArchive{a} }, []string{"rows are read as they were added", "rows come in the order of their table"}},
	{"forgets the last row", func(a *fake.Archive) ports.Archive { return forgetfulArchive{a} }, []string{"rows are read as they were added", "what is added comes behind what is there"}},
	{"adds what can be", func(a *fake.Archive) ports.Archive { return piecemealArchive{a} }, []string{"of rows of which one cannot be, none is added"}},
	{"lets everybody write", func(a *fake.Archive) ports.Archive { return openArchive{a} }, []string{"who has not reserved it adds nothing"}},
	{"clears the first alone", func(a *fake.Archive) ports.Archive { return sparingArchive{a} }, []string{"tables that are cleared are empty, and others are not"}},
	{"hides what f returned", func(a *fake.Archive) ports.Archive { return silentArchive{a} }, []string{"whoever reads sees one moment", "what the visitor returns ends the visit"}},
	{"reads nothing where nothing is", func(a *fake.Archive) ports.Archive { return blindArchive{a} }, []string{"where no store is there is nothing to read"}},
	{"makes no store", func(a *fake.Archive) ports.Archive { return idleArchive{a} }, []string{"a store is made for who reserves it"}},
	{"begins anew", func(a *fake.Archive) ports.Archive { return freshArchive{a} }, []string{"whoever goes on finds what was brought before"}},
	{"releases when it is closed", func(a *fake.Archive) ports.Archive { return looseArchive{a} }, []string{"what is closed stays reserved"}},
	{"takes what is reserved", func(a *fake.Archive) ports.Archive { return greedyArchive{a} }, []string{"what is reserved nobody else reserves"}},
	{"takes what is occupied", func(a *fake.Archive) ports.Archive { return squatterArchive{a} }, []string{"what keeps anything is not reserved"}},
	{"never releases", func(a *fake.Archive) ports.Archive { return keeperArchive{a} }, []string{"what is released is free"}},
	{"keeps its rows", func(a *fake.Archive) ports.Archive { return &lenderArchive{Archive: a} }, []string{"a row is the visitor's"}},
}

func TestLyingArchivesAreCaught(t *testing.T) {
	caughtBy := make(map[string]bool)
	for _, l := range lyingArchives {
		t.Run(l.name, func(t *testing.T) {
			caught := catchers(t.Context(), archive, func() ArchivePlace { return cellar(l.lie) })
			for _, name := range l.caught {
				caughtBy[name] = true
				if !slices.Contains(caught, name) {
					t.Errorf("was not caught by %q, but by %q", name, caught)
				}
			}
		})
	}
	for _, c := range archive {
		if !caughtBy[c.name] {
			t.Errorf("no liar is caught by %q", c.name)
		}
	}
}

type turningArchive struct{ *fake.Archive }

func (l turningArchive) Add(ctx context.Context, t ports.Table, rows []ports.Row) error {
	rows = slices.Clone(rows)
	slices.Reverse(rows)
	return l.Archive.Add(ctx, t, rows)
}

type forgetfulArchive struct{ *fake.Archive }

func (l forgetfulArchive) Add(ctx context.Context, t ports.Table, rows []ports.Row) error {
	return l.Archive.Add(ctx, t, rows[:len(rows)-1])
}

type piecemealArchive struct{ *fake.Archive }

func (l piecemealArchive) Add(ctx context.Context, t ports.Table, rows []ports.Row) error {
	for _, r := range rows {
		if err := l.Archive.Add(ctx, t, []ports.Row{r}); err != nil {
			return err
		}
	}
	return nil
}

type openArchive struct{ *fake.Archive }

func (openArchive) Add(context.Context, ports.Table, []ports.Row) error { return nil }

type sparingArchive struct{ *fake.Archive }

func (l sparingArchive) Clear(ctx context.Context, tables []ports.Table) error {
	return l.Archive.Clear(ctx, tables[:1])
}

type silentArchive struct{ *fake.Archive }

func (l silentArchive) Read(ctx context.Context, f func(ports.Tables) error) error {
	_ = l.Archive.Read(ctx, f)
	return nil
}

type blindArchive struct{ *fake.Archive }

func (l blindArchive) Read(ctx context.Context, f func(ports.Tables) error) error {
	err := l.Archive.Read(ctx, f)
	if err == ports.ErrNoArchive { //nolint:errorlint // the fake's very own
		return nil
	}
	return err
}

type idleArchive struct{ *fake.Archive }

func (idleArchive) Reserve(context.Context, string) error { return nil }

type freshArchive struct{ *fake.Archive }

func (l freshArchive) Reserve(ctx context.Context, source string) error {
	if err := l.Archive.Reserve(ctx, source); err != nil {
		return err
	}
	return l.Clear(ctx, ports.Archived())
}

type looseArchive struct{ *fake.Archive }

func (l looseArchive) Close() error {
	_ = l.Release(context.Background())
	return nil
}

type greedyArchive struct{ *fake.Archive }

func (l greedyArchive) Reserve(ctx context.Context, _ string) error {
	err := l.Archive.Reserve(ctx, "there")
	if err == ports.ErrReserved { //nolint:errorlint // the fake's very own
		return nil
	}
	return err
}

type squatterArchive struct{ *fake.Archive }

func (l squatterArchive) Reserve(ctx context.Context, source string) error {
	err := l.Archive.Reserve(ctx, source)
	if err == ports.ErrOccupied { //nolint:errorlint // the fake's very own
		return nil
	}
	return err
}

type keeperArchive struct{ *fake.Archive }

func (keeperArchive) Release(context.Context) error { return nil }

// lenderArchive lends rows that it hands out again.
type lenderArchive struct {
	*fake.Archive
	lent map[string][]ports.Row
}

func (l *lenderArchive) Read(ctx context.Context, f func(ports.Tables) error) error {
	return l.Archive.Read(ctx, func(t ports.Tables) error {
		if l.lent == nil {
			l.lent = make(map[string][]ports.Row)
			for _, of := range ports.Archived() {
				if err := t.Rows(ctx, of, func(r ports.Row) error { l.lent[of.Name] = append(l.lent[of.Name], r); return nil }); err != nil {
					return err
				}
			}
		}
		return f(lentTables(l.lent))
	})
}

type lentTables map[string][]ports.Row

func (l lentTables) Rows(_ context.Context, of ports.Table, visit func(ports.Row) error) error {
	for _, r := range l[of.Name] {
		if err := visit(r); err != nil {
			return err
		}
	}
	return nil
}
