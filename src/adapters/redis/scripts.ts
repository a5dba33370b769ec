// KEYS: sorted sets of hits by time, then values to read along; ARGV: now in ms ('' asks the server), then for each set
// its limit, its window in ms, the hit, and which of KEYS to read (0 for none).
// Answers now, then for each set the value and the time of the oldest hit, which is '' when the hit was admitted.
const TAKE_HITS = `
    local now = tonumber(ARGV[1])
    if not now then
      local time = redis.call('TIME')
      now = time[1] * 1000 + math.floor(time[2] / 1000)
    end
    local answer = { tostring(now) }
    for at = 1, (#ARGV - 1) / 4 do
      local hits, limit, window, hit, read = KEYS[at], unpack(ARGV, 4 * at - 2, 4 * at + 1)
      redis.call('ZREMRANGEBYSCORE', hits, '-inf', now - window)
      local oldest = ''
      if redis.call('ZCARD', hits) >= tonumber(limit) then
        oldest = redis.call('ZRANGE', hits, 0, 0, 'WITHSCORES')[2]
      else
        redis.call('ZADD', hits, now, hit)
        redis.call('PEXPIRE', hits, window * 2)
      end
      answer[2 * at] = read ~= '0' and redis.call('GET', KEYS[tonumber(read)])
      answer[2 * at + 1] = oldest
    end
    return answer`

/**
 * Scripts by name, each on keys of one slot, as a cluster demands. They hold no rules: the callers decide,
 * the scripts only make it atomic.
 */
export const SCRIPTS = {
  // KEYS[1] value; ARGV: what was read, what to write ('' removes), life in ms (0 keeps what is left of it)
  swapIfSame: {
    numberOfKeys: 1,
    lua: `
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    if ARGV[2] == '' then redis.call('DEL', KEYS[1])
    elseif ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
    else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
    return 1`,
  },
  // KEYS[1] value; ARGV: the value that must not be replaced, what to write, life in ms
  setUnlessSame: {
    numberOfKeys: 1,
    lua: `
    if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    return 1`,
  },
  takeHits: { lua: TAKE_HITS },
  // With a fixed number of keys a cluster's client finds the slot.
  takeHit: { numberOfKeys: 1, lua: TAKE_HITS },
  takeHitAndRead: { numberOfKeys: 2, lua: TAKE_HITS },
} as const

export type HitsTaken = readonly (string | null)[]

export type StreamEntry = readonly [id: string, fields: readonly string[]]

/** What the adapters ask of Redis, one server or a cluster alike. */
export interface Commands {
  get(key: string): Promise<string | null>
  set(key: string, value: string, px: 'PX', lifeMs: number): Promise<unknown>
  set(key: string, value: string, px: 'PX', lifeMs: number, nx: 'NX'): Promise<'OK' | null>
  zrem(key: string, member: string): Promise<number>
  del(key: string): Promise<number>
  pexpire(key: string, lifeMs: number): Promise<number>
  publish(channel: string, message: string): Promise<number>
  xadd(key: string, id: string, field: string, value: string): Promise<string | null>
  xtrim(key: string, strategy: 'MINID', id: string): Promise<number>
  xrange(key: string, from: string, to: string, count: 'COUNT', max: number): Promise<readonly StreamEntry[]>
  xrevrange(key: string, from: string, to: string, count: 'COUNT', max: number): Promise<readonly StreamEntry[]>
  swapIfSame(key: string, seen: string, next: string, lifeMs: number): Promise<number>
  setUnlessSame(key: string, unless: string, value: string, lifeMs: number): Promise<number>
  takeHits(keys: number, ...rest: readonly (string | number)[]): Promise<HitsTaken>
  takeHit(...rest: readonly (string | number)[]): Promise<HitsTaken>
  takeHitAndRead(...rest: readonly (string | number)[]): Promise<HitsTaken>
}
