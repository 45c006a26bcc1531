package apikey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"bff.internal/shared/secret"
)

const (
	// keptFor is how long one can still see that a key was revoked or has expired.
	keptFor = 30 * 24 * time.Hour
	// usedEvery is how exact the time of the last use is.
	usedEvery = time.Minute

	idsKey = "apikey:ids"
)

// ErrUnknown means that there is no such key, or not any more.
var ErrUnknown = errors.New("there is no such key")

// Store keeps keys in Redis. It may be used concurrently. Any error that is neither ErrUnknown nor an *InvalidError is
// that of Redis or of the context, or of a Config that does not pass its Validate.
type Store struct{ redis redis.UniversalClient }

// NewStore returns the keys in this Redis.
func NewStore(client redis.UniversalClient) *Store { return &Store{redis: client} }

func recordKey(id string) string { return "apikey:{" + id + "}" }

// Create makes a key under the first of the peppers. Nobody can find out the key later. The error is an *InvalidError
// when the request makes no sense.
func (s *Store) Create(ctx context.Context, cfg Config, request Request) (secret.String, Info, error) {
	now := time.Now()
	if err := request.validate(now); err != nil {
		return secret.String{}, Info{}, err
	}
	p, err := newPeppers(cfg.Pepper)
	if err != nil {
		return secret.String{}, Info{}, err
	}
	id, key := generate()
	scopes := slices.Clone(request.Scopes)
	slices.Sort(scopes)
	r := record{mac: p.mac(key.Reveal()), Info: Info{
		ID: id, Partner: request.Partner, Scopes: slices.Compact(scopes), Note: request.Note,
		Created: now.UTC().Truncate(time.Millisecond), Expires: request.Expires.UTC().Truncate(time.Millisecond),
	}}
	// Indexed first, so that no key works that no list shows.
	if err := s.redis.ZAdd(ctx, idsKey, redis.Z{Score: float64(now.UnixMilli()), Member: id}).Err(); err != nil {
		return secret.String{}, Info{}, err
	}
	_, err = s.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, recordKey(id), r.fields())
		if !r.Expires.IsZero() {
			p.PExpire(ctx, recordKey(id), r.Expires.Sub(now)+keptFor)
		}
		return nil
	})
	if err != nil {
		return secret.String{}, Info{}, err
	}
	return key, r.Info, nil
}

// Get returns what is known about a key, or ErrUnknown.
func (s *Store) Get(ctx context.Context, id string) (Info, error) {
	r, err := s.find(ctx, id)
	return r.Info, err
}

// List returns all keys that Redis knows, the oldest first, those that are over for 30 days more.
func (s *Store) List(ctx context.Context) ([]Info, error) {
	ids, err := s.redis.ZRange(ctx, idsKey, 0, -1).Result()
	if err != nil {
		return nil, err
	}
	list := make([]Info, 0, len(ids))
	for batch := range slices.Chunk(ids, 100) {
		answers := make([]*redis.MapStringStringCmd, len(batch))
		_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, id := range batch {
				answers[i] = p.HGetAll(ctx, recordKey(id))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for i, id := range batch {
			if len(answers[i].Val()) == 0 {
				s.forget(ctx, id)
			} else if r, err := parseRecord(id, answers[i].Val()); err == nil {
				list = append(list, r.Info)
			}
		}
	}
	return list, nil
}

// forget drops an id whose record is gone, unless the key is just being made: then it is indexed and not there yet.
func (s *Store) forget(ctx context.Context, id string) {
	if made, err := s.redis.ZScore(ctx, idsKey, id).Result(); err == nil && time.Since(time.UnixMilli(int64(made))) > time.Minute {
		s.redis.ZRem(ctx, idsKey, id)
	}
}

// revoke marks a record that exists, the first time counts, and lets it go after a while. In a Redis that is out of memory
// nothing can be marked, and a key has to end all the same: then its record goes at once, and 2 is returned.
//
//nolint:gochecknoglobals // a constant
var revoke = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local first = redis.pcall('HSETNX', KEYS[1], 'revoked', ARGV[1])
if type(first) == 'table' then
	if not string.find(first.err, 'OOM', 1, true) then return first end
	redis.call('DEL', KEYS[1])
	return 2
end
if first == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`)

// Revoke ends a key, and returns what is known about it. A key that is revoked already stays as it is. Where Redis is out
// of memory the record is deleted instead of kept for a while.
func (s *Store) Revoke(ctx context.Context, id string) (Info, error) {
	before, err := s.Get(ctx, id)
	if err != nil && !errors.Is(err, errBroken) {
		return Info{}, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	became, err := revoke.Run(ctx, s.redis, []string{recordKey(id)}, milliseconds(now), keptFor.Milliseconds()).Int()
	switch {
	case err != nil:
		return Info{}, err
	case became == 0:
		return Info{}, ErrUnknown
	case became == 2:
		before.ID, before.Revoked = id, now
		return before, nil
	default:
		return s.Get(ctx, id)
	}
}

// decoy is read in the place of a record that does not exist, so that it costs the same.
//
//nolint:gochecknoglobals // read-only
var decoy = record{Info: Info{Partner: "nobody", Scopes: []string{"nothing"}, Note: "nothing"}}.fields()

// find reads a record. The error is ErrUnknown, also for a record that is broken, or that of Redis.
func (s *Store) find(ctx context.Context, id string) (record, error) {
	fields, err := s.redis.HGetAll(ctx, recordKey(id)).Result()
	if err != nil {
		return record{}, err
	}
	if len(fields) == 0 {
		_, _ = parseRecord(id, decoy)
		return record{}, ErrUnknown
	}
	r, err := parseRecord(id, fields)
	if err != nil {
		return record{}, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return r, nil
}

// use notes that a key was used, but brings no record back that is gone.
//
//nolint:gochecknoglobals // a constant
var use = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'used', ARGV[1]) end
return 1`)

// used notes the use of a key, at most once a minute. That it was not noted is no reason to refuse anybody.
func (s *Store) used(ctx context.Context, r record, now time.Time) {
	if now.Sub(r.LastUsed) >= usedEvery {
		use.Run(ctx, s.redis, []string{recordKey(r.ID)}, milliseconds(now))
	}
}
