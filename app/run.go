package app

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer // answers, and the log
}

const usage = `usage:
  keyport serve                   answer HTTP until interrupted
  keyport serve --demo [--dir D]  the same with ships to try, kept in .keyport-demo or D
  keyport migrate                 bring the database up to date
  keyport admin create LOGIN      open an administrator's account, and print its password
  keyport admin password [--stdin] LOGIN
                                  give an account a new password, made up and printed,
                                  or read from the first line of standard input
  keyport accounts import [--dry-run] [--passwords] [--dialect NAME] FILE
                                  open the accounts of an NDJSON or CSV file; - is
                                  standard input, NAME the older API they come from
  keyport accounts export [FILE]  write all accounts with their hashes, as NDJSON, to a
                                  new file; without one or with -, to standard output
  keyport collections apply [--dry-run] [DIR]
                                  declare the collections of the files in DIR, or of
                                  KEYPORT_COLLECTIONS, or tell what stands in the way
  keyport keys list               print the keys, and what each does now
  keyport keys rotate [USE...]    make a new key that will sign, for sign, refresh,
                                  cursor, or all of them
  keyport keys retire KEY         drop a key that is not trusted any more: what it
                                  signed is refused
  keyport keys reseal             seal the keys by the master key that
                                  KEYPORT_MASTER_KEY_OTHER has sealed
  keyport health                  ask the Keyport that listens here whether it is ready
  keyport backup [--with-key] FILE
                                  write the embedded database to a new file, while it is in
                                  use, and with it the master key to FILE.key; of PostgreSQL,
                                  tell what to run
  keyport restore FILE            put such a file where no embedded database is yet
  keyport copy FROM TO            carry all from one store into another, which is empty or
                                  half filled by the same copy: sqlite:PATH or postgres://…
  keyport env                     print all settings
  keyport version                 print the version
`

// errUsage is what Run returns for arguments that it does not know.
var errUsage = errors.New("no such command\n" + strings.TrimSuffix(usage, "\n"))

// These stand for any number of operands, and for one or none.
const (
	several  = -1
	optional = -2
)

// Run does what the arguments ask for, until it is done or ctx ends.
func Run(ctx context.Context, args []string, s Streams) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		_, err := io.WriteString(s.Out, usage)
		return err
	}
	verb, rest := args[0], args[1:]
	if (verb == "admin" || verb == "keys" || verb == "accounts" || verb == "collections") && len(rest) > 0 {
		verb, rest = verb+" "+rest[0], rest[1:]
	}
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var demo Demo
	var moving Import
	var on, stdin, dryRun, withKey bool
	operands := 0
	switch verb {
	case "serve":
		flags.BoolVar(&on, "demo", false, "")
		flags.StringVar(&demo.Dir, "dir", ".keyport-demo", "")
	case "admin create":
		operands = 1
	case "admin password":
		flags.BoolVar(&stdin, "stdin", false, "")
		operands = 1
	case "accounts import":
		flags.BoolVar(&moving.DryRun, "dry-run", false, "")
		flags.BoolVar(&moving.Passwords, "passwords", false, "")
		flags.StringVar(&moving.Dialect, "dialect", "", "")
		operands = 1
	case "accounts export":
		operands = optional
	case "collections apply":
		flags.BoolVar(&dryRun, "dry-run", false, "")
		operands = optional
	case "backup":
		flags.BoolVar(&withKey, "with-key", false, "")
		operands = 1
		if len(rest) == 2 && rest[1] == "--with-key" { // behind FILE it is known too
			slices.Reverse(rest)
		}
	case "keys retire", "restore":
		operands = 1
	case "copy":
		operands = 2
	case "keys rotate":
		operands = several
	case "migrate", "keys list", "keys reseal", "health", "env", "version":
	default:
		return errUsage
	}
	if err := flags.Parse(rest); err != nil {
		return errUsage
	}
	if n := flags.NArg(); n != operands && operands != several && (operands != optional || n > 1) {
		return errUsage
	}
	switch verb {
	case "env":
		return Usage(s.Out)
	case "version":
		_, err := fmt.Fprintln(s.Out, Version())
		return err
	}
	c, err := Load()
	if err != nil {
		return err
	}
	switch verb {
	case "health":
		return Health(ctx, c, s.Out)
	case "migrate":
		return Migrate(ctx, c)
	case "accounts import":
		moving.File = flags.Arg(0)
		return ImportAccounts(ctx, c, moving, s.In, s.Out, s.Err)
	case "accounts export":
		return ExportAccounts(ctx, c, cmp.Or(flags.Arg(0), "-"), s.Out, s.Err)
	case "collections apply":
		return ApplyCollections(ctx, c, flags.Arg(0), dryRun, s.Out, s.Err)
	case "backup":
		return Backup(ctx, c, flags.Arg(0), withKey, s.Out, s.Err)
	case "restore":
		return Restore(ctx, c, flags.Arg(0), s.Out, s.Err)
	case "copy":
		return Copy(ctx, c, flags.Arg(0), flags.Arg(1), s.Out, s.Err)
	case "keys list":
		return ListKeys(ctx, c, s.Out)
	case "keys rotate":
		return RotateKeys(ctx, c, flags.Args(), s.Out, s.Err)
	case "keys retire":
		return RetireKey(ctx, c, flags.Arg(0), s.Out, s.Err)
	case "keys reseal":
		return ResealKeys(ctx, c, s.Out, s.Err)
	case "admin create":
		return CreateAdministrator(ctx, c, flags.Arg(0), s.Out, s.Err)
	case "admin password":
		if !stdin {
			s.In = nil
		}
		return SetPassword(ctx, c, flags.Arg(0), s.In, s.Out, s.Err)
	}
	if !on {
		return Serve(ctx, c, nil, s.Err)
	}
	demo.Out = s.Out
	if c, err = demo.Prepare(c); err != nil {
		return err
	}
	return Serve(ctx, c, &demo, s.Err)
}
