// Package overload turns requests away when this process has as much to do as it can: at once, before anybody has
// spent anything on them, and never because a service behind it is slow.
//
// # Who gets in
//
// A caller may have fewer requests in flight than there are places free. That one rule keeps the total within the
// limit; gives a single caller half of the places at most, two callers a third each, and k of them one of k+1 parts; and
// leaves the last part to whoever comes next. It makes nobody wait.
//
// # Who is a caller
//
// Whom a request comes from is asked before anybody has authenticated it, so a credential counts for nothing until it
// has been accepted once (Confirm). From then on its requests count for whom it belongs to, so that a partner with ten
// keys is one caller. All others count for the client's address, an IPv6 one by its /64: a new credential with every
// request makes nobody more than that one caller. What is remembered of credentials and addresses are hashes under a
// key of this process; at most 16,384 credentials are, and one that was forgotten counts for its address once more.
//
// # How many
//
// The limit is between 64 for each CPU and Config.MaxInFlight. When goroutines that are ready wait long for a CPU it falls
// to an eighth below what was needed, and when they do not it grows by a sixteenth. A request looks at that, every 100 ms
// at most: a process without requests does nothing.
package overload
