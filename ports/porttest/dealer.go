package porttest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/ports"
)

// A dealer makes up moves. It takes what it names from small sets, so that moves
// meet: recent accounts and sessions, two collections, ten records. Where a move
// wants a revision or a counter, it reads the one that the store has, and now and
// then misses it.
type dealer struct {
	*rand.Rand
	accounts, sessions, accessKeys, edits int       // so many were named so far
	account, session, accessKey           int       // the last that were named
	posted                                time.Time // when the cause was of the last change
}

// modelPolicy has lives that are short, so that moves come up against them.
var modelPolicy = domain.SessionPolicy{Idle: time.Hour, Max: 4 * time.Hour, Grace: time.Minute}

func (d *dealer) deal() move {
	d.edits++
	kinds := []struct {
		share int
		deal  func() move
	}{
		{4, d.addAccount},
		{1, d.readAccount},
		{1, d.readLogin},
		{1, d.listAccounts},
		{1, d.readAccounts},
		{2, d.setLogins},
		{2, d.update},
		{1, d.setCredential},
		{1, d.rehash},
		{1, d.removeAccount},
		{10, d.open},
		{20, d.refresh},
		{2, d.stopRenewal},
		{2, d.authority},
		{2, d.listSessions},
		{1, d.end},
		{1, d.endAll},
		{3, d.saw},
		{1, d.prune},
		{7, d.addAccessKey},
		{2, d.readAccessKey},
		{2, d.listAccessKeys},
		{1, d.endAccessKey},
		{1, d.endAccessKeys},
		{4, d.sawAccessKeys},
		{2, d.pruneAccessKeys},
		{2, d.addCollection},
		{2, d.replaceCollection},
		{1, d.holdCollection},
		{1, d.removeCollection},
		{1, d.readCollection},
		{9, d.addRecord},
		{1, d.readRecord},
		{9, d.listRecords},
		{3, d.countRecords},
		{6, d.replaceRecord},
		{2, d.removeRecord},
		{3, d.enterRecords},
		{1, d.forgetEvents},
		{2, d.keepReceipt},
		{1, d.claimReceipt},
		{1, d.forgetReceipts},
		{3, d.advance},
		{1, d.forgetImports},
		{2, d.settle},
		{1, d.listKeys},
		{1, d.reseal},
		{1, d.drop},
		{3, d.number},
		{1, d.readNumber},
		{1, d.listNumbers},
		{3, d.post},
		{1, d.readPosted},
		{1, d.news},
		{1, d.forget},
	}
	all := 0
	for _, k := range kinds {
		all += k.share
	}
	n := d.IntN(all)
	i := 0
	for ; n >= kinds[i].share; i++ {
		n -= kinds[i].share
	}
	return kinds[i].deal()
}

// at is the time of a move: later than those of the moves before.
func (d *dealer) at() time.Time { return noon.Add(time.Duration(d.edits) * 1000003 * time.Microsecond) }

// again names the same one as before, or one of the last few of n, or one that is
// not there yet.
func (d *dealer) again(last *int, n int) int {
	if d.IntN(2) == 0 {
		*last = max(1, n+1-d.IntN(6))
	}
	return *last
}

func (d *dealer) anAccount() domain.AccountID { return accountID(d.again(&d.account, d.accounts)) }
func (d *dealer) aSession() domain.SessionID  { return sessionID(d.again(&d.session, d.sessions)) }
func (d *dealer) anAccessKey() domain.AccessKeyID {
	return accessKeyID(d.again(&d.accessKey, d.accessKeys))
}
func (d *dealer) aRecord() domain.RecordID { return recordID(d.IntN(10)) }

func (d *dealer) aCollection() domain.CollectionName {
	return []domain.CollectionName{"ships", "ships", "a_b"}[d.IntN(3)]
}

// miss is how far a move is from the revision that it wants.
func (d *dealer) miss() domain.Revision {
	return []domain.Revision{0, 0, 0, 0, 0, 0, 0, -1, 1}[d.IntN(9)]
}

func (d *dealer) aLogin() domain.Login {
	return login([]string{"ada", "Ada", "Straße", "STRASSE", "bob", "carol", "ada@example.com", "ADA@example.com", "bob@example.com"}[d.IntN(9)])
}

// logins are of the nth account's own, or one that others want too.
func (d *dealer) logins(n int) []domain.Login {
	own := login(fmt.Sprintf("user %d", n))
	return [][]domain.Login{{own}, {own, login(fmt.Sprintf("user%d@example.com", d.IntN(50)))}, {d.aLogin()}}[d.IntN(3)]
}

func (d *dealer) roles() []domain.Role {
	return [][]domain.Role{nil, {"admin"}, {"admin", "editor"}, {"author"}}[d.IntN(4)]
}

