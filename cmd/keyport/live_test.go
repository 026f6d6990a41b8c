package main_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

const collectionsGuide = "../../docs/collections.md"

// A livePage is the page of the guide to collections, at an origin of its own. What it
// shows, it also says.
type livingPage struct {
	*httptest.Server
	keyport string // where Keyport stands, for the address that the guide shows
}

// tell makes the page say what its list holds, whenever that changes.
const tell = `<script>
new MutationObserver(() => fetch('/said', {method: 'POST', body: [...document.querySelectorAll('#tasks li')].map(li => li.textContent).join(', ')}))
  .observe(document.querySelector('#tasks'), {childList: true})
addEventListener('unhandledrejection', e => fetch('/said', {method: 'POST', body: 'fault: ' + e.reason}))
</script>`

func livePage(t *testing.T, hear func(said string)) *livingPage {
	t.Helper()
	text, err := os.ReadFile(collectionsGuide)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```html\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("the guide has no page")
	}
	p := new(livingPage)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		page := strings.Replace(string(block[1]), "<script", tell+"<script", 1)
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, strings.Replace(page, shownURL, p.keyport, 1))
	})
	mux.HandleFunc("POST /said", func(_ http.ResponseWriter, r *http.Request) {
		said, err := io.ReadAll(io.LimitReader(r.Body, 1<<10))
		if err != nil {
			said = []byte("fault: " + err.Error())
		}
		hear(string(said))
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// isLive opens the page in Chromium, and changes tasks by other hands: the page shows
// it without being asked to.
func (p *livingPage) isLive(t *testing.T, k *process.Keyport, heard <-chan string) {
	t.Helper()
	v := visit(t, k)
	var session struct {
		AccessToken string `json:"access_token"`
	}
	v.want(201, "POST", "/v1/sessions", map[string]string{"login": "ada", "password": "correct horse battery staple 9"}, &session)
	v.token = session.AccessToken
	log := chromium(t, p.URL)
	wait := func(what string, shown func(string) bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for last := ""; ; {
			select {
			case last = <-heard:
				if strings.HasPrefix(last, "fault: ") {
					t.Fatal(last)
				}
				if shown(last) {
					return
				}
			case <-ctx.Done():
				text, err := os.ReadFile(log)
				t.Fatalf("%s is not shown; the page shows %q\n%s%v", what, last, text, err)
			}
		}
	}
	wait("what was there", func(s string) bool { return strings.Contains(s, "Paint the fence") && strings.Contains(s, "Buy paint") })
	var task struct{ ID string }
	v.want(201, "POST", "/v1/collections/tasks/records", map[string]any{
		"data": map[string]any{"title": "Feed the cat", "done": false, "public": false, "priority": 5},
	}, &task)
	wait("a new task", func(s string) bool { return strings.Contains(s, "Feed the cat") })
	v.want(200, "POST", "/v1/collections/tasks/records:batch", map[string]any{
		"operations": []any{map[string]any{"op": "delete", "id": task.ID, "if_match": "*"}},
	}, nil)
	wait("that it is gone", func(s string) bool { return !strings.Contains(s, "Feed the cat") })
}
