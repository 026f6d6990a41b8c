package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const aHash = "sha256$LwryuXIr$9c758221b031204b478f565d071d0c548dc0ec2ee4a0b5d6a2a2bb5a8a4b5a8d"

// account tells what an entry would open, in the order of transferMembers, or why not.
func account(e entry, plain bool) string {
	it := prepared(e, plain)
	if it.fault != nil {
		return fmt.Sprintf("%d: refused: %s", e.at, told(it.fault))
	}
	t := it.transfer
	text := fmt.Sprintf("%d: %v %q %v %s", e.at, t.Logins, t.Name, t.Roles, t.Status)
	if !t.Created.IsZero() {
		text += " " + t.Created.Format(time.RFC3339Nano)
	}
	if t.Hash.IsZero() {
		text += " password " + it.password.Reveal()
	}
	return text
}

// accountsIn tells all that is read of a file, and why it ends where it does.
func accountsIn(in io.Reader, plain bool) string {
	next, err := readTransfers(in)
	var all []string
	for err == nil {
		var e entry
		if e, err = next(); err == nil {
			all = append(all, account(e, plain))
		}
	}
	if !errors.Is(err, io.EOF) {
		all = append(all, "end: "+err.Error())
	}
	return strings.Join(all, "\n")
}

func TestTransfersAreReadAsTheyStand(t *testing.T) {
	const members = "username, email, name, roles, status, hash, password, created_at"
	for _, c := range []struct{ name, file, want string }{
		{"an empty file holds nobody", "", ""},
		{"nor do blank lines", "\n \r\n\t\n", ""},

		{
			"an object a line", `{"username":"ada","hash":"h"}` + "\n" + `{"email":"bob@example.com","hash":"h"}`,
			"1: [ada] \"\" [] \n2: [bob@example.com] \"\" [] ",
		},
		{
			"all that an object may say", `{"username":"ada","email":"ada@example.com","name":"Ada L","roles":["b","a"],"status":"suspended","hash":"h","created_at":"2001-02-03T04:05:06.123456789+02:00"}`,
			`1: [ada ada@example.com] "Ada L" [a b] suspended 2001-02-03T02:05:06.123456Z`,
		},
		{
			"a byte order mark, blank lines and CRLF are passed over, and counted", "\ufeff\r\n" + `{"username":"ada","hash":"h"}` + "\r\n\r\n" + `{"username":"bob","hash":"h"}` + "\r\n",
			"2: [ada] \"\" [] \n4: [bob] \"\" [] ",
		},
		{"an array is no line", `[{"username":"ada"}]`, "end: the file is a JSON array: want one object a line, and no brackets around them"},
		{"what only the server owns is no member", `{"id":"1","username":"ada","hash":"h"}`, `1: refused: there is no member "id": want ` + members},
		{"names are exact", `{"Username":"ada","hash":"h"}`, `1: refused: there is no member "Username": want ` + members},
		{"a long name is cut", `{"` + strings.Repeat("x", 1000) + `":1}`, `1: refused: there is no member "` + strings.Repeat("x", 40) + `": want ` + members},
		{"a name comes once", `{"username":"ada","hash":"h","username":"eve"}`, `1: refused: the member "username" comes twice`},
		{
			"a member has its type", `{"username":7}` + "\n" + `{"roles":"a"}` + "\n" + `{"roles":["a",1]}` + "\n" + `{"hash":{"hash":"h"}}`,
			"1: refused: username: want a string\n2: refused: roles: want an array of strings\n3: refused: roles: want an array of strings\n4: refused: hash: want a string",
		},
		{"one object a line", `{"username":"ada","hash":"h"} {"username":"eve","hash":"h"}`, "1: refused: it is not a JSON object"},
		{
			"a line that is none does not end the file", "{\nnull\n[]\n7\n" + `{"username":"ada","hash":"h"}`,
			"1: refused: it is not a JSON object\n2: refused: it is not a JSON object\n3: refused: it is not a JSON object\n4: refused: it is not a JSON object\n5: [ada] \"\" [] ",
		},
		{"bad UTF-8", "{\"username\":\"a\xff\",\"hash\":\"h\"}", "1: refused: it is not UTF-8"},
		{"a lone surrogate", `{"username":"a\ud800","hash":"h"}`, "1: refused: it is not a JSON object"},
		{"NUL in a name", `{"username":"a\u0000","hash":"h"}`, "1: refused: username: want 1 to 64 visible characters without @ and colon, and no space at either end"},
		{
			"a line that is too long, and the next", `{"name":"` + strings.Repeat("x", maxLine) + "\"}\n" + `{"username":"ada","hash":"h"}`,
			"1: refused: it is longer than 65536 bytes\n2: [ada] \"\" [] ",
		},
		{"one that is too long at the end", `{"username":"ada","hash":"h"}` + "\n" + strings.Repeat("x", 3*maxLine), "1: [ada] \"\" [] \n2: refused: it is longer than 65536 bytes"},

		{"somebody has a login", `{"name":"Ada","hash":"h"}`, "1: refused: username: there is none, and no email"},
		{
			"a bad login", `{"username":"a:b","hash":"h"}` + "\n" + `{"email":"ada","hash":"h"}`,
			"1: refused: username: want 1 to 64 visible characters without @ and colon, and no space at either end\n2: refused: email: want an ASCII e-mail address of at most 254 bytes",
		},
		{"a bad role", `{"username":"ada","roles":["A"],"hash":"h"}`, "1: refused: roles: want lower-case letters, digits, - and _, at most 32, beginning with a letter"},
		{"a bad status", `{"username":"ada","status":"gone","hash":"h"}`, "1: refused: status: want active or suspended"},
		{"a bad name", `{"username":"ada","name":" ","hash":"h"}`, "1: refused: name: want at most 200 visible characters, and no space at either end"},
		{
			"times that nobody could tell again", `{"username":"ada","hash":"h","created_at":"yesterday"}` + "\n" + `{"username":"ada","hash":"h","created_at":"9999-12-31T23:59:59-01:00"}` + "\n" + `{"username":"ada","hash":"h","created_at":"0001-01-01T00:00:00Z"}`,
			"1: refused: created_at: want a time of 1970 or later as RFC 3339 has it: 2026-01-02T15:04:05Z\n2: refused: created_at: want a time of 1970 or later as RFC 3339 has it: 2026-01-02T15:04:05Z\n3: refused: created_at: want a time of 1970 or later as RFC 3339 has it: 2026-01-02T15:04:05Z",
		},
		{"no secret", `{"username":"ada"}`, "1: refused: hash: there is none"},
		{"two secrets", `{"username":"ada","hash":"h","password":"p"}`, "1: refused: password: there is a hash as well; want one of them"},

		{"CSV under a head", "username,email,roles,hash\nada,ada@example.com,b a,h\nbob,,,h\n", "2: [ada ada@example.com] \"\" [a b] \n3: [bob] \"\" [] "},
		{"CSV with quotes, CRLF, a mark and blank lines", "\ufeff\r\nusername,name,hash\r\n\r\n\"ada\",\"Ada, \"\"Lady\"\"\",h\r\n", `4: [ada] "Ada, \"Lady\"" [] `},
		{"a line break in quotes is no new line", "username,name,hash\nada,\"A\nroot,R,h\n\",h\nbob,B,h\n", "2: refused: name: want at most 200 visible characters, and no space at either end\n5: [bob] \"B\" [] "},
		{"lines of another length", "username,hash\nada\nbob,h\neve,h,admin\n", "2: refused: it has 1 columns, and the head has 2\n3: [bob] \"\" [] \n4: refused: it has 3 columns, and the head has 2"},
		{"a head of what only the server owns", "username,id,hash\nada,1,h\n", "end: line 1: column 2 of the head has no known name: want " + members},
		{"a file without a head tells no hash", "ada," + aHash + "\n", "end: line 1: column 1 of the head has no known name: want " + members},
		{"a head that says a thing twice", "\nusername,hash,hash\n", "end: line 2: the column hash comes twice"},
		{"a quote that is not closed", "username,hash\nada,h\nbob,\"h\neve,h\n", "2: [ada] \"\" [] \nend: line 3: the quotes are wrong, so nothing is read from here on: extraneous or missing \" in quoted-field"},
		{"a quote in the middle", "username,name,hash\nada,5\" tall,h\neve,,h\n", "end: line 2: the quotes are wrong, so nothing is read from here on: bare \" in non-quoted-field"},
		{"a quote in the head", "username,\"hash\n", "end: line 1: the quotes are wrong, so nothing is read from here on: extraneous or missing \" in quoted-field"},
		{"a quote that is left open for long", "username,hash\nada,h\nbob,\"" + strings.Repeat("x\n", 2*maxLine), "2: [ada] \"\" [] \nend: line 3: it is longer than 65536 bytes: is a quote left open? Nothing is read from here on"},
		{"a line of CSV that is too long, and the next", "username,hash\nada," + strings.Repeat("x", maxLine) + "\nbob,h\n", "2: refused: it is longer than 65536 bytes\n3: [bob] \"\" [] "},
		{"bad UTF-8 and NUL in CSV", "username,hash\na\xff,h\na\x00,h\n", "2: refused: username: want 1 to 64 visible characters without @ and colon, and no space at either end\n3: refused: username: want 1 to 64 visible characters without @ and colon, and no space at either end"},
		{"another encoding", "\xff\xfeu\x00s\x00", "end: line 1: column 1 of the head has no known name: want " + members},
		{"a password where none is taken", "username,password\nada,secret\n", "2: refused: password: it is not hashed; --passwords hashes it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for how, in := range map[string]io.Reader{
				"at once": strings.NewReader(c.file), "byte by byte": iotest.OneByteReader(strings.NewReader(c.file)),
			} {
				if got := accountsIn(in, false); got != c.want {
					t.Errorf("%s:\ngot  %s\nwant %s", how, got, c.want)
				}
			}
		})
	}
}

