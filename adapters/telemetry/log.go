package telemetry

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

var levels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

// NewLogger returns a logger that writes a line for each event of the given
// level or above to w, with times in UTC. format is "text", "json", or "auto":
// text where w is a terminal, else JSON. level is "debug", "info", "warn" or
// "error". It fails for any other, with both faults where there are two.
func NewLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var faults []error
	least, ok := levels[level]
	if !ok {
		faults = append(faults, fmt.Errorf("log level %q: want debug, info, warn or error", level))
	}
	options := &slog.HandlerOptions{Level: least, ReplaceAttr: inUTC}
	var h slog.Handler
	switch {
	case format == "text", format == "auto" && terminal(w):
		h = slog.NewTextHandler(w, options)
	case format == "json", format == "auto":
		h = slog.NewJSONHandler(w, options)
	default:
		faults = append(faults, fmt.Errorf("log format %q: want auto, text or json", format))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return slog.New(h), nil
}

func inUTC(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC().Truncate(time.Microsecond))
	}
	return a
}

// terminal reports whether w is a character device, as a terminal is.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
