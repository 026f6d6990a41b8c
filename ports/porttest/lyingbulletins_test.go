package porttest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/keyport-go/keyport/adapters/fake"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var lyingBulletins = []liar{
	{
		name:   "posts values of 32 bits",
		open:   onBulletin(func(r ports.Repositories) ports.Bulletin { return narrowPoster{r.Bulletin()} }),
		caught: []string{"a change is heard as it was posted"},
	},
	{
		name: "posts the first change alone",
		open: onBulletin(func(r ports.Repositories) ports.Bulletin { return firstPoster{r.Bulletin()} }),
		caught: []string{
			"all that is kept can be heard",
			"changes that are of no interest any more are forgotten",
			"it is known what was posted",
			"several changes are posted, or none",
			"slices are copied",
			"the changes of one call are heard together",
			"what comes after a forgetting is news",
		},
	},
	{
		name:   "fails to post nothing",
		open:   onBulletin(func(r ports.Repositories) ports.Bulletin { return nothingPoster{r.Bulletin()} }),
		caught: []string{"several changes are posted, or none"},
	},
	{
		name: "posts past the transaction",
		open: func() ports.Store {
			posted := new(changes)
			return lying{new(fake.Store), lie{bulletin: func(r ports.Repositories) ports.Bulletin { return hasty{r.Bulletin(), posted} }}}
		},
		caught: []string{
			"there is no change without its cause, nor a cause without its change",
			"what failed is no news",
			"who goes from mark to mark while many post hears all",
			"a failed transaction leaves nothing",
		},
	},
	{
		name: "tells news once",
		open: func() ports.Store {
			told := new(changes)
			return lying{new(fake.Store), lie{bulletin: func(r ports.Repositories) ports.Bulletin { return forgetful{r.Bulletin(), told} }}}
		},
		caught: []string{
			"who goes from mark to mark hears all",
			"what comes after a forgetting is news",
		},
	},
	{
		name:   "goes by the time of the cause",
		open:   onBulletin(func(r ports.Repositories) ports.Bulletin { return clockwise{r.Bulletin()} }),
		caught: []string{"news are what was committed since, whenever the cause was"},
		maybe:  []string{"who goes from mark to mark while many post hears all"},
	},
	{
		name:   "counts from what is left",
		open:   onBulletin(func(r ports.Repositories) ports.Bulletin { return miscounter{r.Bulletin()} }),
		caught: []string{"what comes after a forgetting is news"},
	},
	{
		name:   "numbers changes before they are committed",
		open:   func() ports.Store { return &numbering{Store: new(fake.Store)} },
		caught: []string{"a change whose transaction takes long is heard"},
		maybe: []string{
			"who goes from mark to mark while many post hears all",
			"there is no change without its cause, nor a cause without its change",
			"there is no ending without its news",
		},
	},
	{
		name:   "tells a page of news",
		open:   onBulletin(func(r ports.Repositories) ports.Bulletin { return pager{r.Bulletin()} }),
		caught: []string{"all that is kept can be heard"},
	},
	{
		name:   "has everything been posted",
		open:   onBulletin(func(r ports.Repositories) ports.Bulletin { return boaster{r.Bulletin()} }),
		caught: []string{"it is known what was posted"},
	},
	{
		name:   "goes by the subject alone",
		open:   onBulletin(func(r ports.Repositories) ports.Bulletin { return kindBlind{r.Bulletin()} }),
		caught: []string{"it is known what was posted"},
	},
	{
		name: "knows what was posted before it was forgotten",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{bulletin: func(r ports.Repositories) ports.Bulletin { return elephant{r.Bulletin(), memory} }}}
		},
		caught: []string{"it is known what was posted"},
	},
	{
		name: "forgets at the time itself",
		open: onBulletin(func(r ports.Repositories) ports.Bulletin { return earlyForgetter{r.Bulletin()} }),
		caught: []string{
			"all that is kept can be heard",
			"changes that are of no interest any more are forgotten",
			"it is known what was posted",
		},
	},
	{
		name:   "forgets without a limit",
		open:   onBulletin(func(r ports.Repositories) ports.Bulletin { return greedyForgetter{r.Bulletin()} }),
		caught: []string{"changes that are of no interest any more are forgotten"},
	},
	{
		name: "does not count what it forgets",
		open: onBulletin(func(r ports.Repositories) ports.Bulletin { return countlessForgetter{r.Bulletin()} }),
		caught: []string{
			"all that is kept can be heard",
			"changes that are of no interest any more are forgotten",
			"what comes after a forgetting is news",
		},
	},
	{
		name: "hands one slice of news to all",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{bulletin: func(r ports.Repositories) ports.Bulletin { return newsSharer{r.Bulletin(), memory} }}}
		},
		caught: []string{"slices are copied"},
	},
	{
		name: "keeps the slice that was posted",
		open: func() ports.Store {
			memory := new(sync.Map)
			return lying{new(fake.Store), lie{bulletin: func(r ports.Repositories) ports.Bulletin { return postSharer{r.Bulletin(), memory} }}}
		},
		caught: []string{"slices are copied"},
	},
	{
		name:   "listens on after the context has ended",
		open:   onBulletin(func(r ports.Repositories) ports.Bulletin { return tirelessListener{r.Bulletin()} }),
		caught: []string{"nothing begins after its context has ended"},
	},
}