func TestPasswordsAreTakenWhereTheyMayBe(t *testing.T) {
	for password, want := range map[string]string{
		"cat":                     `2: [ada] "" []  password cat`,
		" ☃ ":                     `2: [ada] "" []  password  ☃ `,
		strings.Repeat("x", 1025): "2: refused: password: want 1024 bytes at most",
		"\xff":                    "2: refused: password: nobody could type it at a sign-in: want UTF-8 without NUL",
		"\x00":                    "2: refused: password: nobody could type it at a sign-in: want UTF-8 without NUL",
	} {
		if got := accountsIn(strings.NewReader("username,password\nada,"+password+"\n"), true); got != want {
			t.Errorf("%.20q: got %s, want %s", password, got, want)
		}
	}
}

func TestAFileThatCannotBeReadOnSaysWhere(t *testing.T) {
	broken := errors.New("the disk is gone")
	for text, want := range map[string]string{
		"":                                     "end: the disk is gone",
		`{"username":"ada","hash":"h"}` + "\n": "1: [ada] \"\" [] \nend: line 2: the disk is gone",
		"username,hash\nada,h\n":               "2: [ada] \"\" [] \nend: line 3: the disk is gone",
		"username,":                            "end: line 1: the disk is gone",
	} {
		in := io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))
		if got := accountsIn(in, false); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestWhatIsExportedIsReadAgain(t *testing.T) {
	const file = `{"username":"ada","email":"ada@example.com","name":"Ada","roles":["a","b"],"status":"suspended","hash":"h","created_at":"2001-02-03T04:05:06.1Z"}`
	next, err := readTransfers(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	e, err := next()
	if err != nil {
		t.Fatal(err)
	}
	transfer, _, err := e.line.transfer(false)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(lineOf(transfer)), fmt.Sprint(e.line); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestABarShowsHowFarTheWorkIs(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	p := &progress{out: &out, total: 1000, noun: "accounts", now: func() time.Time { return now }, begun: now}
	now = now.Add(time.Second)
	p.to(100, 250)
	p.to(200, 500) // too soon to be shown
	p.hide()
	p.hide()
	now = now.Add(time.Second)
	p.to(400, 2000)
	p.end()
	want := wipe + "[#######.......................]  25 %  100 accounts, 100 a second" + wipe +
		wipe + "[##############################] 100 %  400 accounts, 200 a second" +
		wipe + "[##############################] 100 %  400 accounts, 200 a second\n"
	if got := out.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	out.Reset()
	unknown := &progress{out: &out, noun: "accounts", now: p.now, begun: now}
	now = now.Add(2 * time.Second)
	unknown.to(7, 99)
	if got, want := out.String(), wipe+"7 accounts, 4 a second"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if newProgress(&out, 1).out != nil {
		t.Error("a buffer is taken for a terminal")
	}
}

// FuzzTransfers reads whatever there is to read: it ends, no entry stands before the one
// before it, and what a line would open can be written and read again.
func FuzzTransfers(f *testing.F) {
	for _, seed := range []string{
		`{"username":"ada","email":"ada@example.com","name":"Ada","roles":["a"],"status":"active","hash":"h","created_at":"2001-02-03T04:05:06Z"}`,
		"\ufeffusername,name,password\r\nada,\"A\r\n\"\"B\",p\r\n\r\nbob\r\n", "username,hash\nada,\"", "{\n[]\n\n{\"id\":1}", "\xff\xfe",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		next, err := readTransfers(bytes.NewReader(file))
		if err != nil {
			return
		}
		at := 0
		for range len(file) + 1 {
			e, err := next()
			if err != nil {
				return
			}
			if e.at <= at || e.at > 1+bytes.Count(file, []byte("\n")) {
				t.Fatalf("line %d comes after line %d", e.at, at)
			}
			at = e.at
			it := prepared(e, true)
			if it.fault != nil {
				if strings.ContainsAny(told(it.fault), "\n\x00") {
					t.Errorf("a refusal of many lines: %q", told(it.fault))
				}
				continue
			}
			again := lineOf(it.transfer)
			again.Hash, again.Password = e.line.Hash, e.line.Password
			if it.transfer.Created.IsZero() {
				again.CreatedAt = ""
			}
			if back, _, err := again.transfer(true); err != nil || fmt.Sprint(back) != fmt.Sprint(it.transfer) {
				t.Errorf("%v became %v, %v", it.transfer, back, err)
			}
		}
		t.Errorf("%d bytes have more lines than that", len(file))
	})
}