func (d *dealer) aDocument() domain.Document {
	return document(fmt.Sprintf([]string{
		`{"n":%d}`, `{"n":%d.0,"e/mail":"ada@example.com"}`, `{"n":1e%d,"list":[null,true,{}]}`, `{"name":"Zoë %d","speed":3}`,
		`{"n":"%d","name":"The Black Pearl","crew":{"tags":["Zoë","black cat"]}}`, `{"speed":%d.5,"name":"black","n":null}`,
	}[d.IntN(6)], d.IntN(50)))
}

func (d *dealer) unique() (keys []domain.UniqueKey) {
	for _, field := range []string{"number", "e/mail"} {
		if d.IntN(3) > 0 {
			keys = append(keys, uniqueKey(field, byte(d.IntN(6))))
		}
	}
	return keys
}

// limit is short, or long enough for all.
func (d *dealer) limit() int { return []int{1, 2, 3, moves}[d.IntN(4)] }

func (d *dealer) addAccount() move {
	d.accounts++
	a := account(d.accounts)
	a.Name, a.Roles, a.Created, a.Changed = fmt.Sprintf("Zoë %d", d.accounts), d.roles(), d.at(), d.at()
	a.Logins = d.logins(d.accounts)
	return move{"add " + spell(a), func(ctx context.Context, r ports.Repositories) string {
		return outcome(r.Accounts().Add(ctx, a, hash(1)))
	}}
}

func (d *dealer) readAccount() move {
	id := d.anAccount()
	return move{fmt.Sprintf("read account %s", id), func(ctx context.Context, r ports.Repositories) string {
		a, err := r.Accounts().ByID(ctx, id)
		c, err2 := r.Accounts().Credential(ctx, id)
		return answer(a, err) + ", " + answer(c, err2)
	}}
}

func (d *dealer) readLogin() move {
	l := d.aLogin()
	return move{fmt.Sprintf("read login %s", l), func(ctx context.Context, r ports.Repositories) string {
		a, c, err := r.Accounts().ByLogin(ctx, l)
		return answer(a, err) + ", " + answer(c, err)
	}}
}

func (d *dealer) listAccounts() move {
	after, limit := d.anAccount(), d.limit()
	return move{fmt.Sprintf("list %d accounts after %s", limit, after), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Accounts().List(ctx, after, limit))
	}}
}

func (d *dealer) readAccounts() move {
	ids := some(d, d.anAccount)
	return move{fmt.Sprintf("read accounts %s", ids), func(ctx context.Context, r ports.Repositories) string {
		list, err := r.Accounts().ByIDs(ctx, ids)
		slices.SortFunc(list, func(a, b domain.Account) int { return cmp.Compare(a.ID, b.ID) })
		return answer(list, err)
	}}
}

func (d *dealer) setLogins() move {
	a := domain.Account{ID: d.anAccount(), Logins: d.logins(d.account), Changed: d.at()}
	miss, whatever := d.miss(), d.IntN(2) == 0
	return move{fmt.Sprintf("set logins %s, missing by %d, whatever: %t", spell(a), miss, whatever), func(ctx context.Context, r ports.Repositories) string {
		old, _ := r.Accounts().ByID(ctx, a.ID)
		rev := old.Revision + miss
		if whatever {
			rev = 0
		}
		return outcome(r.Accounts().SetLogins(ctx, a.ID, rev, a.Logins, a.Changed))
	}}
}

func (d *dealer) update() move {
	a := domain.Account{ID: d.anAccount(), Name: "another", Roles: d.roles(), Status: domain.Active, Authority: d.Int64N(1 << 60), Changed: d.at()}
	if d.IntN(4) == 0 {
		a.Status = domain.Suspended
	}
	miss := d.miss()
	return move{fmt.Sprintf("update %s, missing by %d", spell(a), miss), func(ctx context.Context, r ports.Repositories) string {
		old, _ := r.Accounts().ByID(ctx, a.ID)
		return outcome(r.Accounts().Update(ctx, revised(a, old.Revision+miss)))
	}}
}

func (d *dealer) setCredential() move {
	c, miss, at := domain.Credential{Account: d.anAccount(), Hash: hash(d.IntN(99))}, d.miss(), d.at()
	return move{fmt.Sprintf("set %s, missing by %d", spell(c), miss), func(ctx context.Context, r ports.Repositories) string {
		old, _ := r.Accounts().Credential(ctx, c.Account)
		c := c
		c.Revision = old.Revision + miss
		return outcome(r.Accounts().SetCredential(ctx, c, at))
	}}
}

func (d *dealer) rehash() move {
	c, miss := domain.Credential{Account: d.anAccount(), Hash: hash(d.IntN(99))}, d.miss()
	return move{fmt.Sprintf("rehash %s, missing by %d", spell(c), miss), func(ctx context.Context, r ports.Repositories) string {
		old, _ := r.Accounts().Credential(ctx, c.Account)
		c := c
		c.Revision = old.Revision + miss
		return outcome(r.Accounts().Rehash(ctx, c))
	}}
}

