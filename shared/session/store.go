package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"bff.internal/shared/budget"
)

// within bounds one step in Redis, which may be all that a request with a session needs of it.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	return budget.Within(ctx, budget.Redis)
}

// errNoRecord means that there is no such session, or not any more.
var errNoRecord = errors.New("no such session")

// storeError is a Redis that did not do what it was asked.
type storeError struct{ error }

// Unwrap returns the error of Redis.
func (e storeError) Unwrap() error { return e.error }

// store keeps records in Redis. A session is known by the hash of its cookie, its id outside this package.
//
//	session:{id}               the sealed record; TTL: the idle time, or what is left of the lifetime
//	session:subject:{hash}     ids of a user's sessions, scored by their end; TTL: the end of the last one
//	session:provider:{hash}    the same by the session of the provider
//	session:lease:{id}         the replica that renews the session's tokens; TTL: three seconds, renewed
//	session:login:{id}         a login whose answer has come; TTL: until it could not come any more
type store struct {
	redis redis.UniversalClient
	keys  keyring
	idle  time.Duration
}

// saved is a record as it was read.
type saved struct {
	record

	sealed string
	// left is how long the session lasts without a request.
	left time.Duration
}

func recordKey(id string) string { return "session:{" + id + "}" }

func subjectKey(subject string) string { return "session:subject:{" + hashed("subject", subject) + "}" }

func providerKey(sid string) string { return "session:provider:{" + hashed("provider", sid) + "}" }

// hashed keeps what others chose out of keys, and makes it all the same length.
func hashed(kind, value string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + value))
	return hex.EncodeToString(sum[:])
}

// lasts is for how long a record is kept without a request.
func (s store) lasts(endsAt time.Time) time.Duration { return min(s.idle, time.Until(endsAt)) }

// create stores a new record. It is indexed first, so that no session exists which a logout would not find.
func (s store) create(ctx context.Context, id string, r record) error {
	ctx, cancel := within(ctx)
	defer cancel()
	lasts := s.lasts(r.endsAt)
	if lasts <= 0 {
		return errNoRecord
	}
	sealed, err := s.seal(id, r)
	if err != nil {
		return err
	}
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		index(ctx, p, subjectKey(r.subject), id, r.endsAt)
		if r.providerSession != "" {
			index(ctx, p, providerKey(r.providerSession), id, r.endsAt)
		}
		return nil
	})
	if err != nil {
		return storeError{err}
	}
	if err := s.redis.Set(ctx, recordKey(id), sealed, lasts).Err(); err != nil {
		return storeError{err}
	}
	return nil
}

// index adds a session to a list, and drops what has ended from it.
func index(ctx context.Context, p redis.Pipeliner, key, id string, endsAt time.Time) {
	p.ZRemRangeByScore(ctx, key, "-inf", strconv.FormatInt(time.Now().Unix(), 10))
	p.ZAdd(ctx, key, redis.Z{Score: float64(endsAt.Unix() + 1), Member: id})
	// The list lasts as long as the last of its sessions, which need not be the one that is added.
	lasts := time.Until(endsAt) + time.Second
	p.ExpireNX(ctx, key, lasts)
	p.ExpireGT(ctx, key, lasts)
}

// load reads a record. The error is errNoRecord, also for one that cannot be decrypted, or a storeError.
func (s store) load(ctx context.Context, id string) (saved, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	var (
		get  *redis.StringCmd
		left *redis.DurationCmd
	)
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		get, left = p.Get(ctx, recordKey(id)), p.PTTL(ctx, recordKey(id))
		return nil
	})
	if errors.Is(err, redis.Nil) {
		return saved{}, errNoRecord
	}
	if err != nil {
		return saved{}, storeError{err}
	}
	r, err := s.open(id, get.Val())
	if err != nil {
		return saved{}, errors.Join(errNoRecord, err)
	}
	if !time.Now().Before(r.endsAt) {
		return saved{}, errNoRecord
	}
	return saved{record: r, sealed: get.Val(), left: left.Val()}, nil
}

// prolong lets the session last for another idle time.
func (s store) prolong(ctx context.Context, id string, r record) error {
	ctx, cancel := within(ctx)
	defer cancel()
	if err := s.redis.PExpire(ctx, recordKey(id), s.lasts(r.endsAt)).Err(); err != nil {
		return storeError{err}
	}
	return nil
}

// swapScript replaces a value that is still what it was, and leaves its TTL alone.
//
//nolint:gochecknoglobals // read-only
var swapScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then
	redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
	return 1
end
return 0`)

// swap replaces the record that was read, unless it has ended or changed meanwhile: then swapped is false.
func (s store) swap(ctx context.Context, id string, was saved, r record) (swapped bool, err error) {
	ctx, cancel := within(ctx)
	defer cancel()
	sealed, err := s.seal(id, r)
	if err != nil {
		return false, err
	}
	done, err := swapScript.Run(ctx, s.redis, []string{recordKey(id)}, was.sealed, sealed).Bool()
	if err != nil {
		return false, storeError{err}
	}
	return done, nil
}

// end deletes a session. Who deletes it gets true: of several that try at once, one does.
func (s store) end(ctx context.Context, id string) (bool, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	deleted, err := s.redis.Del(ctx, recordKey(id)).Result()
	if err != nil {
		return false, storeError{err}
	}
	return deleted == 1, nil
}

// listed returns the sessions of an index. Some may have ended meanwhile.
func (s store) listed(ctx context.Context, key string) ([]string, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	ids, err := s.redis.ZRange(ctx, key, 0, -1).Result()
	if err != nil {
		return nil, storeError{err}
	}
	return ids, nil
}

// unlist takes a session that has ended out of the indexes.
func (s store) unlist(ctx context.Context, id string, r record) error {
	ctx, cancel := within(ctx)
	defer cancel()
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZRem(ctx, subjectKey(r.subject), id)
		if r.providerSession != "" {
			p.ZRem(ctx, providerKey(r.providerSession), id)
		}
		return nil
	})
	if err != nil {
		return storeError{err}
	}
	return nil
}

// once marks that the login's answer has come, until it could not come any more. The second time it is errReplayed.
func (s store) once(ctx context.Context, login string, until time.Time) error {
	ctx, cancel := within(ctx)
	defer cancel()
	err := s.redis.SetArgs(ctx, loginKey(login), "", redis.SetArgs{Mode: "NX", TTL: max(time.Until(until), time.Second)}).Err()
	if errors.Is(err, redis.Nil) {
		return errReplayed
	}
	if err != nil {
		return storeError{err}
	}
	return nil
}

// unmark lets the login's answer come again.
func (s store) unmark(ctx context.Context, login string) error {
	ctx, cancel := within(ctx)
	defer cancel()
	return s.redis.Del(ctx, loginKey(login)).Err()
}

func loginKey(login string) string { return "session:login:{" + login + "}" }

func (s store) seal(id string, r record) (string, error) {
	plain, err := r.encode()
	if err != nil {
		return "", err
	}
	return string(s.keys.seal(plain, "session "+id)), nil
}

func (s store) open(id, sealed string) (record, error) {
	plain, err := s.keys.open([]byte(sealed), "session "+id)
	if err != nil {
		return record{}, err
	}
	return decodeRecord(plain)
}
