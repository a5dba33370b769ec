// KEYS[1] sorted set of hits by time; ARGV: limit, window in ms, the hit, now in ms ('' asks the server)
// Leaves `refusal` empty when admitted and recorded, else with the oldest hit's time and now.
const TAKE_HIT = `
    local now, time, refusal = tonumber(ARGV[4]), redis.call('TIME'), {}
    if not now then now = time[1] * 1000 + math.floor(time[2] / 1000) end
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
    if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
      refusal = { redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2], tostring(now) }
    else
      redis.call('ZADD', KEYS[1], now, ARGV[3])
      redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
    end`

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
  // As below; answers the refusal, or nothing when admitted.
  takeHit: {
    numberOfKeys: 1,
    lua: `${TAKE_HIT}
    return refusal`,
  },
  // KEYS[2] a value in the same slot, read along; answers it and the refusal
  takeHitAndRead: {
    numberOfKeys: 2,
    lua: `${TAKE_HIT}
    return { redis.call('GET', KEYS[2]), refusal }`,
  },
} as const

/** The oldest hit's time and now, both in ms; empty when the call was admitted. */
export type Refusal = readonly [string, string] | readonly []

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
  takeHit(key: string, limit: number, windowMs: number, hit: string, nowMs: number | ''): Promise<Refusal>
  takeHitAndRead(
    key: string,
    read: string,
    limit: number,
    windowMs: number,
    hit: string,
    nowMs: number | '',
  ): Promise<readonly [string | null, Refusal]>
}
