package porttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

var bulletin = []clause[ports.Store]{
	{
		"a change is heard as it was posted",
		"A Bulletin is where replicas hear what was revoked.",
		func(ctx context.Context, s ports.Store) error {
			elsewhere := s.Bulletin()
			removed := domain.Change{Kind: domain.AuthorityRaised, Subject: string(accountID(3)), Value: domain.MaxAuthority, At: noon.Add(-time.Microsecond)}
			return errors.Join(
				hears()(s.Bulletin().News(ctx, "")),
				s.Bulletin().Post(ctx, ending(1, noon)),
				hears(ending(1, noon))(elsewhere.News(ctx, "")),
				s.Bulletin().Post(ctx, removed),
				s.Bulletin().Post(ctx, change(2)),
				hears(ending(1, noon), removed, change(2))(elsewhere.News(ctx, "")),
			)
		},
	},
	{
		"several changes are posted, or none",
		"Post writes changes.",
		func(ctx context.Context, s ports.Store) error {
			return errors.Join(
				s.Bulletin().Post(ctx),
				hears()(s.Bulletin().News(ctx, "")),
				s.Bulletin().Post(ctx, change(1), ending(1, noon), change(2)),
				s.Bulletin().Post(ctx),
				hears(change(1), ending(1, noon), change(2))(s.Bulletin().News(ctx, "")),
			)
		},
	},
	{
		"the changes of one call are heard together",
		"Called on a Store itself, each repository method stands alone: it happens wholly or not at all",
		func(ctx context.Context, s ports.Store) error {
			errs := race(func(i int) error {
				if i%4 == 0 {
					return s.Bulletin().Post(ctx, change(2*i), change(2*i+1))
				}
				for range 4 {
					news, _, err := s.Bulletin().News(ctx, "")
					if err != nil {
						return err
					}
					for i := range contenders {
						if slices.Contains(news, change(2*i)) != slices.Contains(news, change(2*i+1)) {
							return errors.New("one of two changes that were posted by one call is news, and the other is not")
						}
					}
				}
				return nil
			})
			return errors.Join(errs...)
		},
	},
	{
		"there is no change without its cause, nor a cause without its change",
		"It belongs into the transaction of their cause, so that there is never one without the other.",
		causes,
	},
	{
		"what failed is no news",
		"It belongs into the transaction of their cause, so that there is never one without the other.",
		func(ctx context.Context, s ports.Store) error {
			var reader listener
			boom := errors.New("boom")
			err := errors.Join(s.Bulletin().Post(ctx, change(1)), reader.listen(ctx, s))
			failed := s.Atomically(ctx, func(tx ports.Repositories) error {
				return cmp.Or(tx.Bulletin().Post(ctx, change(2), change(3)), boom)
			})
			if !errors.Is(failed, boom) {
				return fmt.Errorf("Atomically did not return the error of f: %w", failed)
			}
			return errors.Join(
				err,
				reader.listen(ctx, s),
				s.Bulletin().Post(ctx, change(4)),
				reader.listen(ctx, s),
				reader.has(change(1), change(4)),
				hears(change(1), change(4))(s.Bulletin().News(ctx, "")),
			)
		},
	},
	{
		"who goes from mark to mark hears all",
		"News returns the changes that were committed since mark was made, in no particular order, and a new mark; some may be returned again.",
		func(ctx context.Context, s ports.Store) error {
			// One listens to everything, another now and then, a third begins late and
			// loses an answer, so that it asks by the same mark again.
			var one, two, three listener
			var all []domain.Change
			for n := range 9 {
				all = append(all, change(n))
				err := errors.Join(one.listen(ctx, s), s.Bulletin().Post(ctx, change(n)), one.listen(ctx, s), one.listen(ctx, s), one.has(all...))
				if n%3 == 2 {
					err = errors.Join(err, two.listen(ctx, s), two.has(all...))
				}
				if n > 4 {
					lost := three
					err = errors.Join(err, lost.listen(ctx, s), lost.has(all...), three.listen(ctx, s), three.has(all...))
				}
				if err != nil {
					return fmt.Errorf("after change %d: %w", n, err)
				}
			}
			return nil
		},
	},
	{
		"news are what was committed since, whenever the cause was",
		"News returns the changes that were committed since mark was made",
		func(ctx context.Context, s ports.Store) error {
			// Clocks of replicas differ.
			var reader listener
			return errors.Join(
				s.Bulletin().Post(ctx, change(2)),
				reader.listen(ctx, s),
				s.Bulletin().Post(ctx, change(1)),
				reader.listen(ctx, s),
				s.Bulletin().Post(ctx, ending(1, change(2).At)),
				reader.listen(ctx, s),
				reader.has(change(1), change(2), ending(1, change(2).At)),
			)
		},
	},
	{
		"who goes from mark to mark while many post hears all",
		"News returns the changes that were committed since mark was made",
		crowd,
	},
	{
		"a change whose transaction takes long is heard",
		"No change is left out, however long its transaction took to commit.",
		late,
	},
	{
		"all that is kept can be heard",
		"With the mark \"\" it returns all changes that are kept.",
		func(ctx context.Context, s ports.Store) error {
			all := make([]domain.Change, 1000)
			for n := range all {
				all[n] = change(n)
			}
			return errors.Join(
				s.Bulletin().Post(ctx, all...),
				hears(all...)(s.Bulletin().News(ctx, "")),
				hears(all...)(s.Bulletin().News(ctx, "")),
				reads(400)(s.Bulletin().Forget(ctx, all[400].At, len(all))),
				hears(all[400:]...)(s.Bulletin().News(ctx, "")),
			)
		},
	},
	{
		"it is known what was posted",
		"Posted reports whether a change of the kind about the subject is kept.",
		func(ctx context.Context, s ports.Store) error {
			boom := errors.New("boom")
			one, two := refusal(1), refusal(2)
			two.At = one.At.Add(time.Second)
			posted := func(r ports.Repositories, want bool, kind domain.ChangeKind, subject string) error {
				if err := reads(want)(r.Bulletin().Posted(ctx, kind, subject)); err != nil {
					return fmt.Errorf("%s of %q: %w", kind, subject, err)
				}
				return nil
			}
			err := errors.Join(
				posted(s, false, one.Kind, one.Subject),
				s.Bulletin().Post(ctx, one, two, one, ending(3, noon)),
				posted(s, true, one.Kind, one.Subject),
				posted(s, true, two.Kind, two.Subject),
				posted(s, true, domain.SessionEnded, string(sessionID(3))),
				posted(s, false, domain.SessionEnded, one.Subject),
				posted(s, false, domain.AuthorityRaised, one.Subject),
				posted(s, false, one.Kind, refusal(3).Subject),
				posted(s, false, one.Kind, one.Subject[1:]),
				posted(s, false, one.Kind, ""),
				s.Atomically(ctx, func(tx ports.Repositories) error {
					return errors.Join(
						posted(tx, true, one.Kind, one.Subject),
						tx.Bulletin().Post(ctx, refusal(4)),
						posted(tx, true, one.Kind, refusal(4).Subject),
					)
				}),
				posted(s, true, one.Kind, refusal(4).Subject),
			)
			if failed := s.Atomically(ctx, func(tx ports.Repositories) error {
				return cmp.Or(tx.Bulletin().Post(ctx, refusal(5)), boom)
			}); !errors.Is(failed, boom) {
				err = errors.Join(err, fmt.Errorf("Atomically did not return the error of f: %w", failed))
			}
			_, forgot := s.Bulletin().Forget(ctx, two.At, 9)
			return errors.Join(
				err, forgot,
				posted(s, false, one.Kind, refusal(5).Subject),
				posted(s, false, one.Kind, one.Subject),
				posted(s, true, two.Kind, two.Subject),
			)
		},
	},
	{
		"changes that are of no interest any more are forgotten",
		"Forget drops at most limit changes whose cause was before t, and says how many.",
		func(ctx context.Context, s ports.Store) error {
			// Which ones are dropped is the store's to choose.
			err := errors.Join(
				s.Bulletin().Post(ctx, change(3), change(1), change(2)),
				reads(0)(s.Bulletin().Forget(ctx, change(1).At, 9)),
				reads(0)(s.Bulletin().Forget(ctx, change(3).At, 0)),
				hears(change(1), change(2), change(3))(s.Bulletin().News(ctx, "")),
				reads(1)(s.Bulletin().Forget(ctx, change(3).At, 1)),
			)
			left, _, err2 := s.Bulletin().News(ctx, "")
			if slices.Contains(left, change(1)) == slices.Contains(left, change(2)) {
				err = errors.Join(err, fmt.Errorf("one of two was to be forgotten, and there are\n\t%s", spell(left)))
			}
			return errors.Join(
				err, err2,
				reads(1)(s.Bulletin().Forget(ctx, change(3).At, 9)),
				reads(0)(s.Bulletin().Forget(ctx, change(3).At, 9)),
				hears(change(3))(s.Bulletin().News(ctx, "")),
			)
		},
	},
	{
		"what comes after a forgetting is news",
		"News returns the changes that were committed since mark was made",
		func(ctx context.Context, s ports.Store) error {
			// Marks were made before all that is there, in the midst of it and behind
			// it, and then some of it is forgotten, and then all.
			var first, midst, last listener
			err := errors.Join(
				first.listen(ctx, s),
				s.Bulletin().Post(ctx, change(1), change(2), change(6)),
				midst.listen(ctx, s),
				s.Bulletin().Post(ctx, change(3), change(7)),
				last.listen(ctx, s),
				reads(3)(s.Bulletin().Forget(ctx, change(4).At, 9)),
				s.Bulletin().Post(ctx, change(8)),
				first.listen(ctx, s), first.has(change(6), change(7), change(8)),
				midst.listen(ctx, s), midst.hasAlso(change(7), change(8)),
				last.listen(ctx, s), last.hasAlso(change(8)),
				reads(3)(s.Bulletin().Forget(ctx, change(9).At, 9)),
				s.Bulletin().Post(ctx, change(9)),
			)
			for _, reader := range []*listener{&first, &midst, &last} {
				err = errors.Join(err, reader.listen(ctx, s), reader.hasAlso(change(9)))
			}
			return errors.Join(err, hears(change(9))(s.Bulletin().News(ctx, "")))
		},
	},
}

