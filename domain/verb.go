package domain

// A Verb is what somebody wants to do with records.
type Verb string

// The verbs, of which each has a rule.
const (
	VerbList   Verb = "list"
	VerbRead   Verb = "read"
	VerbCreate Verb = "create"
	VerbUpdate Verb = "update"
	VerbDelete Verb = "delete"
)

// Of returns the rule for a verb.
func (r Rules) Of(v Verb) string {
	return map[Verb]string{
		VerbList: r.List, VerbRead: r.Read, VerbCreate: r.Create, VerbUpdate: r.Update, VerbDelete: r.Delete,
	}[v]
}

// Verbs returns all verbs.
func Verbs() []Verb { return []Verb{VerbList, VerbRead, VerbCreate, VerbUpdate, VerbDelete} }
