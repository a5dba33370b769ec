import { type BindingSubject, providerKey } from '#domain/binding.ts'

const TARGETS = {
  model: '--url URL [--model NAME]',
  dataset: '--url URL',
  tool: '--openapi FILE | --mcp URL | --app ID | --js FILE',
} as const

/** What app files name, and cannot bring. */
type Missing = BindingSubject & { readonly kind: keyof typeof TARGETS }

/** The command that binds what is missing, as an operator types it. */
export function howToBind({ kind, provider, name }: Missing): string {
  const words = kind === 'dataset' ? [name] : [providerKey(provider), name]
  return `latchkey binding set ${kind} ${words.map(shellWord).join(' ')} ${TARGETS[kind]}`
}

/** Names come out of a stranger's file and may be pasted into a shell. */
function shellWord(text: string): string {
  const line = text.replaceAll(/\p{C}/gu, ' ').slice(0, 200)
  return /^[\w./:@+-]+$/.test(line) && !line.startsWith('-') ? line : `'${line.replaceAll("'", `'\\''`)}'`
}
