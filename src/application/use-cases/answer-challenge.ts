import { DomainError } from '#domain/errors.ts'
import type { Challenges } from '../ports/challenges.ts'
import type { Clock } from '../ports/clock.ts'
import type { NonceGuard } from '../ports/nonce-guard.ts'

type Needs = { challenges: Challenges; nonces: NonceGuard; now: Clock }

/**
 * Signs what this server says to a command of its own installation; once a challenge.
 * @throws DomainError `not_found` for one that is foreign, has expired or was answered before: all the same
 */
export type AnswerChallenge = (text: string) => Promise<{ readonly sign: (said: string) => string }>

export function makeAnswerChallenge({ challenges, nonces, now }: Needs): AnswerChallenge {
  return async (text) => {
    // Before any store is asked: a stranger's guesses cost nothing, and fill no memory of what was spent.
    const opened = challenges.open(text, now())
    if (opened === null || !(await nonces.spend('challenge', opened.nonce))) throw new DomainError('not_found', {})
    return { sign: opened.sign }
  }
}
