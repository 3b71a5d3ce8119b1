-- What every script begins with. Times are milliseconds of this server's clock.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number)
  return string.format('%.0f', number)
end

-- Removes what somebody else put under our key, so that writing heals.
local function make_room(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then
    redis.call('DEL', key)
  end
end

-- The field of a match's hash, as a number.
local function number_of(field)
  return tonumber(field) or 0
end

-- Whether the match has ended for that epoch, and else who keeps `node` from writing in it.
local function fence(held, node, epoch)
  if held.ended and epoch <= number_of(held.ended) then
    return { 'fenced' }
  end
  local theirs = number_of(held.epoch)
  if held.node and (epoch < theirs or (epoch == theirs and node ~= held.node)) then
    return { 'fenced', held.node, held.epoch }
  end
end

local function read(key)
  local found = redis.call('HMGET', key, 'node', 'epoch', 'until', 'first', 'next', 'follows', 'ended')
  return {
    node = found[1],
    epoch = found[2],
    lease_end = number_of(found[3]),
    first = number_of(found[4]),
    next = number_of(found[5]),
    follows = found[6] == '1',
    ended = found[7],
  }
end

-- Of a shelf: forgets some of what is over.
local function forget(values, ends)
  local gone = redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 100)
  if #gone > 0 then
    redis.call('HDEL', values, unpack(gone))
    redis.call('ZREM', ends, unpack(gone))
  end
end

local function is_kept(ends, key)
  local score = redis.call('ZSCORE', ends, key)
  return score and tonumber(score) > now
end

local function keep_until(values, ends, key, ttl)
  redis.call('ZADD', ends, now + ttl, key)
  for _, each in ipairs({ values, ends }) do
    if redis.call('PTTL', each) < ttl then
      redis.call('PEXPIRE', each, ttl)
    end
  end
end
