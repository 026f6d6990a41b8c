package v1

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
	"github.com/keyport-go/keyport/domain"
	"github.com/keyport-go/keyport/domain/resources"
)

// A question asks whether something may be done.
type question struct {
	Action     domain.Verb `json:"action" enum:"list,read,create,update,delete"`
	Collection string      `json:"collection"`
	ID         string      `json:"id,omitempty" doc:"The id of the record; to read, update and delete it is needed."`
	Data       *document   `json:"data,omitempty" doc:"What the record would be made of, or have in place of what it has. Without it the rules alone are asked."`
	Account    string      `json:"account,omitempty" doc:"The id of the account on whose behalf administrators ask; your own if left out."`
}

// inquiry reads a question. It fails with domain.ErrInvalid where the members do not
// go together, and with domain.ErrCollectionNotFound.
func (q question) inquiry() (resources.Inquiry, error) {
	i := resources.Inquiry{Verb: q.Action}
	var err error
	one := q.Action == domain.VerbRead || q.Action == domain.VerbUpdate || q.Action == domain.VerbDelete
	switch {
	case one && q.ID == "":
		return i, domain.ErrInvalid.At("/id", "required", "want the id of the record")
	case q.Action == domain.VerbList && q.ID != "":
		return i, domain.ErrInvalid.At("/id", "superfluous", "want none: a list is of no single record")
	case q.Data != nil && q.Action != domain.VerbCreate && q.Action != domain.VerbUpdate:
		return i, domain.ErrInvalid.At("/data", "superfluous", "want none but to create or update")
	}
	if q.ID != "" {
		if i.ID, err = domain.ParseRecordID(q.ID); err != nil {
			return i, domain.ErrInvalid.At("/id", "invalid-id", wantID)
		}
	}
	if q.Account != "" {
		if i.Account, err = domain.ParseAccountID(q.Account); err != nil {
			return i, domain.ErrInvalid.At("/account", "invalid-id", wantID)
		}
	}
	if q.Data != nil {
		i.Data = &q.Data.Document
	}
	i.Collection, err = domain.ParseCollectionName(q.Collection)
	return i, err
}

// A verdict says whether something may be done, and why.
type verdict struct {
	Allowed bool     `json:"allowed" doc:"Whether the request would be carried out, as far as that can be told without doing it."`
	Refusal *refused `json:"refusal,omitempty" doc:"What the request would be refused with."`
	Rules   []ruling `json:"rules" nullable:"false" doc:"The rules that were asked, in that order. None of them is told of a record that you may not know of."`
}

type refused struct {
	Code   string       `json:"code" doc:"The last part of the problem's type."`
	Status int          `json:"status"`
	Detail string       `json:"detail"`
	Errors []wire.Fault `json:"errors,omitempty" nullable:"false" doc:"The inputs at fault."`
}

type ruling struct {
	Rule       domain.Verb `json:"rule" enum:"list,read,create,update,delete"`
	Expression string      `json:"expression"`
	Allowed    bool        `json:"allowed"`
	Clauses    []clause    `json:"clauses" nullable:"false" doc:"What the rule joins by && at its outermost."`
}

type clause struct {
	Text   string    `json:"text"`
	Value  string    `json:"value" enum:"true,false,unknown" doc:"A rule allows where each clause is true. Unknown is what cannot be evaluated, such as a member that is not there."`
	Values []reading `json:"values" nullable:"false" doc:"What the expressions in it came to."`
}

type reading struct {
	Expression string          `json:"expression"`
	Value      json.RawMessage `json:"value" doc:"Any JSON value; null also for what cannot be evaluated."`
	Cut        bool            `json:"cut,omitzero" doc:"Whether the value is too long to be told: then it is a text, of how its JSON begins."`
}

func viewFinding(f resources.Finding) verdict {
	out := verdict{Allowed: f.Allowed, Rules: make([]ruling, len(f.Rulings))}
	if f.Refusal != nil {
		_, status := wire.Title(f.Refusal.Kind)
		out.Refusal = &refused{Code: f.Refusal.Code, Status: status, Detail: f.Refusal.Detail}
		for _, field := range f.Refusal.Fields {
			out.Refusal.Errors = append(out.Refusal.Errors, wire.Fault{Pointer: field.Path, Code: field.Code, Detail: field.Problem})
		}
	}
	for i, r := range f.Rulings {
		out.Rules[i] = ruling{r.Verb, r.Rule, r.Allowed, make([]clause, len(r.Clauses))}
		for n, c := range r.Clauses {
			out.Rules[i].Clauses[n] = viewClause(c)
		}
	}
	return out
}

func viewClause(c domain.Clause) clause {
	truth := map[domain.Truth]string{domain.True: "true", domain.False: "false", domain.Unknown: "unknown"}[c.Value]
	out := clause{c.Text, truth, make([]reading, len(c.Readings))}
	for i, r := range c.Readings {
		out.Values[i] = viewReading(r)
	}
	return out
}

func viewReading(r domain.Reading) reading {
	out := reading{Expression: r.Text, Value: json.RawMessage(cmp.Or(r.Value, "null"))}
	if !json.Valid(out.Value) {
		out.Cut = true
		out.Value, _ = json.Marshal(r.Value) // a text always can be
	}
	return out
}

func (d dialect) authorize() {
	op := operation("check-authority", http.MethodPost, "/v1/authorize:check", "Ask whether something may be done with records, and why", http.StatusOK, 401, 403, 404)
	op.Tags = []string{"records"}
	asked(d, op, d.checkAuthority)
}

func (d dialect) checkAuthority(ctx context.Context, who domain.Asker, in *struct {
	Caller
	Body question
},
) (*struct{ Body verdict }, error) {
	inquiry, err := in.Body.inquiry()
	if err != nil {
		return nil, err
	}
	f, err := d.Resources.Check(ctx, who, inquiry)
	if err != nil {
		return nil, err
	}
	return &struct{ Body verdict }{viewFinding(f)}, nil
}
