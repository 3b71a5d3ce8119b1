-- KEYS: values, ends. ARGV: key, a new ttl or nothing.
if not is_kept(KEYS[2], ARGV[1]) then
  return nil
end
local value = redis.call('HGET', KEYS[1], ARGV[1])
if value and ARGV[2] ~= '' then
  keep_until(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]))
end
return value
