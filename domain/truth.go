package domain

// A Truth is the value of a condition on a record: true, false, or unknown, as when
// a member that it asks about is not there. Truths combine as Kleene's three values
// do, which is how both CEL's errors and SQL's null combine.
type Truth int8

// The three values. Unknown is the zero Truth.
const (
	Unknown Truth = iota
	False
	True
)

// TruthOf returns True or False.
func TruthOf(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Not returns the opposite; of Unknown that is Unknown.
func (t Truth) Not() Truth {
	return [...]Truth{Unknown: Unknown, False: True, True: False}[t]
}

// And is False where either is, whatever the other; True where both are.
func (t Truth) And(u Truth) Truth {
	switch {
	case t == False || u == False:
		return False
	case t == True && u == True:
		return True
	}
	return Unknown
}

// Or is True where either is, whatever the other; False where both are.
func (t Truth) Or(u Truth) Truth { return t.Not().And(u.Not()).Not() }
