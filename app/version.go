package app

import "runtime/debug"

// version is set by the linker; see the Makefile.
var version string

// Version names the build: what the linker was told, else the module's own
// version, else "dev".
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
