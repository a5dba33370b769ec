import type { RunIds, RunRequest } from '#domain/run.ts'
import type { Pausing } from '../ports/app-runner.ts'
import type { Clock } from '../ports/clock.ts'
import type { RunPauses, WaitingForm } from '../ports/run-pauses.ts'
import type { Digest, RandomBytes } from '../ports/secrets.ts'

export type PausingNeeds = { runPauses: RunPauses; digest: Digest; randomBytes: RandomBytes; now: Clock }

/** How one run waits for people; `before` are forms that wait since an earlier pause of it. */
export function makePausing(
  { runPauses, digest, randomBytes, now }: PausingNeeds,
  { ids, request }: { readonly ids: RunIds; readonly request: RunRequest },
  before: readonly WaitingForm[] = [],
): Pausing {
  return {
    newToken: () => uuidOf(randomBytes(16)),
    async keep(state, forms) {
      const opened = forms.map(({ form, token }): WaitingForm => ({ tokenHash: digest(token), form }))
      const kept = await runPauses.put({ ids, request, state, forms: [...before, ...opened], pausedAtMs: now() })
      if (!kept) throw new Error('a run that had ended wanted to wait')
    },
  }
}

/** RFC 9562 §5.4: 122 random bits, in the shape that every path here takes. */
function uuidOf(bytes: Uint8Array): string {
  const hex = [...bytes]
    .map((byte, at) => (at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte))
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
