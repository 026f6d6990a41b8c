package main

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
)

// inspect returns the architecture of a program, as Go and OCI spell it. It fails
// where the program would not start on an image that holds nothing else: built for
// another system, or in need of a loader and libraries.
func inspect(program string) (architecture string, err error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", fmt.Errorf("%s: %w", program, err)
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["GOOS"] != "linux" {
		return "", fmt.Errorf("%s was built for %s: want GOOS=linux", program, settings["GOOS"])
	}
	f, err := elf.Open(program)
	if err != nil {
		return "", fmt.Errorf("%s: %w", program, err)
	}
	defer f.Close()
	for _, segment := range f.Progs {
		if segment.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s is not static: want CGO_ENABLED=0", program)
		}
	}
	if settings["-trimpath"] != "true" || settings["vcs.time"] != "" {
		return "", errors.New(program + " tells where or when it was built: want -trimpath -buildvcs=false")
	}
	return settings["GOARCH"], nil
}