func (d *dealer) removeAccount() move {
	id, miss, whatever := d.anAccount(), d.miss(), d.IntN(2) == 0
	return move{fmt.Sprintf("remove account %s, missing by %d, whatever: %t", id, miss, whatever), func(ctx context.Context, r ports.Repositories) string {
		old, _ := r.Accounts().ByID(ctx, id)
		rev := old.Revision + miss
		if whatever {
			rev = 0
		}
		return outcome(r.Accounts().Remove(ctx, id, rev))
	}}
}

func (d *dealer) open() move {
	d.sessions++
	s := domain.Session{ID: sessionID(d.sessions), Account: d.anAccount(), Created: d.at(), Used: d.at(), Ends: d.at().Add(modelPolicy.Max), Device: "Zoë’s", Renewal: d.renewal(), Seen: d.at(), Address: d.address()}
	miss := d.miss()
	return move{fmt.Sprintf("open %s, missing by %d", spell(s), miss), func(ctx context.Context, r ports.Repositories) string {
		c, _ := r.Accounts().Credential(ctx, s.Account)
		return answer(r.Sessions().Open(ctx, s, c.Revision+miss))
	}}
}

func (d *dealer) renewal() domain.Renewal {
	return []domain.Renewal{domain.Rotating, domain.Rotating, domain.Rotating, domain.Rotating, domain.Reusable, domain.NoMore}[d.IntN(6)]
}

func (d *dealer) stopRenewal() move {
	id, account, own, after := d.aSession(), d.anAccount(), d.IntN(4) > 0, d.beforeEnd()
	return move{fmt.Sprintf("stop renewal of %s of %s, or of its own: %t, %v after its end", id, account, own, after), func(ctx context.Context, r ports.Repositories) string {
		s := found(ctx, r, id)
		if own {
			account = cmp.Or(s.Account, account)
		}
		return outcome(r.Sessions().StopRenewal(ctx, account, id, s.Ends.Add(after)))
	}}
}

func (d *dealer) refresh() move {
	id := d.aSession()
	miss := []domain.Counter{0, 0, 0, -1, -1, -1, -2, 1}[d.IntN(8)]
	after := []time.Duration{
		0, time.Second, time.Minute - time.Microsecond, time.Minute, time.Minute, time.Hour - time.Microsecond, time.Hour, 4 * time.Hour,
	}[d.IntN(8)]
	return move{fmt.Sprintf("refresh %s, missing by %d, %v after its use", id, miss, after), func(ctx context.Context, r ports.Repositories) string {
		s := found(ctx, r, id)
		return answer(r.Sessions().Refresh(ctx, domain.RefreshToken{Session: id, Counter: max(0, s.Counter+miss)}, s.Used.Add(after), modelPolicy))
	}}
}

// found returns a session as the store has it, or one that was used and seen, and
// due to end, at noon.
func found(ctx context.Context, r ports.Repositories, id domain.SessionID) domain.Session {
	if au, err := r.Sessions().Authority(ctx, id, noon); err == nil {
		list, _ := r.Sessions().List(ctx, au.Account, noon, "", moves)
		for _, s := range list {
			if s.ID == id {
				return s
			}
		}
	}
	return domain.Session{ID: id, Used: noon, Ends: noon, Seen: noon}
}

// beforeEnd is a while before or after a session is due to end.
func (d *dealer) beforeEnd() time.Duration {
	return []time.Duration{-time.Hour, -time.Microsecond, 0, time.Microsecond}[d.IntN(4)]
}

func (d *dealer) authority() move {
	id, after := d.aSession(), d.beforeEnd()
	return move{fmt.Sprintf("authority of %s, %v after its end", id, after), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Sessions().Authority(ctx, id, found(ctx, r, id).Ends.Add(after)))
	}}
}

func (d *dealer) listSessions() move {
	id, after, limit := d.aSession(), d.beforeEnd(), d.limit()
	account, from := d.anAccount(), d.aSession()
	if d.IntN(2) == 0 {
		from = ""
	}
	return move{fmt.Sprintf("list %d sessions of %s, or of whose %s is, after %q, %v after its end", limit, account, id, from, after), func(ctx context.Context, r ports.Repositories) string {
		s := found(ctx, r, id)
		return answer(r.Sessions().List(ctx, cmp.Or(s.Account, account), s.Ends.Add(after), from, limit))
	}}
}

func (d *dealer) end() move {
	id, account, own := d.aSession(), d.anAccount(), d.IntN(4) > 0
	return move{fmt.Sprintf("end %s of %s, or of its own: %t", id, account, own), func(ctx context.Context, r ports.Repositories) string {
		if s := found(ctx, r, id); own && s.Account != "" {
			return outcome(r.Sessions().End(ctx, s.Account, id))
		}
		return outcome(r.Sessions().End(ctx, account, id))
	}}
}

