package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyport-go/keyport/adapters/telemetry"
	"github.com/keyport-go/keyport/domain"
)

func TestALineIsJSONOrTextAsAskedFor(t *testing.T) {
	for format, want := range map[string]string{
		"json": `"msg":"served","status":200,"password":"[secret]"}`,
		"auto": `"msg":"served","status":200,"password":"[secret]"}`,
		"text": `msg=served status=200 password=[secret]`,
	} {
		var b bytes.Buffer
		log, err := telemetry.NewLogger(&b, format, "info")
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("not told")
		log.Info("served", "status", 200, "password", domain.NewPassword("Tr0ub4dor"))
		if got := strings.TrimSuffix(b.String(), "\n"); !strings.HasSuffix(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestTimesAreUTC(t *testing.T) {
	var b bytes.Buffer
	log, err := telemetry.NewLogger(&b, "json", "info")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("x", "at", time.Date(2026, 1, 2, 3, 4, 5, 6007, time.FixedZone("", 3600)))
	var line struct{ Time, At string }
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.At != "2026-01-02T02:04:05.000006Z" || !strings.HasSuffix(line.Time, "Z") {
		t.Errorf("%+v", line)
	}
}

func TestAutoAsksWhetherItIsATerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// The null device is a character device, like a terminal.
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	for _, c := range []struct {
		to   *os.File
		text bool
	}{{file, false}, {device, true}} {
		log, err := telemetry.NewLogger(c.to, "auto", "info")
		if err != nil {
			t.Fatal(err)
		}
		if _, text := log.Handler().(*slog.TextHandler); text != c.text {
			t.Errorf("%s: text is %t", c.to.Name(), text)
		}
	}
}

func TestALevelLeavesOutWhatIsBelow(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1} {
		var b bytes.Buffer
		log, err := telemetry.NewLogger(&b, "text", level)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("x")
		log.Info("x")
		log.Warn("x")
		log.Error("x")
		if got := strings.Count(b.String(), "\n"); got != want {
			t.Errorf("%s tells %d, want %d", level, got, want)
		}
	}
}

func TestBothFaultsAreToldAtOnce(t *testing.T) {
	_, err := telemetry.NewLogger(&bytes.Buffer{}, "xml", "loud")
	if err == nil || !strings.Contains(err.Error(), `"loud"`) || !strings.Contains(err.Error(), `"xml"`) {
		t.Error(err)
	}
}
