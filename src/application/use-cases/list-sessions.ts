import type { OAuthAccessToken } from '#domain/oauth-access-token.ts'
import type { Page, PageRequest } from '#domain/page.ts'
import type { Subject } from '#domain/subject.ts'
import type { Clock } from '../ports/clock.ts'
import type { TokenStore } from '../ports/token-store.ts'

export type ListSessions = (subject: Subject, page: PageRequest) => Promise<Page<OAuthAccessToken>>

/** The subject's own live terminals, newest first. */
export function makeListSessions({ tokens, now }: { tokens: TokenStore; now: Clock }): ListSessions {
  return (subject, page) => tokens.listLive(subject, page, now())
}