func (d *dealer) endAll() move {
	account, except, own := d.anAccount(), d.aSession(), d.IntN(2) == 0
	return move{fmt.Sprintf("end all of %s but %s, or all but it of its own: %t", account, except, own), func(ctx context.Context, r ports.Repositories) string {
		if s := found(ctx, r, except); own && s.Account != "" {
			return endedAll(r.Sessions().EndAll(ctx, s.Account, except))
		}
		return endedAll(r.Sessions().EndAll(ctx, account, ""))
	}}
}

// endedAll says which sessions were ended; their order is the store's to choose.
func endedAll(ids []domain.SessionID, err error) string {
	slices.Sort(ids)
	return answer(ids, err)
}

// after is how much later than the last sighting a sighting is.
func (d *dealer) after() time.Duration {
	return []time.Duration{
		domain.SightingInterval, domain.SightingInterval, time.Hour, domain.SightingInterval - time.Microsecond, domain.SightingInterval - time.Microsecond, 0, -time.Hour,
	}[d.IntN(7)]
}

func (d *dealer) address() string {
	return []string{"192.0.2.1", "2001:db8::1", longAddress, ""}[d.IntN(4)]
}

// some returns a few things that a source names, each once.
func some[T comparable](d *dealer, name func() T) []T {
	var list []T
	for range 1 + d.IntN(3) {
		if x := name(); !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	return list
}

func (d *dealer) saw() move {
	ids, after, address := some(d, d.aSession), d.after(), d.address()
	return move{fmt.Sprintf("saw %s at %q, %v after the last time", ids, address, after), func(ctx context.Context, r ports.Repositories) string {
		var list []domain.Sighting[domain.SessionID]
		for _, id := range ids {
			list = append(list, sighting(id, found(ctx, r, id).Seen.Add(after), address))
		}
		return outcome(r.Sessions().Saw(ctx, list))
	}}
}

func (d *dealer) prune() move {
	// With a short limit it is open which ones are forgotten.
	id, after := d.aSession(), d.beforeEnd()
	return move{fmt.Sprintf("prune %v after the end of %s", after, id), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Sessions().Prune(ctx, found(ctx, r, id).Ends.Add(after), moves))
	}}
}

func (d *dealer) addAccessKey() move {
	d.accessKeys++
	k := domain.AccessKey{
		ID: accessKeyID(d.accessKeys), Account: d.anAccount(), Name: fmt.Sprintf("Zoë’s %d", d.accessKeys),
		Scopes: domain.Scopes()[d.IntN(5):], Digest: domain.AccessKeyDigest{0: byte(d.accessKeys)}, Created: d.at(),
	}
	if d.IntN(2) == 0 {
		k.Expires = d.at().Add(time.Duration(1+d.IntN(9)) * time.Minute)
	}
	last, back := d.again(&d.session, d.sessions), []int{0, 8, 8, 8}[d.IntN(4)]
	own, late, after := d.IntN(8) > 0, d.IntN(4) == 0, d.beforeEnd()
	text := fmt.Sprintf("add %s by %s, or one of the %d before that is there, of whose account: %t, %v after its end: %t", spell(k), sessionID(last), back, own, after, late)
	return move{text, func(ctx context.Context, r ports.Repositories) string {
		k, s := k, found(ctx, r, sessionID(last))
		for n := last - 1; s.Account == "" && n >= max(1, last-back); n-- {
			s = found(ctx, r, sessionID(n))
		}
		if own {
			k.Account = cmp.Or(s.Account, k.Account)
		}
		if late {
			k.Created = s.Ends.Add(after)
		}
		return outcome(r.AccessKeys().Add(ctx, k, s.ID))
	}}
}

// held returns an access key as the store has it, or one that expires, and was
// seen, at noon. One that does not expire, or was not seen, says noon too.
func held(ctx context.Context, r ports.Repositories, id domain.AccessKeyID) domain.AccessKey {
	k, _, err := r.AccessKeys().ByID(ctx, id, noon)
	if err != nil {
		k = domain.AccessKey{ID: id}
	}
	if k.Expires.IsZero() {
		k.Expires = noon
	}
	if k.Seen.IsZero() {
		k.Seen = noon
	}
	return k
}

func (d *dealer) readAccessKey() move {
	id, after := d.anAccessKey(), d.beforeEnd()
	return move{fmt.Sprintf("read access key %s, %v after it expires", id, after), func(ctx context.Context, r ports.Repositories) string {
		k, au, err := r.AccessKeys().ByID(ctx, id, held(ctx, r, id).Expires.Add(after))
		return answer(k, err) + ", " + answer(au, err)
	}}
}

func (d *dealer) listAccessKeys() move {
	id, after, limit := d.anAccessKey(), d.beforeEnd(), d.limit()
	account, from := d.anAccount(), d.anAccessKey()
	if d.IntN(2) == 0 {
		from = ""
	}
	return move{fmt.Sprintf("list %d access keys of %s, or of whose %s is, after %q, %v after it expires", limit, account, id, from, after), func(ctx context.Context, r ports.Repositories) string {
		k := held(ctx, r, id)
		return answer(r.AccessKeys().List(ctx, cmp.Or(k.Account, account), k.Expires.Add(after), from, limit))
	}}
}

