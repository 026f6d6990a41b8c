package v1

import (
	"net/url"
	"strconv"

	"github.com/keyport-go/keyport/domain"
)

// Paging is embedded in the input of each operation that lists.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" doc:"How many items at most; 50 if left out."`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next of the page before."`
}

func (p Paging) request() domain.PageRequest {
	return domain.PageRequest{Limit: p.Limit, Cursor: p.Cursor}
}

// A page is the answer of an operation that lists.
type page[T any] struct {
	Link string `header:"Link" doc:"The next page, with rel=next (RFC 8288)."`
	Body pageBody[T]
}

type pageBody[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"The cursor of the next page; left out on the last."`
}

// pageOf says a page of nouns in the words of the dialect. path is where the
// list stands.
func pageOf[T, V any](path string, asked domain.PageRequest, p domain.Page[T], view func(T) V) *page[V] {
	out := &page[V]{Body: pageBody[V]{Items: make([]V, len(p.Items)), Next: p.Next}}
	for i := range p.Items {
		out.Body.Items[i] = view(p.Items[i])
	}
	out.Link = following(path, make(url.Values), asked, p.Next)
	return out
}

// following says where the page behind a cursor is: at path, with the parameters of
// the page before, which query has but for those of asked. It is "" without a cursor.
func following(path string, query url.Values, asked domain.PageRequest, next string) string {
	if next == "" {
		return ""
	}
	query.Set("cursor", next)
	if asked.Limit != 0 {
		query.Set("limit", strconv.Itoa(asked.Limit))
	}
	return "<" + path + "?" + query.Encode() + `>; rel="next"`
}
