-- KEYS: values, ends. ARGV: whom it yields to (nobody: `none`; whatever is there: `first`; another value:
-- `same`), key, value, ttl, most. Returns what is kept.
make_room(KEYS[1], 'hash')
make_room(KEYS[2], 'zset')
forget(KEYS[1], KEYS[2])
local key, value = ARGV[2], ARGV[3]
if ARGV[1] ~= 'none' and is_kept(KEYS[2], key) then
  local kept = redis.call('HGET', KEYS[1], key)
  if kept and (ARGV[1] == 'first' or kept ~= value) then
    return kept
  end
end
if redis.call('HEXISTS', KEYS[1], key) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then
  local gone = redis.call('ZPOPMIN', KEYS[2])
  redis.call('HDEL', KEYS[1], gone[1] or key)
end
redis.call('HSET', KEYS[1], key, value)
keep_until(KEYS[1], KEYS[2], key, tonumber(ARGV[4]))
return value
