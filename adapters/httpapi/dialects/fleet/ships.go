package fleet

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/numbers"
	"github.com/keyport-go/keyport/domain/resources"
)

// collection holds the ships. Its rules say who may do what.
const collection domain.CollectionName = "ships"

// shipForm is what is said of a ship.
var shipForm = form{
	{name: "id", read: whole, optional: true},
	{name: "affiliation", read: text(0)},
	{name: "category", read: text(0)},
	{name: "crew", read: whole},
	{name: "length", read: whole},
	{name: "manufacturer", read: text(0)},
	{name: "model", read: text(0)},
	{name: "roles", read: texts},
	{name: "ship_class", read: text(0)},
}

// A ship is how a record looks here: what shipForm names of its data, with every
// number as it is written there, and the id.
type ship map[string]jsontext.Value

func viewShip(n int64, r domain.Record) (ship, error) {
	var data map[string]jsontext.Value
	if err := wire.Unmarshal([]byte(r.Data.Text()), &data); err != nil {
		return nil, err
	}
	view := make(ship, len(shipForm))
	for _, field := range shipForm {
		if v, there := data[field.name]; there {
			view[field.name] = v
		}
	}
	view["id"] = jsontext.Value(strconv.FormatInt(n, 10))
	return view, nil
}

// listShips shows all ships, in the order of their numbers. Those that came in by
// other doors get theirs now.
func (d dialect) listShips(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	records, err := d.allShips(ctx)
	if err != nil {
		return err
	}
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = string(r.ID)
	}
	ns, err := d.Numbers.Of(ctx, Ships, ids...)
	if err != nil {
		return err
	}
	order := make([]int, len(records))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(ns[i], ns[j]) })
	list := make([]ship, len(records))
	for at, i := range order {
		if list[at], err = viewShip(ns[i], records[i]); err != nil {
			return err
		}
	}
	wire.Write(w, http.StatusOK, list)
	return nil
}

// allShips returns the ships that anybody may list, in the order of their ids: the
// first numbers.MaxList.
func (d dialect) allShips(ctx context.Context) ([]domain.Record, error) {
	var all []domain.Record
	for p := (domain.PageRequest{Limit: domain.MaxLimit}); len(all) < numbers.MaxList; {
		page, err := d.Resources.List(ctx, domain.Asker{}, collection, resources.ListRequest{PageRequest: p})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if p.Cursor = page.Next; p.Cursor == "" {
			break
		}
	}
	return all[:min(len(all), numbers.MaxList)], nil
}

func (d dialect) readShip(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id, err := d.Numbers.ID(ctx, Ships, number(r))
	if err != nil {
		return err
	}
	record, err := d.Resources.Get(ctx, domain.Asker{}, collection, domain.RecordID(id))
	if err != nil {
		return err
	}
	return writeShip(w, number(r), record)
}

// writeShip shows a record under the number that its URL has.
func writeShip(w http.ResponseWriter, number string, r domain.Record) error {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return err
	}
	view, err := viewShip(n, r)
	if err == nil {
		wire.Write(w, http.StatusOK, view)
	}
	return err
}

func (d dialect) createShip(w http.ResponseWriter, r *http.Request, who domain.Asker) error {
	members, err := object(w, r)
	if err != nil {
		return err
	}
	if members, err = shipForm.create(members); err != nil {
		return err
	}
	data, err := domain.DocumentOf(members)
	if err != nil {
		return err
	}
	ctx := r.Context()
	record, err := d.Resources.Create(ctx, who, collection, data)
	if err != nil {
		return err
	}
	ns, err := d.Numbers.Of(ctx, Ships, string(record.ID))
	if err != nil {
		return err
	}
	view, err := viewShip(ns[0], record)
	if err != nil {
		return err
	}
	d.created(w, ships, ns[0], view)
	return nil
}

// replaceShip judges what was sent before it looks whether there is such a ship.
func (d dialect) replaceShip(w http.ResponseWriter, r *http.Request, who domain.Asker) error {
	members, err := object(w, r)
	if err != nil {
		return err
	}
	if members, err = shipForm.replace(members, number(r)); err != nil {
		return err
	}
	data, err := domain.DocumentOf(members)
	if err != nil {
		return err
	}
	ctx := r.Context()
	id, err := d.Numbers.ID(ctx, Ships, number(r))
	if err != nil {
		return err
	}
	record, err := d.Resources.Replace(ctx, who, collection, domain.RecordID(id), 0, data)
	if err != nil {
		return err
	}
	return writeShip(w, number(r), record)
}

func (d dialect) deleteShip(w http.ResponseWriter, r *http.Request, who domain.Asker) error {
	ctx := r.Context()
	id, err := d.Numbers.ID(ctx, Ships, number(r))
	if err != nil {
		return err
	}
	if err := d.Resources.Delete(ctx, who, collection, domain.RecordID(id), 0); err != nil {
		return err
	}
	gone(w)
	return nil
}
