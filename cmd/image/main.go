// Command image makes Keyport's container image as an OCI layout, with no container
// engine, and drills it. What the image holds is what the last stage of
// deploy/Dockerfile says. The same program and the same certificates give the same
// digest, on any machine and at any time.
//
//	image build [-certificates FILE] [-version V] PROGRAM LAYOUT
//	image drill LAYOUT
//
// It builds no program and pushes nothing: the Makefile does the one, and any tool
// that reads OCI layouts the other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage:
  image build [-certificates FILE] [-version V] PROGRAM LAYOUT
               make the image of a static program as an OCI layout, and print its digest
  image drill LAYOUT
               start the image of a layout in a sandbox, ask it how it is, and stop it`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("nothing to do\n" + usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	certificates := "/etc/ssl/certs/ca-certificates.crt"
	version := "unknown"
	operands := 1
	switch args[0] {
	case "build":
		flags.StringVar(&certificates, "certificates", certificates, "")
		flags.StringVar(&version, "version", version, "")
		operands = 2
	case "drill":
	default:
		return errors.New("no such command\n" + usage)
	}
	if err := flags.Parse(args[1:]); err != nil || flags.NArg() != operands {
		return errors.New("wrong arguments\n" + usage)
	}
	if args[0] == "drill" {
		return drill(ctx, flags.Arg(0), out)
	}
	return build(flags.Arg(0), certificates, version, flags.Arg(1), out)
}
