-- KEYS: match.
local held = read(KEYS[1])
if held.ended or not held.node then
  return nil
end
local is_held = held.lease_end > now and 1 or 0
local has_checkpoint = redis.call('HEXISTS', KEYS[1], 'checkpoint')
return { held.node, held.epoch, whole(held.lease_end), is_held, has_checkpoint, redis.call('HGET', KEYS[1], 'card') or '' }
