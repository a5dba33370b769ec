import type { Json } from '#domain/app.ts'
import { isObject } from '#domain/json.ts'
import { textOf } from '../graph/variable-pool.ts'
import { saidJson } from '../models/said-json.ts'
import { splitThinking } from '../models/split-thinking.ts'

/** What a model said in the form that ReAct asks for. Without an action all of it is the answer. */
export type Reasoning = {
  readonly thought: string
  readonly action: { readonly name: string; readonly input: string } | null
  readonly answer: string
}

const QUOTES = ['`', '"', "'"]
const FINAL = /Final Answer:\s*/i
const ACTION = /^[ \t]*Action:[ \t]*/im
const INPUT = /^[ \t]*Action Input:[ \t]*/im

/** Reads a round. What a model makes up after `Observation:` is no observation. */
export function readReasoning(said: string, names: readonly string[]): Reasoning {
  const whole = splitThinking(said).text
  const text = (whole.split(/^[ \t]*Observation:/m)[0] ?? '').trim()
  const at = ACTION.exec(text)
  const final = FINAL.exec(text)
  if (at !== null && (final === null || at.index < final.index)) {
    const thought = thoughtIn(text.slice(0, at.index))
    const wish = text.slice(at.index + at[0].length)
    const found = asJson(saidJson(wish)) ?? asLines(wish)
    if (found !== null) return settled(thought, found, text)
  }
  if (final !== null) {
    return {
      thought: thoughtIn(text.slice(0, final.index)),
      action: null,
      answer: text.slice(final.index + final[0].length),
    }
  }
  const found = asJson(saidJson(text))
  const isKnown = found !== null && (names.includes(found.name) || isFinal(found.name))
  // JSON that names no tool is what the user asked for.
  return isKnown ? settled('', found, text) : { thought: '', action: null, answer: thoughtIn(text) }
}

type Wish = { readonly name: string; readonly input: Json }

function settled(thought: string, { name, input }: Wish, text: string): Reasoning {
  const written = typeof input === 'string' ? input : JSON.stringify(input)
  if (isFinal(name)) return { thought, action: null, answer: textOf(input) }
  return { thought, action: { name, input: written }, answer: text }
}

function isFinal(name: string): boolean {
  return /^final[ _]answer$/i.test(name)
}

function asJson(said: Json | undefined): Wish | null {
  if (!isObject(said) || typeof said.action !== 'string') return null
  return { name: said.action.trim(), input: said.action_input ?? {} }
}

/** `Action: name` and `Action Input: {…}` on lines of their own. */
function asLines(wish: string): Wish | null {
  const name = unquoted((wish.split('\n')[0] ?? '').trim())
  const input = INPUT.exec(wish)
  if (name === '' || name.startsWith('{')) return null
  return { name, input: input === null ? {} : wish.slice(input.index + input[0].length).trim() }
}

/** Letter by letter: an expression that looks for quotes at the end tries every run of them anew. */
function unquoted(text: string): string {
  let [from, to] = [0, text.length]
  while (from < to && QUOTES.includes(text[from] ?? '')) from++
  while (to > from && QUOTES.includes(text[to - 1] ?? '')) to--
  return text.slice(from, to)
}

function thoughtIn(text: string): string {
  return text.replace(/^\s*Thought:\s*/i, '').trim()
}
