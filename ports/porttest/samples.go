package porttest

import (
	"fmt"
	"sync"
	"time"

	"github.com/keyport-go/keyport/domain"
)

// The instant at which most of what follows happens; its microseconds count.
var noon = time.Date(2030, 1, 2, 12, 0, 0, 123456000, time.UTC)

// policy is the one by which sessions are judged where it does not matter.
var policy = domain.SessionPolicy{Idle: 30 * 24 * time.Hour, Max: 90 * 24 * time.Hour, Grace: time.Minute}

// uuid returns the nth id of a kind of thing, in order of n.
func uuid(kind, n int) string { return fmt.Sprintf("0190%04x-0000-7000-8000-%012x", kind, n) }

func accountID(n int) domain.AccountID     { return domain.AccountID(uuid(1, n)) }
func sessionID(n int) domain.SessionID     { return domain.SessionID(uuid(2, n)) }
func recordID(n int) domain.RecordID       { return domain.RecordID(uuid(3, n)) }
func accessKeyID(n int) domain.AccessKeyID { return domain.AccessKeyID(uuid(4, n)) }
func importID(n int) domain.ImportID       { return domain.ImportID(uuid(7, n)) }

// account returns the nth account as it is read after it was added with the given
// logins, user name first.
func account(n int, logins ...string) domain.Account {
	a := domain.Account{
		ID: accountID(n), Name: fmt.Sprintf("Account %d", n), Roles: []domain.Role{"admin", "editor"}, Status: domain.Active,
		Authority: 7, Revision: 1, Created: noon, Changed: noon.Add(time.Microsecond),
	}
	for _, s := range logins {
		a.Logins = append(a.Logins, login(s))
	}
	return a
}

// login reads a login that is known to be good.
func login(s string) domain.Login {
	l, err := domain.ParseLogin(s)
	if err != nil {
		panic(fmt.Sprintf("porttest: login %q: %v", s, err))
	}
	return l
}

// hash returns the nth hash of a password.
func hash(n int) domain.PasswordHash {
	return domain.NewPasswordHash(fmt.Sprintf("$argon2id$v=19$m=19456,t=2,p=1$salt$hash-%d", n))
}

// credential returns an account's credential.
func credential(a domain.Account, n int, rev domain.Revision) domain.Credential {
	return domain.Credential{Account: a.ID, Hash: hash(n), Revision: rev}
}

// session returns the nth session as it is when it is opened at noon, to be renewed
// by tokens that rotate.
func session(n int, a domain.Account) domain.Session {
	return domain.Session{
		ID: sessionID(n), Account: a.ID, Created: noon, Used: noon, Ends: noon.Add(policy.Max), Device: "Firefox on Linux, Zoë’s", Renewal: domain.Rotating,
		Seen: noon, Address: "2001:db8::1",
	}
}

// renewedBy returns s with another renewal.
func renewedBy(s domain.Session, r domain.Renewal) domain.Session {
	s.Renewal = r
	return s
}

// accessKey returns the nth access key as it is when it is added at noon. It does
// not expire, and was never seen.
func accessKey(n int, a domain.Account) domain.AccessKey {
	return domain.AccessKey{
		ID: accessKeyID(n), Account: a.ID, Name: fmt.Sprintf("Nightly backup, Zoë’s %d", n), Scopes: []domain.Scope{domain.ReadRecords, domain.WriteRecords},
		Digest: domain.AccessKeyDigest{0: byte(n >> 8), 1: byte(n), 31: 0xff}, Created: noon,
	}
}

// sighting returns a use of something, from an address.
func sighting[ID ~string](id ID, at time.Time, address string) domain.Sighting[ID] {
	return domain.Sighting[ID]{ID: id, At: at, Address: address}
}

// authority returns what an account may do.
func authority(a domain.Account) domain.Authority {
	return domain.Authority{Account: a.ID, Version: a.Authority, Roles: a.Roles}
}

