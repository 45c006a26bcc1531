// Package ratelimit limits how many requests a caller may make: each caller has a token bucket that holds Burst
// requests and is refilled continuously, Requests in each Per.
//
// # With Redis
//
// The bucket is in Redis, and one script decides about one request, by whole numbers and the clock of Redis. Over all
// replicas together a caller is admitted at most Burst + Requests × elapsed ÷ Per requests, and one who keeps asking
// exactly as many. A change of the limit counts from the next request on, and what is left in the bucket stays. A
// request that is refused costs nothing. One whose answer from Redis got lost may have been counted: a doubt is never
// in favour of the caller.
//
// A clock of Redis that goes back, as that of the next node after a failover may, refills nothing for that once and
// locks nobody out. A Redis that has lost its data has full buckets.
//
// # Without Redis
//
// When Redis refuses, does not answer in time, is read-only or out of memory, this process decides: each replica
// gives a caller its share, Requests ÷ replicas and Burst ÷ replicas, at least one of each, and the headers say so. Then
// Redis is left alone for half a second; after that one request asks it, and the others do not wait. So a Redis that is
// back is noticed within a second or so by a replica that has requests, two where go-redis has given up dialling
// meanwhile. The log has at most one line a minute about it.
//
// What a replica admitted by itself, and its own bucket would not have got back since, is taken from the bucket in Redis
// at the caller's next request there, once Redis is known to be back; the bucket does not go below empty. So an outage
// gives nobody more than one Burst, and a few requests, above the limit. Nor does a Redis that comes and goes all the
// time give more than twice the limit, for the buckets of this process stay as they are in between.
//
// A process remembers 10,000 callers. Who asks as one more displaces the one who has not asked for longest, who then
// has a full share again and is not charged. Buckets that are full are forgotten anyway.
//
// # Keys
//
//	limit:<name>:{<SHA-256>}  the bucket of a caller, "<level> <time> <unit>"; TTL: until it is full, and a second
//	replicas:{<name>}         the replicas by their last beat; TTL: ten seconds
//
// One request costs <unit>, which is Per in microseconds; <level> grows by Requests in a microsecond. The hash keeps
// what callers are called out of Redis, and all keys short. No key is a full bucket.
package ratelimit
