-- KEYS: index. ARGV: how long it is kept, then ends and matches by turns.
make_room(KEYS[1], 'zset')
for at = 2, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], ARGV[at], ARGV[at + 1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