func (d *dealer) endAccessKey() move {
	id, account, own := d.anAccessKey(), d.anAccount(), d.IntN(4) > 0
	return move{fmt.Sprintf("end access key %s of %s, or of its own: %t", id, account, own), func(ctx context.Context, r ports.Repositories) string {
		if k := held(ctx, r, id); own && k.Account != "" {
			return outcome(r.AccessKeys().End(ctx, k.Account, id))
		}
		return outcome(r.AccessKeys().End(ctx, account, id))
	}}
}

func (d *dealer) endAccessKeys() move {
	account := d.anAccount()
	return move{fmt.Sprintf("end all access keys of %s", account), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.AccessKeys().EndAll(ctx, account))
	}}
}

func (d *dealer) sawAccessKeys() move {
	ids, after, address := some(d, d.anAccessKey), d.after(), d.address()
	return move{fmt.Sprintf("saw access keys %s at %q, %v after the last time", ids, address, after), func(ctx context.Context, r ports.Repositories) string {
		var list []domain.Sighting[domain.AccessKeyID]
		for _, id := range ids {
			list = append(list, sighting(id, held(ctx, r, id).Seen.Add(after), address))
		}
		return outcome(r.AccessKeys().Saw(ctx, list))
	}}
}

func (d *dealer) pruneAccessKeys() move {
	// With a short limit it is open which ones are forgotten.
	id, after := d.anAccessKey(), d.beforeEnd()
	return move{fmt.Sprintf("prune access keys %v after %s expires", after, id), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.AccessKeys().Prune(ctx, held(ctx, r, id).Expires.Add(after), moves))
	}}
}

func (d *dealer) addCollection() move {
	c := collection(d.aCollection())
	c.Created, c.Changed = d.at(), d.at()
	return move{"add " + spell(c), func(ctx context.Context, r ports.Repositories) string {
		return outcome(r.Collections().Add(ctx, c))
	}}
}

func (d *dealer) replaceCollection() move {
	name, miss, at, kind := d.aCollection(), d.miss(), d.at(), d.IntN(8)
	return move{fmt.Sprintf("replace collection %s, missing by %d, part %d", name, miss, kind), func(ctx context.Context, r ports.Repositories) string {
		c, _ := r.Collections().ByName(ctx, name)
		c.Name, c.Created, c.Changed = name, at, at
		switch c.Revision += miss; kind {
		case 0:
			c.Schema = document(fmt.Sprintf(`{"maxProperties":%d.0}`, at.Second()))
		case 1:
			c.Unique = append(c.Unique, domain.Unique{Field: fmt.Sprintf("field %d", at.Second())})
		case 2:
			c.Unique = c.Unique[:len(c.Unique)/2]
		case 3:
			for i := range c.Indexes {
				c.Indexes[i].Building = !c.Indexes[i].Building
			}
		case 4:
			c.Indexes = []domain.Index{{Sort: order([]string{"n", "-n", "name,-n"}[at.Second()%3])}}
		case 5:
			c.Indexes, c.Search = collection(name).Indexes, []string{"name"}
		case 6:
			c.Watch, c.Managed = !c.Watch, !c.Managed
		default:
			c.Rules.Read = fmt.Sprintf("role:r%d", at.Second())
		}
		return outcome(r.Collections().Replace(ctx, c))
	}}
}

func (d *dealer) holdCollection() move {
	return d.collected("hold it", func(ctx context.Context, r ports.Repositories, c domain.Collection) string {
		return outcome(r.Collections().Hold(ctx, c.Ref()))
	})
}

func (d *dealer) removeCollection() move {
	return d.collected("remove it", func(ctx context.Context, r ports.Repositories, c domain.Collection) string {
		return outcome(r.Collections().Remove(ctx, c.Ref()))
	})
}

func (d *dealer) readCollection() move {
	name := d.aCollection()
	return move{fmt.Sprintf("read collection %s", name), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Collections().ByName(ctx, name))
	}}
}

// collected plays a move on a collection and its records by the revision that the
// collection has, or misses it by one.
func (d *dealer) collected(text string, play func(context.Context, ports.Repositories, domain.Collection) string) move {
	name := d.aCollection()
	miss := domain.Revision(0)
	if d.IntN(3) == 0 {
		miss = d.miss()
	}
	return move{fmt.Sprintf("in %s, missing by %d, %s", name, miss, text), func(ctx context.Context, r ports.Repositories) string {
		c, _ := r.Collections().ByName(ctx, name)
		c.Name = name
		c.Revision += miss
		return play(ctx, r, c)
	}}
}

// filed returns what is kept of a record, with other unique keys.
func filed(c domain.Collection, rec domain.Record, unique []domain.UniqueKey, at time.Time) domain.Entries {
	e := c.Entries(rec, at)
	e.Unique = unique
	return e
}

