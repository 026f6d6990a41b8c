package jose

// Stats is what a Keyring or a Reader tells of its work since it was made.
type Stats struct {
	Signatures int64 // access tokens whose signature was checked
	Recalled   int64 // access tokens that were remembered, so that it was not
	Remembered int   // access tokens that are remembered at the moment, about
}

func (c *checker) stats() Stats {
	return Stats{Signatures: c.signatures.Load(), Recalled: c.recalled.Load(), Remembered: c.memory.size()}
}
