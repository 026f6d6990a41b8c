package httpapi

import (
	"net/http"

	"github.com/keyport-go/keyport/adapters/httpapi/wire"
)

type health struct {
	Status string `json:"status"`
}

// live says that the process answers. It asks nothing of the store.
func live(w http.ResponseWriter, _ *http.Request) { wire.Write(w, http.StatusOK, health{"live"}) }

// ready says whether requests can be served.
func (c Config) ready(w http.ResponseWriter, r *http.Request) {
	if err := c.Ready(r.Context()); err != nil {
		wire.ProblemOf(r.Context(), err).Write(w)
		return
	}
	wire.Write(w, http.StatusOK, health{"ready"})
}
