import { text } from 'node:stream/consumers'
import type { ReadStream } from 'node:tty'

type Keyboard = Pick<ReadStream, 'isTTY' | 'setRawMode' | 'pause'> & AsyncIterable<string | Uint8Array>

/**
 * All of standard input, or one line of a keyboard. A secret's letters are not shown; a file is read until Ctrl-D. `say`
 * tells whoever sits there what is waited for.
 * @throws Interrupted
 */
export async function readStdin(
  what: 'file' | 'secret',
  input: Keyboard,
  say: (words: string) => void,
): Promise<string> {
  if (input.isTTY && what === 'secret') return askSecret(input, say)
  if (input.isTTY) say('Reading the file from the keyboard; Ctrl-D ends it.\n')
  return text(input)
}

/** Ctrl-C, which a terminal hands over as a letter while it shows none. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

async function askSecret(input: Keyboard, say: (words: string) => void): Promise<string> {
  say('Password or key (it is not shown): ')
  input.setRawMode(true)
  try {
    return await lineOf(input)
  } finally {
    input.setRawMode(false)
    input.pause()
    say('\n')
  }
}

/** Ctrl-D ends the line as Enter does. */
async function lineOf(input: Keyboard): Promise<string> {
  const decoder = new TextDecoder()
  let typed: string[] = []
  for await (const chunk of input) {
    for (const letter of typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })) {
      if (letter === '\u0003') throw new Interrupted()
      if (['\r', '\n', '\u0004'].includes(letter)) return typed.join('')
      typed = ['\u007f', '\b'].includes(letter) ? typed.slice(0, -1) : [...typed, letter]
    }
  }
  return typed.join('')
}