// collection returns a collection as it is read after it was added.
func collection(name domain.CollectionName) domain.Collection {
	return domain.Collection{
		Name:     name,
		Schema:   document(`{"properties":{"number":{"multipleOf":1e-2}},"type":"object"}`),
		Rules:    domain.Rules{List: "anyone", Read: "account", Create: "role:editor", Update: "owner", Delete: "role:admin"},
		Unique:   []domain.Unique{{Field: "number"}, {Field: "e/mail", PerOwner: true}},
		Indexes:  []domain.Index{{Sort: order("n")}, {Sort: order("-speed,name"), Building: true}},
		Search:   []string{"name", "crew.tags"},
		Watch:    true,
		Managed:  true,
		Revision: 1, Created: noon, Changed: noon.Add(2 * time.Microsecond),
	}
}

// order reads an order that is known to be good.
func order(text string) domain.Sort {
	o, err := domain.ParseSort(text)
	if err != nil {
		panic(fmt.Sprintf("porttest: order %q: %v", text, err))
	}
	return o
}

// record returns the nth record as it is read after it was added.
func record(n int, owner domain.AccountID) domain.Record {
	return domain.Record{
		ID: recordID(n), Owner: owner, Data: document(fmt.Sprintf(`{"n":%d}`, n)),
		Revision: 1, Created: noon, Changed: noon.Add(3 * time.Microsecond),
	}
}

// document reads a document that is known to be good, once: the clauses ask for few
// of them, over and over.
func document(text string) domain.Document {
	if d, read := documents.Load(text); read {
		return d.(domain.Document)
	}
	d, err := domain.ParseDocument([]byte(text))
	if err != nil {
		panic(fmt.Sprintf("porttest: document %s: %v", brief(text), err))
	}
	if len(text) < 1<<10 { // few are longer, and each of those is asked for once
		documents.Store(text, d)
	}
	return d
}

var documents sync.Map // of domain.Document, by text

// uniqueKey returns the key of a field's nth value.
func uniqueKey(field string, n byte) domain.UniqueKey {
	return domain.UniqueKey{Field: field, Digest: [32]byte{0: n, 31: 0xff}}
}

// entries returns what is kept of a record that has unique keys and nothing else.
func entries(keys ...domain.UniqueKey) domain.Entries { return domain.Entries{Unique: keys} }

// standing returns what is kept of a record that has a key in the index n, and some
// words.
func standing(key string, words ...string) domain.Entries {
	return domain.Entries{Index: []domain.IndexKey{{Index: "n", Key: key}}, Words: words}
}

// watched returns entries whose change is told with a time.
func watched(e domain.Entries, at time.Time) domain.Entries {
	e.Event = at
	return e
}

// byID asks for at most limit records in the order of their ids, behind one of
// them; "" is before the first.
func byID(where domain.Predicate, after domain.RecordID, limit int) domain.Query {
	return domain.Query{Where: where, After: domain.Place{ID: after}, Limit: limit}
}

// created returns what is told at noon of a record that was added to ships.
func created(r domain.Record) domain.Event {
	return domain.Event{Kind: domain.RecordCreated, Collection: "ships", Record: r, At: noon}
}

// receipt returns the nth receipt, kept at noon.
func receipt(n int) domain.Receipt {
	return domain.Receipt{ID: domain.ReceiptID{0: byte(n), 31: 0xff}, Body: [32]byte{0: byte(n), 31: 0xfe}, Answer: []byte{0, byte(n), 0xff}, At: noon}
}

// importing returns the nth import, of an account into ships, as it is after so many
// lines.
func importing(n int, a domain.Account, lines int64) domain.Import {
	return domain.Import{
		ID: importID(n), Account: a.ID, Collection: "ships", Lines: lines, Stored: lines - 1, Refused: 1,
		Problems: []domain.ImportProblem{{
			Line: 1, Code: "invalid-record", Detail: "Zoë’s “data” does not fit.",
			Fields: []domain.Field{{Path: "/data/e~1mail", Code: "type", Problem: "want a text"}},
		}},
		Created: noon, Changed: noon.Add(4 * time.Microsecond),
	}
}
