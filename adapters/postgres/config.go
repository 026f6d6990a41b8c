package postgres

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keyport-go/keyport/ports"
)

// Config says where the server is and how it is used.
type Config struct {
	// URL leads to the database (PostgreSQL manual, section 34.1.1.2); required.
	// It may name several hosts, with target_session_attrs=read-write for the
	// primary among them. A setting of the server that stands in it, such as
	// lock_timeout, is preferred to the one below.
	URL string

	// MaxConns bounds the connections that are open at once. 0 stands for four a
	// CPU, and 16 at least; pool_max_conns in the URL has no say.
	MaxConns int32

	// AcquireTimeout bounds the wait for a free connection, and for room in the share
	// of the connections that records, accounts or transactions have; 0 stands for
	// 750 ms.
	AcquireTimeout time.Duration

	// StatementTimeout bounds one statement; 0 stands for 5 s. The server ends it
	// then. Where the server does not answer at all, a second later the
	// connection is given up.
	StatementTimeout time.Duration

	// Silence bounds how long nothing at all may come from the server, on whatever
	// connection, while a statement waits. Then the connection is given up. 0 is no
	// bound: what is set wants a caller who asks for something quick at least twice
	// as often, as who polls the bulletin does.
	Silence time.Duration

	// LockTimeout bounds the wait for a row or a table that somebody else holds; 0
	// stands for 1 s.
	LockTimeout time.Duration

	// CommitTimeout bounds how long a write may take to last: a statement that changes
	// something by itself, or the COMMIT of a transaction, the wait for a connection
	// included; 0 stands for 1.5 s. Where commits wait for a standby that is lost, no
	// timeout of the server's ends that. The connection is given up then, and the
	// write may be there or not.
	CommitTimeout time.Duration

	// IdleTimeout bounds how long a transaction may wait for its next statement;
	// 0 stands for 10 s.
	IdleTimeout time.Duration

	// ExecMode says how statements are sent: cache_statement, cache_describe,
	// exec or simple_protocol. "" leaves it to default_query_exec_mode in the
	// URL, else to cache_statement.
	ExecMode string

	// PgBouncer says that the URL leads to a PgBouncer in transaction mode. The
	// settings of the server, which it would refuse, are then not sent: set them
	// on the role, or in its connect_query.
	// "" for ExecMode stands for cache_describe, the one that 1.18 passes. Notices
	// are neither sent nor heard, for LISTEN needs a connection that stays.
	PgBouncer bool

	// OnNews is called when there may be news on the bulletin or among the events of
	// records, sooner than a poll would find it: when a replica on the same database
	// has committed a change or an event, and whenever the connection on which that is heard was made anew. It is
	// called from one goroutine, may be called for nothing, and should return at
	// once. Nothing is promised: a change may come without it, so whoever wants
	// all of them polls too. nil is nobody, and spends no connection; otherwise
	// one is open beside those of the pool. What is committed here is told to
	// others in any case.
	OnNews func()

	// OnStatement is told the text of each statement when it is sent, BEGIN and
	// COMMIT too, from many goroutines at once; nil is nobody. Preparing is no
	// statement, and no parameter is told. Notices, which go out after a commit,
	// are nobody's statements, and are told to nobody.
	OnStatement func(sql string)

	// Span traces the same, each statement under its text; nil traces nothing.
	Span ports.Span
}

// connectTimeout bounds the making of one connection to one host, unless the
// URL has a connect_timeout.
const connectTimeout = 2 * time.Second

var execModes = map[string]pgx.QueryExecMode{
	"cache_statement": pgx.QueryExecModeCacheStatement,
	"cache_describe":  pgx.QueryExecModeCacheDescribe,
	"exec":            pgx.QueryExecModeExec,
	"simple_protocol": pgx.QueryExecModeSimpleProtocol,
}

