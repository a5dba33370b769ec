import { type Finding, fail, ok, warn } from './finding.ts'

/** Codes, sessions and limits are counted in seconds; up to this nobody notices. */
const FINE_MS = 2_000
/** Beyond this, pending sign-ins end early or late and signatures of others are refused. */
const BAD_MS = 30_000

/**
 * Compares another clock with this machine's. It was read somewhere between `beforeMs` and `afterMs` of our own, so only
 * what lies outside of that is skew.
 */
export function clockFinding(whose: string, theirsMs: number, beforeMs: number, afterMs: number): Finding {
  const check = `${whose} clock`
  const aheadMs = theirsMs > afterMs ? theirsMs - afterMs : Math.min(theirsMs - beforeMs, 0)
  const skewMs = Math.abs(aheadMs)
  if (skewMs <= FINE_MS) return ok(check, 'goes with this machine’s')
  const what = `${(skewMs / 1000).toFixed(1)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine`
  const fix = 'let both machines keep time by NTP (timedatectl set-ntp true)'
  return skewMs > BAD_MS ? fail(check, what, fix) : warn(check, what, fix)
}
