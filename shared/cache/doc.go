// Package cache keeps the answers of services for the callers they were given to, as RFC 9111 lets a private cache do,
// with stale-while-revalidate and stale-if-error of RFC 5861.
//
// An [Exchange] that may be kept becomes an [Entry], which knows how long it is fresh and what it may be used for after
// that. A [Store] holds entries within a bound of bytes. It gives one to the caller it was made for and to nobody else,
// unless the service called the answer public. After a write ([Store.Changed]) it gives nothing that was asked for
// before the write ended.
//
// What is kept is the decoded value and not the body. Values are shared: whoever gets one must not change it, nor
// anything that it points to.
//
// The package neither sends requests nor judges methods and statuses. Only complete answers of 200 to a GET belong here.
// Lifetimes are those that services state; none is guessed.
package cache