// withDefaults fills in what zero stands for. It says all that is wrong at once.
func (c Config) withDefaults() (Config, error) {
	var faults []error
	if c.URL == "" {
		faults = append(faults, errors.New("URL is required"))
	}
	if c.MaxConns < 0 {
		faults = append(faults, errors.New("MaxConns is negative"))
	}
	if _, known := execModes[c.ExecMode]; !known && c.ExecMode != "" {
		faults = append(faults, fmt.Errorf("ExecMode %q is none of cache_statement, cache_describe, exec, simple_protocol", c.ExecMode))
	}
	if c.MaxConns == 0 {
		c.MaxConns = int32(max(4*runtime.NumCPU(), 16))
	}
	if c.ExecMode == "" && c.PgBouncer {
		c.ExecMode = "cache_describe"
	}
	for _, t := range []struct {
		name  string
		value *time.Duration
		usual time.Duration
	}{
		{"AcquireTimeout", &c.AcquireTimeout, 750 * time.Millisecond},
		{"StatementTimeout", &c.StatementTimeout, 5 * time.Second},
		{"LockTimeout", &c.LockTimeout, time.Second},
		{"CommitTimeout", &c.CommitTimeout, 1500 * time.Millisecond},
		{"IdleTimeout", &c.IdleTimeout, 10 * time.Second},
	} {
		switch {
		case *t.value == 0:
			*t.value = t.usual
		case *t.value < time.Millisecond:
			faults = append(faults, fmt.Errorf("%s is less than 1 ms", t.name))
		}
	}
	if c.Silence != 0 && c.Silence < time.Millisecond {
		faults = append(faults, fmt.Errorf("%s is less than 1 ms", "Silence"))
	}
	return c, errors.Join(faults...)
}

// pool renders c, its defaults filled in, for pgx.
func (c Config) pool() (*pgxpool.Config, error) {
	p, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, err
	}
	p.MaxConns = c.MaxConns
	p.PingTimeout = connectTimeout
	p.MaxConnLifetimeJitter = p.MaxConnLifetime / 10
	if c.ExecMode != "" {
		p.ConnConfig.DefaultQueryExecMode = execModes[c.ExecMode]
	}
	if c.OnStatement != nil || c.Span != nil {
		p.ConnConfig.Tracer = tracer{c.OnStatement, c.Span}
	}
	settings := map[string]string{"application_name": "keyport"}
	if !c.PgBouncer {
		maps.Copy(settings, planning)
		settings["statement_timeout"] = milliseconds(c.StatementTimeout)
		settings["lock_timeout"] = milliseconds(c.LockTimeout)
		settings["idle_in_transaction_session_timeout"] = milliseconds(c.IdleTimeout)
	}
	dress(p.ConnConfig, settings)
	return p, nil
}

// Planning are the settings of the server for its plans: everything that is asked for
// has an index, and is wanted in the order of one. Left to itself the server walks along
// that only where its statistics say that this is less work, and of a collection that is
// new, or small beside others, they say nothing, or that it has one record. So a plan is
// made once, for whatever collection, and neither sorts nor reads a whole table unless it
// has to. Where it has to, it seems so dear that it would be compiled, which takes longer
// than to run it.
var planning = map[string]string{"plan_cache_mode": "force_generic_plan", "enable_sort": "off", "enable_seqscan": "off", "jit": "off"}

// hearing returns a connection like those of the pool, on which nothing is traced
// and silence is no fault.
func hearing(c *pgx.ConnConfig) *pgx.ConnConfig {
	c = c.Copy()
	c.Tracer = nil
	c.RuntimeParams["idle_session_timeout"] = "0"
	return c
}

// dress gives a connection the settings of the server that the URL does not
// have, and a bound on the time that its making takes.
func dress(c *pgx.ConnConfig, settings map[string]string) {
	for name, value := range settings {
		if _, set := c.RuntimeParams[name]; !set {
			c.RuntimeParams[name] = value
		}
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
