import { expect } from 'chai'
import { strToU8, zipSync } from 'fflate'
import { DocumentFault } from '#adapters/runner-native/documents/document-fault.ts'
import { type ParsedKind, readDocument } from '#adapters/runner-native/documents/document-text.ts'
import { createDocuments } from '#adapters/runner-native/documents/documents.ts'

const zip = (parts: Readonly<Record<string, string>>) =>
  zipSync(Object.fromEntries(Object.entries(parts).map(([path, text]) => [path, strToU8(text)])))

const read = async (kind: ParsedKind, bytes: Uint8Array | string): Promise<string> => {
  const verdict = await readDocument({ kind, bytes: typeof bytes === 'string' ? strToU8(bytes) : bytes })
  return verdict.ok ? verdict.text : `refused: ${verdict.message}`
}

/** A PDF of one page that says `text`, with the offsets that its table must hold. */
function aPdf(text: string): Uint8Array {
  const stream = `BT /F1 24 Tf 72 700 Td (${text}) Tj ET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  let file = '%PDF-1.4\n'
  const offsets = objects.map((body, at) => {
    const offset = file.length
    file += `${at + 1} 0 obj\n${body}\nendobj\n`
    return offset
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const xref = file.length
  file += `xref\n0 6\n0000000000 65535 f \n${table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF`
  return strToU8(file)
}

const DOCX = zip({
  'word/document.xml': `<?xml version="1.0"?><w:document xmlns:w="w"><w:body>
    <w:p><w:r><w:t>Fish &amp; chips</w:t><w:tab/><w:t xml:space="preserve"> £5</w:t></w:r></w:p>
    <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Name</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Age</w:t></w:r></w:p></w:tc></w:tr>
    <w:tr><w:tc><w:p><w:r><w:t>A|da</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>36</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
    <w:p><w:r><w:t>The end</w:t></w:r></w:p></w:body></w:document>`,
})

const XLSX = zip({
  'xl/workbook.xml':
    '<workbook><sheets><sheet name="Prices" r:id="rId1"/><sheet name="Empty" r:id="rId2"/></sheets></workbook>',
  'xl/_rels/workbook.xml.rels':
    '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="/xl/worksheets/sheet2.xml"/></Relationships>',
  'xl/sharedStrings.xml': '<sst><si><t>Item</t></si><si><r><t>Ri</t></r><r><t>ce</t></r></si></sst>',
  'xl/worksheets/sheet1.xml':
    '<worksheet><sheetData><row><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>Cost</t></is></c></row><row><c r="A2" t="s"><v>1</v></c><c r="C2"><v>1.5</v></c></row></sheetData></worksheet>',
  'xl/worksheets/sheet2.xml': '<worksheet><sheetData/></worksheet>',
})

describe('documents', () => {
  it('a Word file is its paragraphs, its tables Markdown', async () => {
    expect(await read('docx', DOCX)).to.equal(
      'Fish & chips\t £5\n\n| Name | Age |\n| --- | --- |\n| A\\|da | 36 |\n\nThe end',
    )
  })

  it('an Excel file is a table a sheet, with its gaps', async () => {
    expect(await read('xlsx', XLSX)).to.equal('## Prices\n\n| Item |  | Cost |\n| --- | --- | --- |\n| Rice |  | 1.5 |')
  })

  it('slides come in their order, not in that of the archive', async () => {
    const slide = (text: string) => `<p:sld><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:sld>`
    const bytes = zip({
      'ppt/slides/slide10.xml': slide('ten'),
      'ppt/slides/slide2.xml': slide('two'),
      'ppt/slides/slide1.xml': slide('one'),
    })
    expect(await read('pptx', bytes)).to.equal('one\n\ntwo\n\nten')
  })

  it('an OpenDocument text is its paragraphs and headings', async () => {
    const content =
      '<office:document-content><text:h>Title</text:h><text:p>Some <text:span>words</text:span></text:p></office:document-content>'
    expect(await read('odf', zip({ 'content.xml': content }))).to.equal('Title\nSome words')
  })

  it('a book is its chapters in the order of the spine', async () => {
    const bytes = zip({
      'META-INF/container.xml': '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
      'OEBPS/book.opf':
        '<package><manifest><item id="a" href="a.xhtml"/><item id="b" href="text/b%20two.xhtml"/></manifest><spine><itemref idref="b"/><itemref idref="a"/></spine></package>',
      'OEBPS/a.xhtml': '<html><head><title>no</title></head><body><p>First written</p></body></html>',
      'OEBPS/text/b two.xhtml': '<html><body><h1>Opening</h1><p>line</p></body></html>',
    })
    expect(await read('epub', bytes)).to.equal('Opening\n\nline\n\nFirst written')
  })

  it('a PDF is the text of its pages', async () => {
    expect(await read('pdf', aPdf('Hello from a page'))).to.equal('Hello from a page')
  })

  it('a message is who, about what, and its words, also when those are HTML', async () => {
    const head = 'From: Ada <ada@x.test>\r\nTo: bob@x.test\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n'
    const mail = `${head}Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hi <b>Bob</b></p><script>x</script>`
    expect(await read('eml', mail)).to.equal('From: Ada <ada@x.test>\nTo: bob@x.test\nSubject: Grüße\n\nHi Bob')
  })

  it('a page is what its reader sees', async () => {
    const page =
      '<!doctype html><head><title>t</title></head><body><h1>A &lt; B</h1><script>alert("<p>")</script><p>x<br>y &#x1F600;</p><style>p{}</style></body>'
    expect(await read('html', page)).to.equal('A < B\n\nx\ny 😀')
  })

  describe('made to do harm', function () {
    this.timeout(20_000)
    for (const [what, kind, bytes, words] of [
      ['an archive that is none', 'docx', strToU8('PK nothing'), 'is broken, or of another kind'],
      ['another archive', 'docx', zip({ 'a.txt': 'a' }), 'is broken, or of another kind'],
      [
        'a locked office file',
        'xlsx',
        Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 1, 2),
        'is encrypted, or of an old format',
      ],
      [
        'a locked OpenDocument',
        'odf',
        zip({ 'content.xml': 'x', 'META-INF/manifest.xml': '<a><encryption-data/></a>' }),
        'is encrypted',
      ],
      ['a book without contents', 'epub', zip({ 'META-INF/container.xml': '<container/>' }), 'names no contents'],
      ['a PDF that is none', 'pdf', strToU8('%PDF-1.4 nonsense'), 'no PDF that can be read'],
      ['nothing', 'pdf', new Uint8Array(), 'no PDF that can be read'],
    ] as const) {
      it(`${what} is refused in words`, async () => expect(await read(kind, bytes)).to.include(words))
    }

    it('an archive that unfolds into more than memory holds is refused before it is unpacked', async () => {
      const bomb = zipSync({ 'word/document.xml': new Uint8Array(80 * 1024 * 1024) })
      expect(bomb.length).to.be.below(200_000)
      const before = process.memoryUsage().arrayBuffers
      expect(await read('docx', bomb)).to.equal('refused: unfolds into more than 64 MiB')
      expect(process.memoryUsage().arrayBuffers - before).to.be.below(32 * 1024 * 1024)
    })

    it('an archive whose directory lies about sizes unfolds into no more than it said', async () => {
      const bytes = zipSync({ 'word/document.xml': new Uint8Array(40 * 1024 * 1024) })
      // The size stands at offset 24 of the entry in the directory at the end.
      const directory = bytes.findLastIndex(
        (_, at) => bytes[at] === 0x50 && bytes[at + 1] === 0x4b && bytes[at + 2] === 1 && bytes[at + 3] === 2,
      )
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(directory + 24, 1_000, true)
      expect((await read('docx', bytes)).length).to.be.below(2_000)
    })

    it('an archive of too many parts is refused', async () => {
      const many = Object.fromEntries(Array.from({ length: 5_001 }, (_, at) => [`${at}.txt`, '']))
      expect(await read('docx', zip(many))).to.include('more than 5000 parts')
    })

    it('entities are neither fetched nor unfolded', async () => {
      const xml = `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "bb&a;">]><w:p><w:t>&a;&b;</w:t></w:p>`
      expect(await read('docx', zip({ 'word/document.xml': xml }))).to.not.match(/root:/)
    })

    it('markup nested ten thousand deep, and a cell in column ZZZ, are read in no time', async () => {
      const deep = `${'<div>'.repeat(10_000)}x${'</div>'.repeat(10_000)}`
      expect(await read('html', deep)).to.equal('x')
      const far = `<worksheet><row>${'<c r="ZZZ1"><v>1</v></c>'.repeat(100)}<c r="A1"><v>2</v></c></row></worksheet>`
      const sheet = zip({
        'xl/workbook.xml': '<sheet name="S" r:id="i"/>',
        'xl/_rels/workbook.xml.rels': '<Relationship Id="i" Target="worksheets/s.xml"/>',
        'xl/worksheets/s.xml': far,
      })
      expect(await read('xlsx', sheet)).to.contain('| 2 |')
    })

    for (const [what, attack] of [
      ['tags that never end', '<a '.repeat(50_000)],
      ['quotes that never end', `<a b="${'x'.repeat(200_000)}`],
      ['comments that never end', '<!--'.repeat(50_000)],
      ['entities that are none', '&'.repeat(200_000)],
    ] as const) {
      it(`${what} cost no more than their length`, async () => {
        const startedAtMs = performance.now()
        await read('html', attack)
        expect(performance.now() - startedAtMs).to.be.below(2_000)
      })
    }
  })

  describe('in a worker', function () {
    this.timeout(20_000)
    const timer = (delayMs: number, fire: () => void) => {
      const handle = setTimeout(fire, delayMs)
      return () => clearTimeout(handle)
    }
    const fault = async (work: Promise<string>) =>
      work.then(
        (text) => text,
        (error: unknown) => (error instanceof DocumentFault ? `refused: ${error.message}` : String(error)),
      )

    it('gives the text, or what is wrong with the document', async () => {
      const documents = createDocuments({ timer })
      const { signal } = new AbortController()
      const both = await Promise.all([
        fault(documents.textOf({ kind: 'docx', bytes: DOCX }, signal)),
        fault(documents.textOf({ kind: 'pdf', bytes: strToU8('no') }, signal)),
      ])
      expect(both[0]).to.contain('Fish & chips')
      expect(both[1]).to.equal('refused: is no PDF that can be read')
    })

    it('ends when its time or its memory is used up, and reads the next one', async () => {
      const fires: (() => void)[] = []
      const documents = createDocuments({
        timer: (_delayMs, fire) => {
          fires.push(fire)
          return () => {}
        },
        heapMb: 16,
      })
      const { signal } = new AbortController()
      const late = fault(documents.textOf({ kind: 'html', bytes: strToU8('<p>x</p>') }, signal))
      await new Promise((resolve) => setImmediate(resolve))
      for (const fire of fires) fire()
      expect(await late).to.equal('refused: takes too long to read')
      const huge = strToU8('<p>'.repeat(3_000_000))
      expect(await fault(documents.textOf({ kind: 'html', bytes: huge }, signal))).to.equal(
        'refused: unfolds into more than it is',
      )
      expect(await fault(documents.textOf({ kind: 'html', bytes: strToU8('<p>next</p>') }, signal))).to.equal('next')
    })

    it('ends with the run that asked', async () => {
      const controller = new AbortController()
      const work = createDocuments({ timer }).textOf({ kind: 'pdf', bytes: aPdf('x') }, controller.signal)
      controller.abort(new Error('stopped'))
      expect(await fault(work)).to.contain('stopped')
    })
  })
})
