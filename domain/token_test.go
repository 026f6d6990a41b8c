package domain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/keyport-go/keyport/domain"
)

func TestAnAccessTokenIsDeadAtTheInstantItExpires(t *testing.T) {
	c := domain.Claims{Subject: "ada", Session: "s", Roles: []domain.Role{"admin"}, Issued: noon, Expires: noon.Add(10 * time.Minute)}
	if !c.Live(noon) || !c.Live(c.Expires.Add(-time.Nanosecond)) {
		t.Error("it is dead before")
	}
	if c.Live(c.Expires) || c.Live(c.Expires.Add(time.Hour)) || (domain.Claims{}).Live(noon) {
		t.Error("it is live afterwards")
	}
	if who := c.Asker(); who.Account != "ada" || who.Session != "s" || !slices.Equal(who.Roles, c.Roles) {
		t.Errorf("its bearer is %+v", who)
	}
}
