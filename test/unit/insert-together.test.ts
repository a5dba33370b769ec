import { expect } from 'chai'
import { insertTogether } from '#adapters/postgres/insert-together.ts'

describe('rows inserted together', () => {
  /** A database that ends each statement when told to. */
  function aTable() {
    const statements: { readonly rows: readonly string[]; readonly end: (error?: Error) => void }[] = []
    const insert = insertTogether<string>(
      (rows) =>
        new Promise((resolve, reject) => {
          statements.push({ rows, end: (error) => (error === undefined ? resolve() : reject(error)) })
        }),
    )
    return { statements, insert }
  }
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

  it('rows of one turn share a statement, and those that come meanwhile the next', async () => {
    const { statements, insert } = aTable()
    const first = [insert('a'), insert('b')]
    await nextTurn()
    await nextTurn()
    const second = [insert('c'), insert('d')]
    await nextTurn()
    expect(statements.map(({ rows }) => rows)).to.deep.equal([['a', 'b']])
    statements[0]?.end()
    await Promise.all(first)
    expect(statements.map(({ rows }) => rows)).to.deep.equal([
      ['a', 'b'],
      ['c', 'd'],
    ])
    statements[1]?.end()
    await Promise.all(second)
  })

  it('a row that comes alone waits for nobody', async () => {
    const { statements, insert } = aTable()
    void insert('a')
    await nextTurn()
    expect(statements.map(({ rows }) => rows)).to.deep.equal([['a']])
  })

  it('turns that bring more rows are waited for, but not for ever', async () => {
    const { statements, insert } = aTable()
    for (let row = 0; row < 20; row++) {
      void insert(String(row))
      void insert(String(row))
      await nextTurn()
    }
    expect(statements.map(({ rows }) => rows.length)).to.deep.equal([10])
  })

  it('nobody is told before the statement with the row has ended', async () => {
    const { statements, insert } = aTable()
    let told = false
    const done = insert('a').then(() => {
      told = true
    })
    await nextTurn()
    await nextTurn()
    expect(told).to.equal(false)
    statements[0]?.end()
    await done
    expect(told).to.equal(true)
  })

  it('a failed statement fails its own rows only, and the next goes on', async () => {
    const { statements, insert } = aTable()
    const outcomes = ['a', 'b'].map((row) =>
      insert(row).then(
        () => 'kept',
        (error: Error) => error.message,
      ),
    )
    await nextTurn()
    await nextTurn()
    const later = insert('c')
    statements[0]?.end(new Error('away'))
    expect(await Promise.all(outcomes)).to.deep.equal(['away', 'away'])
    await nextTurn()
    statements[1]?.end()
    await later
    expect(statements.map(({ rows }) => rows)).to.deep.equal([['a', 'b'], ['c']])
  })

  it('a statement never takes more than 500 rows', async () => {
    const { statements, insert } = aTable()
    const all = Array.from({ length: 1200 }, (_, at) => insert(String(at)))
    await nextTurn()
    for (let at = 0; at < 3; at++) {
      await nextTurn()
      statements[at]?.end()
    }
    await Promise.all(all)
    expect(statements.map(({ rows }) => rows.length)).to.deep.equal([500, 500, 200])
  })
})