type narrowPoster struct{ ports.Bulletin }

func (l narrowPoster) Post(ctx context.Context, list ...domain.Change) error {
	list = slices.Clone(list)
	for i := range list {
		list[i].Value &= 1<<32 - 1
	}
	return l.Bulletin.Post(ctx, list...)
}

type firstPoster struct{ ports.Bulletin }

func (l firstPoster) Post(ctx context.Context, list ...domain.Change) error {
	return l.Bulletin.Post(ctx, list[:min(1, len(list))]...)
}

type nothingPoster struct{ ports.Bulletin }

func (l nothingPoster) Post(ctx context.Context, list ...domain.Change) error {
	if len(list) == 0 {
		return errors.New("there is nothing to post")
	}
	return l.Bulletin.Post(ctx, list...)
}

// changes is a list that outlives transactions.
type changes struct {
	mu   sync.Mutex
	list []domain.Change
}

// add adds those that are not there yet, and returns them.
func (c *changes) add(list ...domain.Change) (added []domain.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range list {
		if !slices.Contains(c.list, x) {
			added = append(added, x)
		}
	}
	c.list = append(c.list, added...)
	return added
}

// hasty has a list beside that of the store, and writes it first.
type hasty struct {
	ports.Bulletin
	posted *changes
}

func (l hasty) Post(ctx context.Context, list ...domain.Change) error {
	err := ctx.Err()
	if err == nil {
		at := slices.Clone(list)
		for i := range at {
			at[i].At = at[i].At.UTC()
		}
		l.posted.add(at...)
	}
	return cmp.Or(err, l.Bulletin.Post(ctx, list...))
}

func (l hasty) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	news, next, err := l.Bulletin.News(ctx, mark)
	l.posted.mu.Lock()
	defer l.posted.mu.Unlock()
	return slices.Concat(news, l.posted.list), next, err
}

func (l hasty) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	n, err := l.Bulletin.Forget(ctx, t, limit)
	kept, _, err2 := l.Bulletin.News(ctx, "")
	if err == nil && n > 0 {
		l.posted.mu.Lock()
		defer l.posted.mu.Unlock()
		l.posted.list = kept
	}
	return n, cmp.Or(err, err2)
}

// forgetful tells whoever has a mark what nobody who had one was told.
type forgetful struct {
	ports.Bulletin
	told *changes
}

func (l forgetful) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	news, next, err := l.Bulletin.News(ctx, mark)
	if mark != "" {
		news = l.told.add(news...)
	}
	return news, next, err
}

type clockwise struct{ ports.Bulletin }

func (l clockwise) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	const never = -1 << 63
	read := int64(never)
	if mark != "" {
		read, _ = strconv.ParseInt(string(mark), 10, 64)
	}
	news, _, err := l.Bulletin.News(ctx, "")
	last := read
	news = slices.DeleteFunc(news, func(c domain.Change) bool {
		at := c.At.UnixMicro()
		last = max(last, at)
		return at <= read
	})
	return news, domain.Mark(strconv.FormatInt(last, 10)), err
}

type miscounter struct{ ports.Bulletin }

func (l miscounter) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	read, _ := strconv.Atoi(string(mark))
	news, _, err := l.Bulletin.News(ctx, "")
	return news[min(read, len(news)):], domain.Mark(strconv.Itoa(len(news))), err
}

// numbering has a bulletin of its own beside the store, as a database has that
// gives out numbers by a sequence: a transaction takes its numbers when it
// posts, its changes are seen when it is committed, and a mark is the highest
// number that was seen.
type numbering struct {
	*fake.Store
	mu   sync.Mutex
	last int
	seen []numbered
}

type numbered struct {
	n int
	domain.Change
}

func (l *numbering) number(list []domain.Change) (rows []numbered) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range list {
		l.last++
		c.At = c.At.UTC()
		rows = append(rows, numbered{l.last, c})
	}
	return rows
}

func (l *numbering) commit(rows []numbered) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, rows...)
}

func (l *numbering) Bulletin() ports.Bulletin { return numberedBulletin{l, nil} }
func (l *numbering) Sessions() ports.Sessions { return posting{l.Store.Sessions(), l.Bulletin()} }

func (l *numbering) Atomically(ctx context.Context, f func(ports.Repositories) error) error {
	var rows []numbered
	err := l.Store.Atomically(ctx, func(tx ports.Repositories) error {
		rows = nil
		own := numberedBulletin{l, &rows}
		return f(bent{tx, lie{
			sessions: func(r ports.Repositories) ports.Sessions { return posting{r.Sessions(), own} },
			bulletin: func(ports.Repositories) ports.Bulletin { return own },
		}})
	})
	if err == nil {
		l.commit(rows)
	}
	return err
}