func (d *dealer) addRecord() move {
	rec, keys := domain.Record{ID: d.aRecord(), Owner: d.anAccount(), Data: d.aDocument(), Created: d.at(), Changed: d.at()}, d.unique()
	return d.collected(fmt.Sprintf("add %s with %v", spell(rec), keys), func(ctx context.Context, r ports.Repositories, c domain.Collection) string {
		rec := rec
		if _, err := r.Accounts().ByID(ctx, rec.Owner); err != nil {
			rec.Owner = "" // as the services see to it
		}
		return outcome(r.Records().Add(ctx, c.Ref(), rec, filed(c, rec, keys, rec.Changed)))
	})
}

func (d *dealer) readRecord() move {
	id := d.aRecord()
	return d.collected(fmt.Sprintf("read record %s", id), func(ctx context.Context, r ports.Repositories, c domain.Collection) string {
		return answer(r.Records().Get(ctx, c.Ref(), id))
	})
}

// asked is a question about records. What it names by a record is what the store
// has of it.
type asked struct {
	domain.Query
	owner, after, low, high domain.RecordID // the record whose owner or place it is; "": none
}

// in returns the query as it is in a collection.
func (q asked) in(ctx context.Context, r ports.Repositories, c domain.Collection) domain.Query {
	get := func(id domain.RecordID) domain.Record {
		rec, _ := r.Records().Get(ctx, c.Ref(), id)
		rec.ID = id
		return rec
	}
	if q.owner != "" {
		q.Walk.Owner = get(q.owner).Owner
	}
	if q.after != "" {
		q.After = c.PlaceOf(q.Walk, get(q.after))
	}
	if q.low != "" {
		q.Low = c.PlaceOf(q.Walk, get(q.low)).Key
	}
	if q.high != "" {
		q.High = c.PlaceOf(q.Walk, get(q.high)).Key
	}
	return q.Query
}

func (d *dealer) ask() asked {
	q := asked{Query: domain.Query{Where: d.where(), Limit: d.limit()}}
	q.Order = []domain.Order{domain.ByID, domain.ByCreated, domain.ByChanged, domain.ByIndex, domain.ByIndex, domain.ByIndex}[d.IntN(6)]
	q.Backward = d.IntN(2) == 0
	perhaps := func(of int) domain.RecordID {
		if d.IntN(of) == 0 {
			return d.aRecord()
		}
		return ""
	}
	q.owner, q.after = perhaps(5), perhaps(2)
	if q.Order == domain.ByIndex {
		q.Index = []string{"n", "n", "-speed,name", "-n", "name,-n"}[d.IntN(5)]
		q.low, q.high = perhaps(3), perhaps(3)
	}
	if d.IntN(5) == 0 {
		q.Words = [][]string{{"zo"}, {"zoë"}, {"black"}, {"black", "pe"}, {"bl", "pearl"}, {"the", "cat", "b"}}[d.IntN(6)]
	}
	if d.IntN(3) == 0 {
		q.Scan = 1 + d.IntN(5)
	}
	return q
}

// where is a condition that some of the records meet.
func (d *dealer) where() domain.Predicate {
	n, name := domain.Member{"n"}, domain.Member{"name"}
	return []domain.Predicate{
		domain.Everything{},
		domain.Everything{},
		domain.Everything{},
		nil,
		domain.Nothing{},
		domain.OwnedBy{},
		domain.OwnedBy{Account: d.anAccount()},
		domain.Compare{Op: domain.Less, Left: n, Right: domain.Literal{Value: float64(d.IntN(50))}},
		domain.Not{Part: domain.Compare{Op: domain.AtMost, Left: n, Right: domain.Literal{Value: float64(d.IntN(50))}}},
		domain.Any{domain.Has{Path: n}, domain.TestText{Op: domain.Contains, Text: name, Part: domain.Literal{Value: "ack"}}},
		domain.All{domain.TestText{Op: domain.StartsWith, Text: name, Part: domain.Literal{Value: "Zo"}}, domain.Not{Part: domain.OwnedBy{Account: d.anAccount()}}},
		domain.Compare{Op: domain.Less, Left: domain.ColumnCreated, Right: domain.Literal{Value: d.at()}},
	}[d.IntN(12)]
}

func (d *dealer) listRecords() move {
	q := d.ask()
	return d.collected(fmt.Sprintf("list records by %+v", q), func(ctx context.Context, r ports.Repositories, c domain.Collection) string {
		return answer(r.Records().List(ctx, c.Ref(), q.in(ctx, r, c)))
	})
}

func (d *dealer) countRecords() move {
	q := d.ask()
	return d.collected(fmt.Sprintf("count records by %+v", q), func(ctx context.Context, r ports.Repositories, c domain.Collection) string {
		return answer(r.Records().Count(ctx, c.Ref(), q.in(ctx, r, c)))
	})
}

