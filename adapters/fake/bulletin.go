package fake

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type bulletin struct{ desk desk }

func (r bulletin) Post(ctx context.Context, changes ...domain.Change) error {
	return r.desk.do(ctx, "bulletin.post", func(t *tables) error {
		t.post(changes...)
		return nil
	})
}

// News marks a place by how many changes stand before it. Transactions take
// turns, so none commits late.
func (r bulletin) News(ctx context.Context, mark domain.Mark) (news []domain.Change, next domain.Mark, err error) {
	err = r.desk.do(ctx, "bulletin.news", func(t *tables) error {
		read, _ := strconv.Atoi(string(mark))
		news = slices.Clone(t.changes[min(max(read-t.forgotten, 0), len(t.changes)):])
		next = domain.Mark(strconv.Itoa(t.forgotten + len(t.changes)))
		return nil
	})
	return news, next, err
}

func (r bulletin) Posted(ctx context.Context, kind domain.ChangeKind, subject string) (posted bool, err error) {
	err = r.desk.do(ctx, "bulletin.posted", func(t *tables) error {
		posted = slices.ContainsFunc(t.changes, func(c domain.Change) bool { return c.Kind == kind && c.Subject == subject })
		return nil
	})
	return posted, err
}

func (r bulletin) Forget(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = r.desk.do(ctx, "bulletin.forget", func(t *tables) error {
		kept := slices.DeleteFunc(slices.Clone(t.changes), func(c domain.Change) bool {
			if n < limit && c.At.Before(before) {
				n++
				return true
			}
			return false
		})
		t.changes, t.forgotten = kept, t.forgotten+n
		return nil
	})
	return n, err
}

func (t *tables) post(changes ...domain.Change) {
	for _, c := range changes {
		c.At = stamp(c.At)
		t.changes = append(t.changes, c)
	}
}
