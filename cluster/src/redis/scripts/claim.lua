-- KEYS: match, records. ARGV: node, lease, how long an orphan is kept.
local held = read(KEYS[1])
if held.ended or not held.node then
  return { 'unknown' }
end
if held.lease_end > now then
  return { 'held', held.node, held.epoch }
end
local checkpoint = redis.call('HGET', KEYS[1], 'checkpoint')
if not checkpoint then
  return { 'unknown' }
end

local records = {}
local next = held.first
for _, record in ipairs(redis.call('XRANGE', KEYS[2], '-', '+')) do
  if record[1] ~= whole(next + 1) .. '-0' then
    break
  end
  records[#records + 1] = record[2][2]
  next = next + 1
end
local epoch = whole(number_of(held.epoch) + 1)
local lease = tonumber(ARGV[2])
-- `next` stays as it was: if records are missing here, the next one is a gap and asks for a checkpoint.
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'epoch', epoch, 'until', whole(now + lease), 'follows', '1')
redis.call('PEXPIRE', KEYS[1], lease + tonumber(ARGV[3]))
redis.call('PEXPIRE', KEYS[2], lease + tonumber(ARGV[3]))
return { 'granted', epoch, whole(now + lease), checkpoint, whole(held.first), records }