// change returns the nth change; their causes were one after another.
func change(n int) domain.Change {
	return domain.Change{
		Kind: domain.AuthorityRaised, Subject: string(accountID(n)), Value: int64(n) + 1, At: noon.Add(time.Duration(n) * time.Microsecond),
	}
}

// refusal returns the change that tells that the nth access token is refused.
func refusal(n int) domain.Change {
	return domain.Change{Kind: domain.TokenRefused, Subject: uuid(6, n), At: noon}
}

// ending returns the change that tells the end of the nth session.
func ending(n int, at time.Time) domain.Change {
	return domain.Change{Kind: domain.SessionEnded, Subject: string(sessionID(n)), At: at}
}

// hears takes what News returned and fails unless it is want, in any order and
// however often.
func hears(want ...domain.Change) func([]domain.Change, domain.Mark, error) error {
	return func(got []domain.Change, _ domain.Mark, err error) error { return reads(want)(got, err) }
}

// misses fails if one of want has not been heard.
func misses(heard []domain.Change, want ...domain.Change) error {
	for _, c := range want {
		if !slices.Contains(heard, c) {
			return fmt.Errorf("what was heard is\n\t%s\nwithout\n\t%s", brief(spell(heard)), spell(c))
		}
	}
	return nil
}

// hasNews fails unless all of want is on the bulletin.
func hasNews(ctx context.Context, s ports.Store, want ...domain.Change) error {
	news, _, err := s.Bulletin().News(ctx, "")
	return errors.Join(err, misses(news, want...))
}

