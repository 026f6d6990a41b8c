package pgtest_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/keyport-go/keyport/adapters/postgres/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(abandoned) != "" {
		abandon()
		return
	}
	pgtest.Main(m, func() error { return goleak.Find() })
}
