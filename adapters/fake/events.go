package fake

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/keyport-go/keyport/domain"
)

type events struct{ desk desk }

// News goes by the number of an event, which is its mark. Transactions take turns,
// so none commits late.
func (r events) News(ctx context.Context, mark domain.Mark, limit int) (news []domain.Event, err error) {
	err = r.desk.do(ctx, "events.news", func(t *tables) error {
		for _, e := range t.events {
			if len(news) < limit && number(string(e.Mark)) > number(string(mark)) {
				news = append(news, e)
			}
		}
		return nil
	})
	return news, err
}

func (r events) Latest(ctx context.Context) (mark domain.Mark, err error) {
	err = r.desk.do(ctx, "events.latest", func(t *tables) error {
		mark = markOf(t.told)
		return nil
	})
	return mark, err
}

func (r events) Forget(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = r.desk.do(ctx, "events.forget", func(t *tables) error {
		t.events = slices.DeleteFunc(slices.Clone(t.events), func(e domain.Event) bool {
			if n < limit && e.At.Before(before) {
				n++
				return true
			}
			return false
		})
		return nil
	})
	return n, err
}

// tell keeps an event, if it has a time.
func (t *tables) tell(e domain.Event) {
	if e.At.IsZero() {
		return
	}
	t.told++
	e.Mark, e.At = markOf(t.told), stamp(e.At)
	t.events = append(t.events, e)
}

// markOf returns the mark of the nth event.
func markOf(n int) domain.Mark { return domain.Mark(strconv.Itoa(n)) }
