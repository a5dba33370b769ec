import * as v from 'valibot'
import { DomainError } from '#domain/errors.ts'
import { metaExamples } from '../examples/meta.ts'
import { type Route, route } from '../route.ts'

const livez = route({
  method: 'get',
  path: '/livez',
  summary: 'Whether the process lives; asks no store',
  access: { kind: 'public' },
  cacheable: true,
  headers: { 'Cache-Control': 'no-store' },
  reply: v.object({ ok: v.literal(true) }),
  example: metaExamples.health,
  errors: [],
  handle: () => ({ ok: true as const }),
})

const readyz = route({
  method: 'get',
  path: '/readyz',
  summary: 'Whether to send requests here; `degraded` names what the server does without for now',
  access: { kind: 'public' },
  cacheable: true,
  headers: { 'Cache-Control': 'no-store' },
  reply: v.object({ ready: v.literal(true), degraded: v.array(v.string()) }),
  example: metaExamples.ready,
  errors: ['not_ready'],
  handle: async (_input, _anyone, _cases, { http }) => {
    const { failed, degraded } = await http.checkReadiness()
    if (failed.length > 0) throw new DomainError('not_ready', { failed })
    return { ready: true as const, degraded: [...degraded] }
  },
})

/** What orchestrators ask, at the root. */
export const probeRoutes: readonly Route[] = [livez, readyz]
