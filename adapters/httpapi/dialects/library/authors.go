package library

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/numbers"
	"github.com/keyport-go/keyport/domain/resources"
)

// create makes an author of the asker's. What a member must hold is for the schema
// to say; here they are only told apart from what else was sent.
func (d dialect) create(w http.ResponseWriter, r *http.Request, who domain.Asker) error {
	var in struct {
		Book        *string `json:"book"`
		BookerPrize bool    `json:"booker_prize"`
		Country     *string `json:"country"`
		Name        *string `json:"name"`
	}
	if err := wire.ReadObject(w, r, &in); err != nil {
		return err
	}
	members := map[string]any{"booker_prize": in.BookerPrize}
	for name, text := range map[string]*string{"book": in.Book, "country": in.Country, "name": in.Name} {
		if text != nil {
			members[name] = *text
		}
	}
	data, err := domain.DocumentOf(members)
	if err != nil {
		return err
	}
	author, err := d.Resources.Create(r.Context(), who, collection, data)
	if err != nil {
		return err
	}
	// The author is there whether or not it has its number: the next list sees to that.
	_, _ = d.Numbers.Of(r.Context(), Authors, string(author.ID))
	wire.Say(w, http.StatusOK, "new author created")
	return nil
}

// An author is how a record looks to its owner.
type author struct {
	Book        string `json:"book"`
	BookerPrize bool   `json:"booker_prize"`
	Country     string `json:"country"`
	ID          int64  `json:"id"`
	Name        string `json:"name"`
}

// viewAuthor leaves empty what is of another type than here: who declared the
// collection may have it so.
func viewAuthor(number int64, members map[string]any) author {
	a := author{ID: number}
	a.Book, _ = members["book"].(string)
	a.BookerPrize, _ = members["booker_prize"].(bool)
	a.Country, _ = members["country"].(string)
	a.Name, _ = members["name"].(string)
	return a
}

func (d dialect) list(w http.ResponseWriter, r *http.Request, who domain.Asker) error {
	records, err := d.records(r.Context(), who)
	if err != nil {
		return err
	}
	ids := make([]string, len(records))
	for i, record := range records {
		ids[i] = string(record.ID)
	}
	given, err := d.Numbers.Of(r.Context(), Authors, ids...)
	if err != nil {
		return err
	}
	list := make([]author, len(records))
	for i, record := range records {
		list[i] = viewAuthor(given[i], record.Data.Tree())
	}
	wire.Write(w, http.StatusOK, struct {
		Authors []author `json:"list_of_authors"`
	}{list})
	return nil
}

// records returns the first numbers.MaxList of what the asker may list.
func (d dialect) records(ctx context.Context, who domain.Asker) ([]domain.Record, error) {
	var all []domain.Record
	p := domain.PageRequest{Limit: domain.MaxLimit}
	for len(all) < numbers.MaxList {
		page, err := d.Resources.List(ctx, who, collection, resources.ListRequest{PageRequest: p})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			break
		}
		p.Cursor = page.Next
	}
	return all, nil
}

func (d dialect) remove(w http.ResponseWriter, r *http.Request, who domain.Asker) error {
	id, err := d.Numbers.ID(r.Context(), Authors, chi.URLParam(r, "number"))
	if err == nil {
		err = d.Resources.Delete(r.Context(), who, collection, domain.RecordID(id), 0)
	}
	if err != nil {
		return err
	}
	wire.Say(w, http.StatusOK, "Author deleted")
	return nil
}
