// Package manual serves the pages that people read: the API's document and
// reference, and a page for each type of problem. They are plain HTML with one
// style sheet, all from the binary, and run no script.
package manual

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
)

//go:embed pages
var files embed.FS

var templates = template.Must(template.ParseFS(files, "pages/*.html"))

// Mount adds the pages to r. doc is what they describe; it must be whole.
func Mount(r chi.Router, doc *huma.OpenAPI) {
	text, err := json.Marshal(doc)
	if err != nil {
		panic("manual: the document cannot be written: " + err.Error())
	}
	style, err := files.ReadFile("pages/manual.css")
	if err != nil {
		panic("manual: " + err.Error())
	}
	r.Get("/openapi.json", fixed("application/openapi+json", text))
	r.Get("/docs", fixed("text/html; charset=utf-8", page("docs.html", reference(doc))))
	r.Get("/manual.css", fixed("text/css; charset=utf-8", style))
	all := problems()
	r.Get("/problems", fixed("text/html; charset=utf-8", page("problems.html", all)))
	for _, p := range all {
		r.Get("/problems/"+p.Code, fixed("text/html; charset=utf-8", page("problem.html", p)))
	}
}

// fixed answers always the same.
func fixed(mediaType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'")
		_, _ = w.Write(body)
	}
}

func page(name string, data any) []byte {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		panic("manual: " + err.Error())
	}
	return b.Bytes()
}

// A problem is a type of problem as its page tells it.
type problem struct {
	Code, Title, Detail, Remedy string
	Status                      int
}

func problems() []problem {
	var all []problem
	for _, e := range domain.Errors() {
		title, status := wire.Title(e.Kind)
		all = append(all, problem{e.Code, title, e.Detail, e.Remedy, status})
	}
	for _, p := range wire.Refusals() {
		all = append(all, problem{p.Type[len("/problems/"):], p.Title, p.Detail, p.Remedy, p.Status})
	}
	return all
}

// A section is the operations that have a tag in common.
type section struct {
	Name       string
	Operations []operation
}

type operation struct {
	ID, Method, Path, Summary string
	Parameters                []parameter
	Body                      string // JSON Schema, indented; "" if it takes none
	Answers                   []answer
}

type parameter struct{ Name, In, About string }

type answer struct{ Status, About, Body string }

// reference arranges doc for reading.
func reference(doc *huma.OpenAPI) any {
	bySection := make(map[string][]operation)
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		item := doc.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				bySection[op.Tags[0]] = append(bySection[op.Tags[0]], describe(doc, op))
			}
		}
	}
	var sections []section
	for _, name := range []string{"accounts", "sessions", "token", "collections", "records"} {
		sections = append(sections, section{name, bySection[name]})
	}
	return struct {
		Title, Version, About string
		Sections              []section
	}{doc.Info.Title, doc.Info.Version, doc.Info.Description, sections}
}

func describe(doc *huma.OpenAPI, op *huma.Operation) operation {
	out := operation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary}
	for _, p := range op.Parameters {
		about := p.Description
		if p.Schema != nil && p.Schema.Description != "" {
			about = p.Schema.Description
		}
		out.Parameters = append(out.Parameters, parameter{p.Name, p.In, about})
	}
	if op.RequestBody != nil {
		out.Body = schemas(doc, op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		a := answer{Status: status, About: r.Description}
		if status < "3" {
			a.Body = schemas(doc, r.Content)
		}
		out.Answers = append(out.Answers, a)
	}
	return out
}

// schemas writes the schema of the first media type, with what it refers to in
// its place.
func schemas(doc *huma.OpenAPI, content map[string]*huma.MediaType) string {
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		s := content[mediaType].Schema
		if s == nil {
			continue
		}
		if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
			s = doc.Components.Schemas.Map()[name]
		}
		text, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			panic("manual: " + err.Error())
		}
		return string(text)
	}
	return ""
}
