// Package sqlite keeps Keyport's memory in one SQLite file: the embedded default,
// for one serving process. It is pure Go.
//
// It owns the file, its schema and migrations, the SQL, and what SQLite's result
// codes mean to the domain. It leaves hashing, sealing, judging and the clock to
// others.
//
// Reads run on a few connections that cannot write, one statement each. Writes
// run on one connection, which commits together whatever is waiting: a commit
// waits for the disk, and many writes share that wait. Each of them is told its
// outcome after the commit, so what is answered is durable.
package sqlite