// numberedBulletin is that of a transaction, which has rows, or of the store.
type numberedBulletin struct {
	store *numbering
	rows  *[]numbered
}

func (b numberedBulletin) Post(ctx context.Context, list ...domain.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if rows := b.store.number(list); b.rows != nil {
		*b.rows = append(*b.rows, rows...)
	} else {
		b.store.commit(rows)
	}
	return nil
}

func (b numberedBulletin) News(ctx context.Context, mark domain.Mark) (news []domain.Change, next domain.Mark, err error) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	read, _ := strconv.Atoi(string(mark))
	last, all := read, b.store.seen
	if b.rows != nil {
		all = slices.Concat(all, *b.rows)
	}
	for _, row := range all {
		if last = max(last, row.n); row.n > read {
			news = append(news, row.Change)
		}
	}
	return news, domain.Mark(strconv.Itoa(last)), ctx.Err()
}

func (b numberedBulletin) Posted(ctx context.Context, kind domain.ChangeKind, subject string) (bool, error) {
	news, _, err := b.News(ctx, "")
	return slices.ContainsFunc(news, func(c domain.Change) bool { return c.Kind == kind && c.Subject == subject }), err
}

func (b numberedBulletin) Forget(ctx context.Context, t time.Time, limit int) (n int, err error) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b.store.seen = slices.DeleteFunc(b.store.seen, func(row numbered) bool {
		if n == limit || !row.At.Before(t) {
			return false
		}
		n++
		return true
	})
	return n, nil
}

// posting are sessions that post their endings on another bulletin.
type posting struct {
	ports.Sessions
	bulletin ports.Bulletin
}

func (l posting) Refresh(ctx context.Context, t domain.RefreshToken, now time.Time, p domain.SessionPolicy) (domain.Refreshed, error) {
	got, err := l.Sessions.Refresh(ctx, t, now, p)
	if err == nil && got.Verdict == domain.Reused {
		err = l.bulletin.Post(ctx, domain.Change{Kind: domain.SessionEnded, Subject: string(t.Session), At: now})
	}
	return got, err
}

type pager struct{ ports.Bulletin }

func (l pager) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	news, next, err := l.Bulletin.News(ctx, mark)
	return news[:min(len(news), 500)], next, err
}

type earlyForgetter struct{ ports.Bulletin }

func (l earlyForgetter) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	return l.Bulletin.Forget(ctx, t.Add(time.Microsecond), limit)
}

type greedyForgetter struct{ ports.Bulletin }

func (l greedyForgetter) Forget(ctx context.Context, t time.Time, _ int) (int, error) {
	return l.Bulletin.Forget(ctx, t, 1000)
}

type countlessForgetter struct{ ports.Bulletin }

func (l countlessForgetter) Forget(ctx context.Context, t time.Time, limit int) (int, error) {
	_, err := l.Bulletin.Forget(ctx, t, limit)
	return 0, err
}

type newsSharer struct {
	ports.Bulletin
	memory *sync.Map
}

func (l newsSharer) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	news, next, err := l.Bulletin.News(ctx, mark)
	shared, _ := l.memory.LoadOrStore(spell(news), news)
	return shared.([]domain.Change), next, err
}

type postSharer struct {
	ports.Bulletin
	memory *sync.Map
}

func (l postSharer) Post(ctx context.Context, list ...domain.Change) error {
	for i, c := range list {
		c.At = c.At.UTC()
		l.memory.Store(spell(c), &list[i])
	}
	return l.Bulletin.Post(ctx, list...)
}

func (l postSharer) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	news, next, err := l.Bulletin.News(ctx, mark)
	for i, c := range news {
		if kept, ok := l.memory.Load(spell(c)); ok {
			news[i] = *kept.(*domain.Change)
			news[i].At = news[i].At.UTC()
		}
	}
	return news, next, err
}

type tirelessListener struct{ ports.Bulletin }

func (l tirelessListener) News(ctx context.Context, mark domain.Mark) ([]domain.Change, domain.Mark, error) {
	return l.Bulletin.News(context.WithoutCancel(ctx), mark)
}

type boaster struct{ ports.Bulletin }

func (l boaster) Posted(ctx context.Context, kind domain.ChangeKind, subject string) (bool, error) {
	_, err := l.Bulletin.Posted(ctx, kind, subject)
	return err == nil, err
}

type kindBlind struct{ ports.Bulletin }

func (l kindBlind) Posted(ctx context.Context, _ domain.ChangeKind, subject string) (bool, error) {
	news, _, err := l.News(ctx, "")
	return slices.ContainsFunc(news, func(c domain.Change) bool { return c.Subject == subject }), err
}

// elephant knows what it was ever asked about with success.
type elephant struct {
	ports.Bulletin
	memory *sync.Map
}

func (l elephant) Posted(ctx context.Context, kind domain.ChangeKind, subject string) (bool, error) {
	posted, err := l.Bulletin.Posted(ctx, kind, subject)
	if posted {
		l.memory.Store(subject, kind)
	}
	known, _ := l.memory.Load(subject)
	return posted || known == kind && err == nil, err
}
