-- KEYS: match, records. ARGV: node, epoch, lease, how long an orphan is kept, most records, 1 if there is
-- a card, the card, the checkpoint's number or nothing, the checkpoint, then numbers and records by turns.
make_room(KEYS[1], 'hash')
make_room(KEYS[2], 'stream')
local node, epoch, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local held = read(KEYS[1])
local fenced = fence(held, node, epoch)
if fenced then
  return fenced
end
if held.ended then
  redis.call('DEL', KEYS[1], KEYS[2])
  held = read(KEYS[1])
end

local is_known = held.node == node and number_of(held.epoch) == epoch
local first, next = held.first, held.next
local follows = is_known and held.follows and redis.call('XLEN', KEYS[2]) == next - first

local number = tonumber(ARGV[8])
-- One from before what is here belongs to a write that was on its way for long: a newer has overtaken it.
if number and not (follows and number < first) then
  if follows and number <= next then
    redis.call('XTRIM', KEYS[2], 'MINID', whole(number + 1))
  else
    redis.call('DEL', KEYS[2])
    next = number
  end
  first = number
  follows = true
  redis.call('HSET', KEYS[1], 'checkpoint', ARGV[9])
end

local is_complete = follows
for at = 10, #ARGV, 2 do
  number = tonumber(ARGV[at])
  if not follows or number > next or (number == next and next - first >= tonumber(ARGV[5])) then
    is_complete = false
  elseif number == next then
    redis.call('XADD', KEYS[2], whole(number + 1) .. '-0', 'r', ARGV[at + 1])
    next = next + 1
  end
end

if ARGV[6] == '1' then
  redis.call('HSET', KEYS[1], 'card', ARGV[7])
end
redis.call('HSET', KEYS[1], 'node', node, 'epoch', ARGV[2], 'until', whole(now + lease),
  'first', whole(first), 'next', whole(next))
-- A takeover that was missed, and nothing of its owner's yet: what is here stays a whole of its own.
redis.call('HSET', KEYS[1], 'follows', follows and '1' or '0')
redis.call('PEXPIRE', KEYS[1], lease + tonumber(ARGV[4]))
redis.call('PEXPIRE', KEYS[2], lease + tonumber(ARGV[4]))
return { is_known and is_complete and 'done' or 'adopted', whole(now + lease) }
