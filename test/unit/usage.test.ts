import { expect } from 'chai'
import { asksForRunShow, COMMAND_WORDS } from '#adapters/admin/command-words.ts'
import { ADMIN_USAGE, asksForHelp, usageFor } from '#adapters/admin/usage.ts'
import { nearestWord } from '#src/nearest-word.ts'

const linesOf = (...argv: string[]) => usageFor(argv).split('\n').slice(2, -1)

describe('help for operators’ commands', () => {
  it('tells of the command that was begun, with what its lines say below them', () => {
    expect(linesOf('account', 'ban', 'ada@example.com')).to.deep.equal([
      '  account ban EMAIL [--json]                shut a person out: their terminals and browsers are signed out at once',
    ])
    expect(linesOf('app', 'try', '--help')).to.have.length(3)
    expect(linesOf('session', 'revoke').join()).to.match(/^ {2}session revoke ID .* end one of them$/)
  })

  it('tells of all of a group when its second word is missing or unknown', () => {
    for (const argv of [['external'], ['external', 'blok'], ['external', '--help']]) {
      expect(linesOf(...argv).filter((line) => /^ {2}\S/.test(line))).to.have.length(3)
    }
  })

  it('tells of everything when the command is unknown', () => {
    for (const argv of [[], ['frobnicate'], ['acc'], ['--nonsense']]) expect(usageFor(argv)).to.equal(ADMIN_USAGE)
  })

  it('every line belongs to a command that help can be asked of', () => {
    const commands = ADMIN_USAGE.split('\n').filter((line) => /^ {2}\S/.test(line))
    for (const line of commands) {
      const words = line.trim().split(/\s+/)
      const plain = words.slice(0, words.findIndex((word) => /[^a-z-]/.test(word)) >>> 0)
      expect(linesOf(...plain), line).to.include(line)
    }
  })

  for (const [name, { options }] of Object.entries(COMMAND_WORDS)) {
    it(`${name}: tells of every option that is taken, and of no other`, () => {
      const told = new Set([...usageFor(name.split(' ')).matchAll(/--([a-z-]+)/g)].map(([, option]) => option))
      expect([...told].toSorted()).to.deep.equal([...new Set(options)].toSorted())
    })
  }

  it('run show is the operators’ without an id and with a damaged one, and else runs the app of that name', () => {
    const id = '01a1fea7-b445-7423-b14a-0fb9a9797876'
    for (const words of [[], ['--help'], [id], [id.slice(0, -1)], [id, '--json']]) {
      expect(asksForRunShow(['run', 'show', ...words]), words.join(' ')).to.equal(true)
    }
    for (const words of [['show', 'hello'], ['show', '--input', 'a=b'], ['Greeting'], []]) {
      expect(asksForRunShow(['run', ...words]), words.join(' ')).to.equal(false)
    }
  })

  it('a slip finds the word that was meant, and what is no slip finds none', () => {
    const words = ['serve', 'sessions', 'session', 'run', 'prune']
    for (const [typed, meant] of [
      ['sevre', 'serve'],
      ['srve', 'serve'],
      ['sesions', 'sessions'],
      ['rnu', 'run'],
      ['frobnicate', null],
      ['x', null],
      ['', null],
    ] as const) {
      expect(nearestWord(typed, words), typed).to.equal(meant)
    }
  })

  it('of two words as near, a slip finds the one whose letters were left out', () => {
    for (const words of [
      ['app', 'apps'],
      ['apps', 'app'],
    ]) {
      expect(nearestWord('aps', words)).to.equal('apps')
      expect(nearestWord('ap', words)).to.equal('app')
    }
  })

  it('is asked for by either flag, but not by a value after --', () => {
    expect([['ban', '-h'], ['--help']].every(asksForHelp)).to.equal(true)
    expect([[], ['ban', '--', '--help'], ['--helpful']].some(asksForHelp)).to.equal(false)
  })
})
