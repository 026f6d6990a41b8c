package app_test

import (
	"testing"

	"github.com/keyport-go/keyport/ports/porttest"
)

// TestStoresAgree plays the same random operations on all three stores, and wants
// the same answers.
func TestStoresAgree(t *testing.T) {
	porttest.TestModel(t, openFake, openSQLite, openPostgres)
}
