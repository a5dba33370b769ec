import { UsageError } from './usage-error.ts'

type Words = { readonly operands: number; readonly options: readonly string[] }

const APP = ['workspace', 'as', 'json']
/** A binding's words depend on its kind, so whoever reads its subject counts them. */
const BY_KIND = Number.POSITIVE_INFINITY
const BOUND = ['url', 'model', 'knowledge', 'openapi', 'operation', 'header', 'mcp', 'tool', 'app', 'js']

/** How many operands each operators' command takes, and which options; help tells of the same ones. */
export const COMMAND_WORDS: Readonly<Record<string, Words>> = {
  'app import': { operands: 1, options: ['name', 'confirm', ...APP] },
  'app list': { operands: 0, options: APP },
  'app check': { operands: 1, options: APP },
  'app export': { operands: 1, options: ['include-secret', ...APP] },
  'app bind-upstream': { operands: 1, options: ['url', 'key-stdin', 'key-env', 'key', ...APP] },
  'app unbind-upstream': { operands: 1, options: APP },
  'app access': { operands: 1, options: ['mode', 'grant', 'withdraw', ...APP] },
  'app try': { operands: 1, options: ['recording', 'json'] },
  'binding list': { operands: 0, options: APP },
  'binding set': { operands: BY_KIND, options: [...BOUND, 'key-stdin', 'key-env', 'no-key', ...APP] },
  'binding remove': { operands: BY_KIND, options: APP },
  'account create': { operands: 0, options: ['email', 'name', 'role', ...APP] },
  'account ban': { operands: 1, options: ['json'] },
  'account unban': { operands: 1, options: ['json'] },
  'account close': { operands: 1, options: ['json'] },
  'external block': { operands: 1, options: ['issuer', 'json'] },
  'external unblock': { operands: 1, options: ['issuer', 'json'] },
  'external groups': { operands: 1, options: ['issuer', 'groups', 'json'] },
  'session list': { operands: 0, options: ['email', 'json'] },
  'session revoke': { operands: 1, options: ['email', 'json'] },
  'run show': { operands: 1, options: ['json'] },
  prune: { operands: 0, options: ['json'] },
  audit: { operands: 0, options: ['since', 'event', 'json'] },
}

/**
 * Refuses what a command would leave unread: whoever bans two people in one line must not believe that both are out.
 * @throws UsageError
 */
export function checkWords(positionals: readonly string[], options: readonly string[]): void {
  const name = [positionals.slice(0, 2), positionals.slice(0, 1)].map((some) => some.join(' ')).find(isCommand)
  const words = COMMAND_WORDS[name ?? '']
  if (name === undefined || words === undefined) throw unknownCommand(positionals)
  const left = positionals.slice(name.split(' ').length + words.operands)
  if (left.length > 0) {
    const many = words.operands === 0 ? 'no words' : 'one word'
    throw new UsageError(`${name} takes ${many}; left over: ${left.join(' ')}`)
  }
  const foreign = options.find((option) => !words.options.includes(option))
  if (foreign !== undefined) throw new UsageError(`${name} takes no --${foreign}`)
}

/**
 * Whether `argv` is `run show` of the operators and not the client's `run` of an app that is called "show". A run's id
 * that lost a letter counts: the client would ask whoever pasted it to sign in.
 */
export function asksForRunShow([group, verb, id]: readonly string[]): boolean {
  if (group !== 'run' || verb !== 'show') return false
  return id === undefined || ['--help', '-h', '--json'].includes(id) || /^[0-9a-f]{6,}[0-9a-f-]*$/i.test(id)
}

function isCommand(name: string): boolean {
  return Object.hasOwn(COMMAND_WORDS, name)
}

function unknownCommand([group = '', verb]: readonly string[]): UsageError {
  const verbs = Object.keys(COMMAND_WORDS).flatMap((name) => (name.startsWith(`${group} `) ? name.split(' ')[1] : []))
  if (verbs.length === 0) return new UsageError(`unknown command: ${group}`)
  const said = verb === undefined ? `${group} takes a command` : `unknown command: ${group} ${verb}`
  return new UsageError(`${said}; there is ${verbs.join(', ')}`)
}
