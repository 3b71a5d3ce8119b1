-- KEYS: match, records. ARGV: node, epoch, how long an end is remembered.
make_room(KEYS[1], 'hash')
if fence(read(KEYS[1]), ARGV[1], tonumber(ARGV[2])) then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'ended', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
