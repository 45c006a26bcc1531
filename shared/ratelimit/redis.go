package ratelimit

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/redis/go-redis/v9"

	"bff.internal/shared/budget"
)

// redisWithin is what a request may wait for Redis, together with what it waited before.
const redisWithin = budget.Redis

// takeScript takes a request from the bucket KEYS[1], if there is one, and after that what the caller owes. It returns
// whether there was one, and the level. All numbers are whole and below 2^53; ceil of a quotient of such is exact.
//
//nolint:gochecknoglobals // read-only
var takeScript = redis.NewScript(`
local unit, refill, capacity, owed = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local level, at, was = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+) ([1-9]%d*)$')
if level then
	level, at, was = tonumber(level), tonumber(at), tonumber(was)
	if was ~= unit then
		local part = level % was
		level = (level - part) / was * unit + math.floor(part / was * unit)
	end
	local elapsed = math.max(now - at, 0)
	if elapsed >= math.ceil((capacity - level) / refill) then
		level = capacity
	else
		level = level + elapsed * refill
	end
else
	level = capacity
end

local allowed = 0
if level >= unit then
	allowed, level = 1, level - unit
end
level = math.max(level - owed, 0)

local full = math.ceil((capacity - level) / refill)
redis.call('SET', KEYS[1], string.format('%.0f %.0f %.0f', level, now, unit), 'PX', string.format('%.0f', math.ceil(full / 1000) + 1000))
return {allowed, level}`)

func (l *Limiter) key(id callerID) string {
	return "limit:" + l.opts.Name + ":{" + hex.EncodeToString(id[:]) + "}"
}

// ask lets Redis decide, and charges the caller with so many requests more.
func (l *Limiter) ask(ctx context.Context, id callerID, owed int64) (decision, error) {
	ctx, cancel := budget.Within(ctx, l.within)
	defer cancel()
	args := append(make([]any, 0, len(l.args)+1), l.args...)
	args = append(args, min(owed*l.whole.unit, l.whole.capacity))
	answer, err := takeScript.Run(ctx, l.opts.Redis, []string{l.key(id)}, args...).Int64Slice()
	if err != nil {
		return decision{}, err
	}
	if len(answer) != 2 {
		return decision{}, fmt.Errorf("redis answers %d numbers", len(answer))
	}
	return l.whole.decision(answer[0] == 1, answer[1], l.policy, "redis"), nil
}
