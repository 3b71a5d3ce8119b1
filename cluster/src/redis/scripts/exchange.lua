-- KEYS: values, ends. ARGV: ttl, then keys, what they must be and what they become by turns.
make_room(KEYS[1], 'hash')
make_room(KEYS[2], 'zset')
for at = 2, #ARGV, 3 do
  local kept = is_kept(KEYS[2], ARGV[at]) and redis.call('HGET', KEYS[1], ARGV[at])
  if not kept or (kept ~= ARGV[at + 1] and kept ~= ARGV[at + 2]) then
    return 0
  end
end
for at = 2, #ARGV, 3 do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 2])
  keep_until(KEYS[1], KEYS[2], ARGV[at], tonumber(ARGV[1]))
end
return 1
