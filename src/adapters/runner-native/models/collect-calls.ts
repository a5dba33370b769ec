import { ModelFailure, type ToolCall } from './model-client.ts'

/** A piece of a call, as the chat completions protocol streams it. */
type Piece = {
  readonly index?: number
  readonly id?: string | null
  readonly function?: { readonly name?: string | null; readonly arguments?: string | null }
}

const MAX_CALLS = 32
const MAX_CHARS = 400_000

/**
 * Puts the calls of one answer together. Some servers count every call as the first: there, a new id is a new call.
 * `take` throws ModelFailure when the answer has no end.
 */
export function collectCalls(): { readonly take: (piece: Piece) => void; readonly all: () => readonly ToolCall[] } {
  const calls: { index: number; id: string; name: string; arguments: string }[] = []
  let size = 0
  return {
    take({ index = 0, id, function: called }) {
      let call = calls.findLast((one) => one.index === index)
      if (call === undefined || (id && call.id !== '' && call.id !== id)) {
        call = { index, id: '', name: '', arguments: '' }
        calls.push(call)
      }
      if (call.id === '' && id) {
        call.id = id
        size += id.length
      }
      call.name += called?.name ?? ''
      call.arguments += called?.arguments ?? ''
      size += (called?.name?.length ?? 0) + (called?.arguments?.length ?? 0)
      if (calls.length > MAX_CALLS || size > MAX_CHARS) {
        throw new ModelFailure({ code: 'completion_request_error', message: 'The model calls more than it may.' })
      }
    },
    all: () =>
      calls
        .filter(({ name }) => name !== '')
        .map(({ id, name, arguments: given }, at) => ({ id: id || `call_${at + 1}`, name, arguments: given })),
  }
}
