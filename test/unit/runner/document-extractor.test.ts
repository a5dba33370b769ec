import { expect } from 'chai'
import { EgressFailure, type HttpEgress } from '#adapters/runner-native/egress/http-egress.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { remoteFile } from '#domain/given-file.ts'
import { aJob, run } from './support.ts'
import { aNode, anEnd, inARow } from './workflow.ts'

/** What lies at an address: a type and bytes; anything else is not there. */
type Files = Readonly<Record<string, readonly [type: string, bytes: string | Uint8Array]>>

async function extracted(file: Json, files: Files) {
  const egress: HttpEgress = {
    async request({ url }) {
      if (url.includes('inside.test')) throw new EgressFailure('refused', 'inside.test is not open to apps')
      const [type, bytes] = files[url] ?? ['text/plain', 'not found']
      const body = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
      return { status: url in files ? 200 : 404, headers: type === '' ? {} : { 'content-type': type }, body, url }
    },
  }
  const workflow = inARow(
    aNode('doc', 'document-extractor', { variable_selector: ['start', 'file'] }),
    anEnd('end', 'doc.text'),
  )
  const { ending } = await run(aJob('workflow', { workflow }, { inputs: { file } }), { egress })
  return ending.kind === 'failed' ? ending.failure.message : (ending.outputs.text ?? null)
}

const at = (url: string): JsonObject => remoteFile('document', url, null)

describe('document extractor', () => {
  const files: Files = {
    'https://x.test/a.md': ['application/octet-stream', '# A'],
    'https://x.test/page': ['text/html; charset=iso-8859-1', new Uint8Array([0xe9])],
    'https://x.test/b.csv': ['', 'a,b'],
    'https://x.test/c.pdf': ['application/pdf', '%PDF'],
    'https://x.test/c.pages': ['application/x-pages', 'who knows'],
    'https://x.test/d': ['', 'who knows'],
    'https://x.test/big.txt': ['text/plain', new Uint8Array(1_048_577)],
  }

  it('gives the text of a file by its name or by its type, in its own encoding', async () => {
    expect(await extracted(at('https://x.test/a.md'), files)).to.equal('# A')
    expect(await extracted(at('https://x.test/page'), files)).to.equal('é')
  })

  it('gives a list of texts for a list of files, also for an empty one', async () => {
    const list = [at('https://x.test/a.md'), at('https://x.test/b.csv')]
    expect(await extracted(list, files)).to.deep.equal(['# A', 'a,b'])
    expect(await extracted([], files)).to.deep.equal([])
  })

  for (const [what, file, words] of [
    ['a kind that it cannot read', at('https://x.test/c.pages'), 'c.pages is of a kind that cannot be read here'],
    ['a broken document', at('https://x.test/c.pdf'), 'c.pdf is no PDF that can be read'],
    ['bytes of no known kind', at('https://x.test/d'), 'd is of a kind that cannot be read here'],
    ['a file that is not there', at('https://x.test/gone.txt'), 'gone.txt could not be fetched: status 404'],
    ['an address that is closed', at('http://inside.test/a.txt'), 'inside.test is not open to apps'],
    ['more text than a variable holds', at('https://x.test/big.txt'), 'more than 1048576 bytes'],
    ['what is no file', 'https://x.test/a.md', 'there is no file'],
    ['too many files', Array.from({ length: 21 }, () => at('https://x.test/a.md')), 'more than 20 files'],
  ] as const) {
    it(`fails in clear words for ${what}`, async () => expect(await extracted(file, files)).to.include(words))
  }
})