func (d *dealer) replaceRecord() move {
	rec, keys, miss := domain.Record{ID: d.aRecord(), Owner: "", Data: d.aDocument(), Created: d.at(), Changed: d.at()}, d.unique(), d.miss()
	return d.collected(fmt.Sprintf("replace %s with %v, missing by %d", spell(rec), keys, miss), func(ctx context.Context, r ports.Repositories, c domain.Collection) string {
		old, _ := r.Records().Get(ctx, c.Ref(), rec.ID)
		return outcome(r.Records().Replace(ctx, c.Ref(), withRevision(rec, old.Revision+miss), filed(c, rec, keys, rec.Changed)))
	})
}

func (d *dealer) removeRecord() move {
	id, miss, at := d.aRecord(), d.miss(), d.at()
	if d.IntN(2) == 0 {
		at = time.Time{}
	}
	return d.collected(fmt.Sprintf("remove record %s, missing by %d, told at %v", id, miss, at), func(ctx context.Context, r ports.Repositories, c domain.Collection) string {
		old, _ := r.Records().Get(ctx, c.Ref(), id)
		return outcome(r.Records().Remove(ctx, c.Ref(), id, old.Revision+miss, at))
	})
}

func (d *dealer) enterRecords() move {
	ids, miss, drop := some(d, d.aRecord), d.miss(), d.IntN(4) == 0
	return d.collected(fmt.Sprintf("enter records %v, missing by %d, as if they had no member: %t", ids, miss, drop), func(ctx context.Context, r ports.Repositories, c domain.Collection) string {
		var list []ports.Filing
		for _, id := range ids {
			rec, _ := r.Records().Get(ctx, c.Ref(), id)
			rec.ID = id
			f := ports.Filing{ID: id, Revision: rec.Revision + miss}
			if drop {
				rec.Data = domain.Document{}
			}
			f.Entries = c.Entries(rec, noon)
			list = append(list, f)
		}
		return outcome(r.Records().Enter(ctx, c.Ref(), list))
	})
}

// everyEvent says what became of records, in order, and once more from a mark among
// them on.
func everyEvent(ctx context.Context, r ports.Repositories) string {
	news, err := r.Events().News(ctx, "", moves)
	if err != nil || len(news) == 0 {
		return answer(news, err)
	}
	return answer(news, err) + ", then " + answer(r.Events().News(ctx, news[len(news)/2].Mark, 3))
}

func (d *dealer) forgetEvents() move {
	// With a short limit it is open which ones are forgotten.
	t := d.at().Add([]time.Duration{-time.Hour, -time.Minute, -10 * time.Second}[d.IntN(3)])
	return move{fmt.Sprintf("forget events from before %v", t), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Events().Forget(ctx, t, moves))
	}}
}

func (d *dealer) aReceipt() domain.ReceiptID { return receipt(d.IntN(20)).ID }

func (d *dealer) keepReceipt() move {
	k := receipt(0)
	k.ID, k.At, k.Answer = d.aReceipt(), d.at(), []byte(fmt.Sprint(d.edits))
	return move{"claim and keep " + spell(k), func(ctx context.Context, r ports.Repositories) string {
		old, kept, err := r.Receipts().Claim(ctx, k.ID)
		if err != nil || kept {
			return answer(old, err)
		}
		return outcome(r.Receipts().Keep(ctx, k))
	}}
}

func (d *dealer) claimReceipt() move {
	id := d.aReceipt()
	return move{fmt.Sprintf("claim receipt %x", id), func(ctx context.Context, r ports.Repositories) string {
		k, kept, err := r.Receipts().Claim(ctx, id)
		return fmt.Sprintf("%t, %s", kept, answer(k, err))
	}}
}

func (d *dealer) forgetReceipts() move {
	t := d.at().Add([]time.Duration{-time.Hour, -time.Minute, -10 * time.Second}[d.IntN(3)])
	return move{fmt.Sprintf("forget receipts from before %v", t), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Receipts().Forget(ctx, t, moves))
	}}
}

func (d *dealer) advance() move {
	i, by, miss := importing(d.IntN(6), account(1), 2), int64(1+d.IntN(9)), int64(d.miss())
	i.Account, i.Changed, i.Done = d.anAccount(), d.at(), d.IntN(3) == 0
	if d.IntN(2) == 0 {
		i.Problems = nil
	}
	return move{fmt.Sprintf("advance %s by %d, missing by %d", spell(i), by, miss), func(ctx context.Context, r ports.Repositories) string {
		old, err := r.Imports().ByID(ctx, i.ID)
		i := i
		i.Lines = old.Lines + by
		return answer(old, err) + ", " + outcome(r.Imports().Advance(ctx, i, max(0, old.Lines+miss)))
	}}
}

