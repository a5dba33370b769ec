import * as v from 'valibot'
import type { JsonObject } from '#domain/app.ts'
import type { BindingSubject, BindingTarget } from '#domain/binding.ts'
import { isObject, objectsAt, textAt } from '#domain/json.ts'
import { type Outside, readSource, UnreadableFile } from './outside.ts'
import { UsageError } from './usage-error.ts'

/** How the words of `binding set` are spelled, for `parseArgs`. */
export const BINDING_OPTIONS = {
  url: { type: 'string' },
  model: { type: 'string' },
  knowledge: { type: 'string' },
  openapi: { type: 'string' },
  operation: { type: 'string' },
  header: { type: 'string' },
  mcp: { type: 'string' },
  tool: { type: 'string' },
  app: { type: 'string' },
  js: { type: 'string' },
  key: { type: 'string' },
  'key-stdin': { type: 'boolean' },
  'key-env': { type: 'string' },
  'no-key': { type: 'boolean' },
} as const

type Words = { readonly [Name in keyof typeof BINDING_OPTIONS]?: string | boolean | undefined }

const Text = v.string()

/** A binding as it crosses to the serving process. */
export const Subject = v.object({ kind: v.picklist(['model', 'dataset', 'tool', 'app']), provider: Text, name: Text })
export const Target = v.variant('via', [
  v.object({ via: v.literal('endpoint'), url: Text, model: v.nullable(Text) }),
  v.object({ via: v.literal('retriever'), url: Text, knowledgeId: Text }),
  v.object({
    via: v.literal('openapi'),
    url: Text,
    // It came out of a JSON or YAML parser, or out of JSON.parse.
    document: v.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
    operationId: v.nullable(Text),
    header: v.nullable(Text),
  }),
  v.object({ via: v.literal('mcp'), url: Text, tool: v.nullable(Text) }),
  v.object({ via: v.literal('app'), appId: Text }),
  v.object({ via: v.literal('js'), code: Text }),
  v.object({ via: v.literal('upstream'), url: Text }),
])

/** `model PROVIDER [NAME]`, `dataset ID`, `tool PROVIDER [NAME]`. @throws UsageError */
export function parseSubject(verb: string, words: readonly string[]): BindingSubject {
  const [kind, first = '', second = '', ...others] = words
  if ((kind !== 'model' && kind !== 'dataset' && kind !== 'tool') || first === '' || others.length > 0) {
    throw new UsageError(`binding ${verb} takes model PROVIDER [NAME], dataset ID or tool PROVIDER [NAME]`)
  }
  if (kind === 'dataset' && second !== '') throw new UsageError(`binding ${verb} dataset takes one ID`)
  return kind === 'dataset' ? { kind, provider: '', name: first } : { kind, provider: first, name: second }
}

/** What the options bind to. @throws UsageError | UnreadableFile */
export async function parseTarget(subject: BindingSubject, words: Words, outside: Outside): Promise<BindingTarget> {
  const text = (name: keyof Words) => {
    const value = words[name]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const need = (name: keyof Words, what: string) => {
    const value = text(name)
    if (value === null) throw new UsageError(`binding set ${subject.kind} takes ${what}`)
    return value
  }
  if (subject.kind === 'model') return { via: 'endpoint', url: need('url', '--url'), model: text('model') }
  if (subject.kind === 'dataset') {
    return { via: 'retriever', url: need('url', '--url'), knowledgeId: text('knowledge') ?? subject.name }
  }
  const ways = (['openapi', 'mcp', 'app', 'js'] as const).filter((way) => text(way) !== null)
  const [way, ...others] = ways
  if (way === undefined || others.length > 0) {
    throw new UsageError('binding set tool takes one of --openapi FILE, --mcp URL, --app ID, --js FILE')
  }
  const value = need(way, `--${way}`)
  switch (way) {
    case 'mcp':
      return { via: 'mcp', url: value, tool: text('tool') }
    case 'app':
      return { via: 'app', appId: value }
    case 'js':
      return { via: 'js', code: await readSource(value, outside) }
    case 'openapi': {
      const document = await readDocument(value, await readSource(value, outside))
      const url = text('url') ?? textAt(objectsAt(document, 'servers')[0] ?? {}, 'url')
      if (url === '') throw new UsageError('the document names no server: binding set tool takes --url')
      return { via: 'openapi', url, document, operationId: text('operation'), header: text('header') }
    }
  }
}

/**
 * The key, never from the command line, which every process can read and shells keep. Undefined leaves the one that is
 * there.
 * @throws UsageError
 */
export async function parseKey(words: Words, { readStdin, env }: Outside): Promise<string | null | undefined> {
  const { 'key-stdin': fromStdin, 'key-env': variable, 'no-key': none } = words
  if ([fromStdin, variable, none].filter((one) => one !== undefined).length > 1) {
    throw new UsageError('binding set takes one of --key-stdin, --key-env NAME and --no-key')
  }
  if (none === true) return null
  if (fromStdin === true) return (await readStdin('secret')).trim() || refuseEmpty('standard input')
  if (typeof variable === 'string') return env[variable]?.trim() || refuseEmpty(`the variable ${variable}`)
  return undefined
}

/**
 * Where an app runs, and its key there. `--key KEY` is for keys that may be seen: every process can read command lines,
 * and shells keep them.
 * @throws UsageError
 */
export async function parseUpstream(
  words: Words,
  outside: Outside,
): Promise<{ readonly url: string; readonly key: string }> {
  const { url, key: given, ...others } = words
  if (typeof url !== 'string' || url === '') throw new UsageError('app bind-upstream takes --url')
  const ways = [given, others['key-stdin'], others['key-env']].filter((one) => one !== undefined)
  if (ways.length !== 1)
    throw new UsageError('app bind-upstream takes one of --key-stdin, --key-env NAME and --key KEY')
  if (typeof given === 'string' && given !== '-') return { url, key: given.trim() || refuseEmpty('--key') }
  const key = await parseKey({ ...others, ...(given === '-' ? { 'key-stdin': true } : {}) }, outside)
  return { url, key: key ?? refuseEmpty('the command line') }
}

function refuseEmpty(where: string): never {
  throw new UsageError(`${where} holds no key`)
}

async function readDocument(file: string, text: string): Promise<JsonObject> {
  // Only here: no other command reads YAML.
  const { parse: parseYaml } = await import('yaml')
  try {
    const value = parseYaml(text, { maxAliasCount: 100, logLevel: 'error' })
    // Through JSON: what is no JSON in YAML (dates, NaN, maps as keys) cannot be stored.
    const document = JSON.parse(JSON.stringify(value ?? null))
    if (isObject(document)) return document
  } catch (error) {
    throw new UnreadableFile(`cannot read ${file}: it is neither YAML nor JSON`, { cause: error })
  }
  throw new UnreadableFile(`cannot read ${file}: it is no OpenAPI document`)
}
