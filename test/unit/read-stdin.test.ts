import { Readable } from 'node:stream'
import { expect } from 'chai'
import { Interrupted, readStdin } from '#src/read-stdin.ts'

/** Whatever is typed in one go, and when the terminal shows letters. */
function aKeyboard(chunks: readonly (string | Uint8Array)[], isTTY = true) {
  const modes: boolean[] = []
  const input = Object.assign(Readable.from(chunks), {
    isTTY,
    setRawMode(isRaw: boolean) {
      modes.push(isRaw)
      return input
    },
  })
  const said: string[] = []
  const read = (what: 'file' | 'secret') => readStdin(what, input as never, (words) => said.push(words)) // never: the rest of a terminal's stream is not asked for
  return { modes, said, read }
}

describe('what an operator types', () => {
  // Over a shoulder, or in a recording of the terminal.
  it('a secret is asked for, its letters are not shown, and the terminal shows letters again', async () => {
    const keyboard = aKeyboard(['second pa', 'ss 2', '3\u007f2\r', 'more'])
    expect(await keyboard.read('secret')).to.equal('second pass 22')
    expect(keyboard.modes).to.deep.equal([true, false])
    expect(keyboard.said.join(''))
      .to.match(/^Password or key.*: \n$/)
      .and.not.include('second')
  })

  it('letters of several bytes that arrive in halves are one letter', async () => {
    const bytes = Buffer.from('pässwörd 1')
    expect(await aKeyboard([bytes.subarray(0, 2), bytes.subarray(2), '\n']).read('secret')).to.equal('pässwörd 1')
  })

  it('Ctrl-C takes nothing, and leaves a terminal that shows letters', async () => {
    const keyboard = aKeyboard(['half\u0003'])
    const ended = await keyboard.read('secret').catch((error: unknown) => error)
    expect(ended).to.be.instanceOf(Interrupted)
    expect(keyboard.modes.at(-1)).to.equal(false)
  })

  it('a file is waited for with a word about how it ends', async () => {
    const keyboard = aKeyboard(['kind: app\n', 'version: 1\n'])
    expect(await keyboard.read('file')).to.equal('kind: app\nversion: 1\n')
    expect(keyboard.said.join('')).to.include('Ctrl-D')
  })

  it('a pipe is read whole, without a word', async () => {
    const pipe = aKeyboard(['second pass 22\n'], false)
    expect(await pipe.read('secret')).to.equal('second pass 22\n')
    expect([pipe.said, pipe.modes]).to.deep.equal([[], []])
  })
})
