package ground

// Elsewhere returns the site in the PostgreSQL database at url, which may be of a
// server of the caller's own, or lead there by detours.
func (g *Ground) Elsewhere(url string) (Site, error) {
	return g.site("PostgreSQL", "KEYPORT_DATABASE_URL="+url, "KEYPORT_MASTER_KEY="+g.master)
}