func (d *dealer) forgetImports() move {
	t := d.at().Add([]time.Duration{-time.Hour, -time.Minute, -10 * time.Second}[d.IntN(3)])
	return move{fmt.Sprintf("forget imports from before %v", t), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Imports().Forget(ctx, t, moves))
	}}
}

func (d *dealer) settle() move {
	k := withNumber(key([]string{"sign", "refresh", "cursor"}[d.IntN(3)], d.edits), 1+d.IntN(3))
	k.Algorithm = domain.SigningAlgorithms()[d.IntN(3)]
	return move{fmt.Sprintf("settle %v", k), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Keys().Settle(ctx, k))
	}}
}

func (d *dealer) listKeys() move { return move{"list keys", allKeys} }

// allKeys says which keys there are.
func allKeys(ctx context.Context, r ports.Repositories) string { return answer(r.Keys().List(ctx)) }

// aKey returns the nth of the keys that a store has, or one that it has not.
func aKey(ctx context.Context, r ports.Repositories, n int) domain.Key {
	list, _ := r.Keys().List(ctx)
	return append(list, key("sign", 0))[n%(len(list)+1)]
}

func (d *dealer) reseal() move {
	n, sealed := d.IntN(20), []byte{byte(d.IntN(256))}
	return move{fmt.Sprintf("reseal key %d with %v", n, sealed), func(ctx context.Context, r ports.Repositories) string {
		k := withNumber(key("cursor", 0), 1)
		k.ID, k.Sealed = aKey(ctx, r, n).ID, sealed
		return outcome(r.Keys().Reseal(ctx, k))
	}}
}

func (d *dealer) drop() move {
	n := d.IntN(20)
	return move{fmt.Sprintf("drop key %d", n), func(ctx context.Context, r ports.Repositories) string {
		return outcome(r.Keys().Drop(ctx, aKey(ctx, r, n).ID))
	}}
}

func (d *dealer) series() domain.Series { return []domain.Series{users, ships}[d.IntN(2)] }

func (d *dealer) number() move {
	series, ids := d.series(), some(d, func() string {
		if d.IntN(2) == 0 {
			return string(d.anAccount())
		}
		return thing(d.IntN(40))
	})
	return move{fmt.Sprintf("number %s in %s", ids, series), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Numbers().Of(ctx, series, ids...))
	}}
}

func (d *dealer) readNumber() move {
	series, n := d.series(), int64(d.IntN(20))
	return move{fmt.Sprintf("number %d of %s", n, series), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Numbers().ByNumber(ctx, series, n))
	}}
}

func (d *dealer) listNumbers() move {
	series, after, limit := d.series(), int64(d.IntN(10)), d.limit()
	return move{fmt.Sprintf("list %d of %s after %d", limit, series, after), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Numbers().List(ctx, series, after, limit))
	}}
}

func (d *dealer) post() move {
	var list []domain.Change
	for range d.IntN(4) {
		d.posted = d.at().Add(time.Duration(len(list)) * time.Microsecond)
		list = append(list, []domain.Change{
			{Kind: domain.SessionEnded, Subject: string(d.aSession()), At: d.posted},
			{Kind: domain.AuthorityRaised, Subject: string(d.anAccount()), Value: d.Int64(), At: d.posted},
			{Kind: []domain.ChangeKind{domain.KeyAdded, domain.KeyRetired}[d.IntN(2)], Subject: key("", d.edits).ID, At: d.posted},
			{Kind: domain.TokenRefused, Subject: d.aToken(), At: d.posted},
		}[d.IntN(4)])
	}
	return move{"post " + spell(list), func(ctx context.Context, r ports.Repositories) string {
		return outcome(r.Bulletin().Post(ctx, list...))
	}}
}

// aToken returns the jti of an access token.
func (d *dealer) aToken() string { return uuid(6, d.IntN(30)) }

func (d *dealer) readPosted() move {
	kind := []domain.ChangeKind{domain.SessionEnded, domain.AuthorityRaised, domain.TokenRefused}[d.IntN(3)]
	subject := []string{string(d.aSession()), string(d.anAccount()), d.aToken()}[d.IntN(3)]
	return move{fmt.Sprintf("whether %s of %q was posted", kind, subject), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Bulletin().Posted(ctx, kind, subject))
	}}
}

func (d *dealer) news() move { return move{"news", allNews} }

// allNews says what is on the bulletin. Marks are each store's own, and what is
// told again is its to choose.
func allNews(ctx context.Context, r ports.Repositories) string {
	news, _, err := r.Bulletin().News(ctx, "")
	return answer(news, err)
}

func (d *dealer) forget() move {
	// With a short limit it is open which ones are forgotten.
	t := cmp.Or(d.posted, noon).Add([]time.Duration{-time.Hour, -time.Microsecond, 0, time.Microsecond}[d.IntN(4)])
	return move{fmt.Sprintf("forget what was before %v", t), func(ctx context.Context, r ports.Repositories) string {
		return answer(r.Bulletin().Forget(ctx, t, moves))
	}}
}