// A listener goes from mark to mark, as a replica does.
type listener struct {
	mark  domain.Mark
	heard []domain.Change
}

func (l *listener) listen(ctx context.Context, s ports.Store) error {
	news, mark, err := s.Bulletin().News(ctx, l.mark)
	if err != nil {
		return err
	}
	l.mark, l.heard = mark, append(l.heard, news...)
	return nil
}

// has fails unless what was heard is want.
func (l *listener) has(want ...domain.Change) error { return same(l.heard, want) }

// hasAlso fails unless want is among what was heard.
func (l *listener) hasAlso(want ...domain.Change) error { return misses(l.heard, want...) }

// causes adds accounts and posts changes in transactions, some of which fail,
// while others look whether ever an account is there and not news, or news and
// not there.
func causes(ctx context.Context, s ports.Store) error {
	boom := errors.New("boom")
	var want []domain.Change
	for i := range contenders {
		if i%8 == 0 {
			want = append(want, change(i))
		}
	}
	errs := race(func(i int) error {
		if i%4 == 0 {
			var purpose error
			if i%8 != 0 {
				purpose = boom
			}
			err := s.Atomically(ctx, func(tx ports.Repositories) error {
				if err := errors.Join(tx.Accounts().Add(ctx, account(i, fmt.Sprintf("user %d", i)), hash(i)), tx.Bulletin().Post(ctx, change(i))); err != nil {
					return err
				}
				return purpose
			})
			if !errors.Is(err, purpose) {
				return fmt.Errorf("Atomically did not return the error of f: %w", err)
			}
			return nil
		}
		for range 4 {
			if err := paired(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(errors.Join(errs...), paired(ctx, s), hears(want...)(s.Bulletin().News(ctx, "")))
}

// paired fails if an account is there and its change is no news, or the other way
// round.
func paired(ctx context.Context, s ports.Store) error {
	before, _, err := s.Bulletin().News(ctx, "")
	list, err2 := s.Accounts().List(ctx, "", contenders)
	after, _, err3 := s.Bulletin().News(ctx, "")
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	for i := range contenders {
		id, cause := accountID(i), change(i)
		there := slices.ContainsFunc(list, func(a domain.Account) bool { return a.ID == id })
		if !there && slices.Contains(before, cause) {
			return fmt.Errorf("change %d is news without its cause", i)
		}
		if there && !slices.Contains(after, cause) {
			return fmt.Errorf("the cause of change %d is there, and it is no news", i)
		}
	}
	return nil
}

// crowd posts by many, alone and in transactions of which some fail, while one
// goes from mark to mark until all are done, and once more.
func crowd(ctx context.Context, s ports.Store) error {
	const each = 8
	boom := errors.New("boom")
	var reader listener
	var posting atomic.Int64
	posting.Store(contenders - 1)
	errs := race(func(i int) error {
		if i == 0 {
			for posting.Load() > 0 {
				if err := reader.listen(ctx, s); err != nil {
					return err
				}
			}
			return reader.listen(ctx, s)
		}
		defer posting.Add(-1)
		for n := range each {
			c := change(i*each + n)
			var err error
			switch n % 4 {
			case 0:
				err = s.Bulletin().Post(ctx, c)
			case 3:
				err = s.Atomically(ctx, func(tx ports.Repositories) error { return cmp.Or(tx.Bulletin().Post(ctx, c), boom) })
				if errors.Is(err, boom) {
					err = nil
				}
			default:
				err = s.Atomically(ctx, func(tx ports.Repositories) error { return tx.Bulletin().Post(ctx, c) })
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	var want []domain.Change
	for n := each; n < contenders*each; n++ {
		if n%4 != 3 {
			want = append(want, change(n))
		}
	}
	return errors.Join(errors.Join(errs...), reader.has(want...))
}

// late posts a change in a transaction, and another one beside it, whose poster
// goes from mark to mark. Where the store lets them, the second is committed and
// heard first; the first is heard all the same. Where a store's transactions take
// turns the second waits, so the transaction gives it a while, and no more.
func late(ctx context.Context, s ports.Store) error {
	const while = 200
	var reader listener
	var want []domain.Change
	for n := range 8 {
		slow, quick := change(2*n), change(2*n+1)
		want = append(want, slow, quick)
		var beside sync.WaitGroup
		var once sync.Once
		var err2 error
		done := make(chan struct{})
		err := s.Atomically(ctx, func(tx ports.Repositories) error {
			if err := tx.Bulletin().Post(ctx, slow); err != nil {
				return err
			}
			once.Do(func() {
				beside.Go(func() {
					defer close(done)
					err2 = errors.Join(reader.listen(ctx, s), s.Bulletin().Post(ctx, quick), reader.listen(ctx, s))
				})
			})
			for range while {
				select {
				case <-done:
					return nil
				default:
				}
				runtime.Gosched()
				if _, err := tx.Accounts().List(ctx, "", 1); err != nil {
					return err
				}
			}
			return nil
		})
		beside.Wait()
		if err := errors.Join(err, err2, reader.listen(ctx, s), reader.has(want...)); err != nil {
			return fmt.Errorf("round %d: %w", n, err)
		}
	}
	return nil
}
