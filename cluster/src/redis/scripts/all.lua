-- KEYS: values, ends. ARGV: most. Returns keys and values by turns.
local found = {}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. whole(now), '+inf', 'LIMIT', 0, ARGV[1])) do
  local value = redis.call('HGET', KEYS[1], key)
  if value then
    found[#found + 1] = key
    found[#found + 1] = value
  end
end
return found
