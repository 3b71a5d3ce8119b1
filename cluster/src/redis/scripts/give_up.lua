-- KEYS: match. ARGV: node, epoch.
local held = read(KEYS[1])
if held.node ~= ARGV[1] or number_of(held.epoch) ~= tonumber(ARGV[2]) or held.lease_end <= now then
  return nil
end
redis.call('HSET', KEYS[1], 'until', whole(now))
return whole(now)
