/** An answer under another status than the route's own; the route declares it in `also`. */
export type Answered = { readonly kind: 'answered'; readonly status: number; readonly body: object }

export function answered(status: number, body: object): Answered {
  return { kind: 'answered', status, body }
}

export function isAnswered(reply: unknown): reply is Answered {
  return typeof reply === 'object' && reply !== null && 'kind' in reply && reply.kind === 'answered'
}
