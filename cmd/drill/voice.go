package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/keyport-go/keyport/cmd/internal/process"
)

// Talk is where voices write and listeners listen. What is not public is its owner's.
const (
	talk         = "/v1/collections/talk/records"
	talkDeclared = `{"name":"talk","schema":{"type":"object","required":["public","channel","text"],"properties":{` +
		`"public":{"type":"boolean"},"channel":{"type":"integer"},"text":{"type":"string"}}},"rules":{` +
		`"list":"record.data.public || account != null && record.owner == account.id",` +
		`"read":"record.data.public || account != null && record.owner == account.id",` +
		`"create":"account != null","update":"account != null && record.owner == account.id","delete":"account != null && record.owner == account.id"},` +
		`"watch":true}`
)

// channels are what records are spread over.
const channels = 50

// A voice is an account that writes, one write after the other.
type voice struct {
	number int
	login  string
	grant  process.Grant
	client *process.Client
	story  *chronicle

	turn      int
	open, own said // the records of this round: made for all, and for itself
}

// said is a record as the voice knows it.
type said struct {
	id       string
	revision int
	view
}

// speak writes each interval until ctx ends. Its requests last as long as requests
// does.
func (v *voice) speak(ctx, requests context.Context, interval time.Duration) error {
	beat := time.NewTicker(interval)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
		if err := v.say(requests); err != nil {
			return fmt.Errorf("%s: %w", v.login, err)
		}
	}
}

// say writes what comes next of a round of six: a record for all is made, changed and
// deleted; one of its own is made, shown and hidden again.
func (v *voice) say(ctx context.Context) error {
	turn := v.turn % 6
	if turn == 0 {
		channel := (v.turn/6*7 + v.number) % channels
		v.open = said{view: view{public: true, channel: channel}}
		v.own = said{view: view{channel: channel}}
	}
	v.turn++
	r := &v.open
	if turn == 1 || turn == 3 || turn == 4 {
		r = &v.own
	}
	before, now := r.view, r.view
	request := process.Request{Method: http.MethodPatch, Path: talk + "/" + r.id, Token: v.grant.AccessToken, Match: fmt.Sprintf(`"%d"`, r.revision)}
	status := http.StatusOK
	switch turn {
	case 0, 1:
		now.there, status = true, http.StatusCreated
		request.Method, request.Path, request.Match = http.MethodPost, talk, ""
		request.Body = map[string]any{"data": map[string]any{"public": r.public, "channel": r.channel, "text": strings.Repeat("word ", 800)}}
	case 2:
		request.Body = map[string]any{"data": map[string]any{"text": strings.Repeat("more ", 800)}}
	case 3, 4:
		now.public = turn == 3
		request.Body = map[string]any{"data": map[string]any{"public": now.public}}
	case 5:
		now.there, status = false, http.StatusNoContent
		request.Method = http.MethodDelete
	}
	a, err := v.client.Send(ctx, request)
	if err != nil {
		return err
	}
	at := time.Now()
	if a.Status != status {
		return &process.Refusal{Request: request.Method + " " + request.Path, Answer: a}
	}
	var made record
	if status != http.StatusNoContent {
		if err := a.Into(&made); err != nil {
			return err
		}
		r.id = made.ID
	}
	r.revision, r.view = made.Revision, now
	v.story.note(saying{by: v.number, login: v.login, id: r.id, revision: r.revision, before: before, now: now, at: at})
	return nil
}
