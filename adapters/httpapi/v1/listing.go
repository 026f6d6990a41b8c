package v1

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// maxFilter is the longest filter that is read, in bytes.
const maxFilter = 2048

// Filtering is embedded in the input of what is done with some records of a
// collection.
type Filtering struct {
	Filter string `query:"filter" doc:"Which records: an expression in CEL over account and record, such as record.data.length > 10, of at most 2048 bytes."`
}

// check fails with domain.ErrInvalidFilter for what is not worth reading.
func (f Filtering) check() error {
	switch {
	case len(f.Filter) > maxFilter:
		return domain.ErrInvalidFilter.At("filter", "too-long", "want at most 2048 bytes")
	case !utf8.ValidString(f.Filter) || strings.ContainsRune(f.Filter, 0):
		return domain.ErrInvalidFilter.At("filter", "invalid-text", "want UTF-8 without NUL")
	}
	return nil
}

// Listing is embedded in the input that asks for a list of records.
type Listing struct {
	Filtering
	Sort   string `query:"sort" doc:"The order: one of the collection's indexes, such as -length,model, or its reverse; or id, created_at or updated_at, and a hyphen in front if it descends. By id if left out."`
	Search string `query:"q" doc:"Words that the records have in the fields that the collection searches; of the last the beginning is enough. At most 10 words, and 200 bytes."`
	Count  string `query:"count" enum:"exact,estimate" doc:"Whether to count the whole list: to the end, or as far as is cheap."`
	Showing
	Paging
}

// request returns what is asked for.
func (l Listing) request() (resources.ListRequest, error) {
	r := resources.ListRequest{
		PageRequest: l.Paging.request(), Filter: l.Filter, Search: l.Search,
		Count: map[string]resources.Counting{"exact": resources.ExactCount, "estimate": resources.EstimateCount}[l.Count],
	}
	if err := errors.Join(l.Filtering.check(), l.Showing.check()); err != nil {
		return r, err
	}
	var err error
	r.Sort, err = domain.ParseSort(l.Sort)
	return r, moved(err, domain.ErrInvalidSort, "sort")
}

// parameters returns all that says which list it is, and how it is shown.
func (l Listing) parameters() url.Values {
	query := make(url.Values)
	for name, text := range map[string]string{
		"filter": l.Filter, "sort": l.Sort, "q": l.Search, "count": l.Count, "fields": strings.Join(l.Fields, ","),
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	return query
}

// A listing is a page of records.
type listing struct {
	Link string `header:"Link" doc:"The next page, with rel=next (RFC 8288)."`
	Body listingBody
}

type listingBody struct {
	Items []record `json:"items" nullable:"false"`
	Next  string   `json:"next,omitempty" doc:"The cursor of the next page; left out on the last."`
	Count *total   `json:"count,omitempty" doc:"Of the whole list, where it was asked for."`
}

type total struct {
	Value int  `json:"value"`
	Exact bool `json:"exact" doc:"Whether there are just so many; if not, there are more."`
}

// AppendJSON implements wire.Appender.
func (l listingBody) AppendJSON(b []byte) []byte {
	const beside = 200 // bytes of a record beside its data
	size := beside
	for _, r := range l.Items {
		size += beside + len(r.Data.Text())
	}
	b = append(slices.Grow(b, size), `{"items":[`...)
	for i, r := range l.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.AppendJSON(b)
	}
	b = append(b, ']')
	if l.Next != "" {
		b = appendText(append(b, `,"next":`...), l.Next)
	}
	if l.Count != nil {
		b = strconv.AppendInt(append(b, `,"count":{"value":`...), int64(l.Count.Value), 10)
		b = append(strconv.AppendBool(append(b, `,"exact":`...), l.Count.Exact), '}')
	}
	return append(b, '}')
}

func (d dialect) listRecords(ctx context.Context, who domain.Asker, in *struct {
	Caller
	OneCollection
	Listing
},
) (*listing, error) {
	name, err := domain.ParseCollectionName(in.Name)
	if err != nil {
		return nil, err
	}
	request, err := in.Listing.request()
	if err != nil {
		return nil, err
	}
	l, err := d.Resources.List(ctx, who, name, request)
	if err != nil {
		return nil, blamed(err)
	}
	out := &listing{Body: listingBody{Items: make([]record, len(l.Items)), Next: l.Next}}
	for i, r := range l.Items {
		if out.Body.Items[i], err = in.view(r); err != nil {
			return nil, err
		}
	}
	if l.Count != nil {
		out.Body.Count = &total{l.Count.Value, l.Count.Exact}
	}
	out.Link = following("/v1/collections/"+in.Name+"/records", in.parameters(), request.PageRequest, l.Next)
	return out, nil
}

// blamed names the parameter that a refusal of a list is about, where it names none.
func blamed(err error) error {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || len(e.Fields) > 0 {
		return err
	}
	for _, about := range []struct {
		refusal         *domain.Error
		parameter, want string
	}{
		{domain.ErrInvalidFilter, "filter", "want an expression in CEL over account and record"},
		{domain.ErrNotSorted, "sort", "want id, created_at, updated_at, or an index of the collection, or the reverse of one"},
		{domain.ErrInvalidSearch, "q", "want 1 to 10 words, of at most 200 bytes in all"},
		{domain.ErrNotSearched, "q", "want a collection that declares what is searched, and has it entered"},
		{domain.ErrInvalidCursor, "cursor", "want the next of the page before, with the same parameters"},
	} {
		if errors.Is(e, about.refusal) {
			return e.At(about.parameter, e.Code, about.want)
		}
	}
	return err
}
