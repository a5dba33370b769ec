import { expect } from 'chai'
import { COMMAND_WORDS } from '#adapters/admin/command-words.ts'
import { ADMIN_USAGE, asksForHelp, usageFor } from '#adapters/admin/usage.ts'

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

  it('is asked for by either flag, but not by a value after --', () => {
    expect([['ban', '-h'], ['--help']].every(asksForHelp)).to.equal(true)
    expect([[], ['ban', '--', '--help'], ['--helpful']].some(asksForHelp)).to.equal(false)
  })
})
