import { inspect } from 'node:util'
import { expect } from 'chai'
import type { Ports } from '#application/ports.ts'

/** Takes note of every secret that passes: what is digested or sealed, user codes, signed cookies. */
export function recordingSecrets(ports: Ports, secrets: Set<string>): Ports {
  const note = (secret: string) => {
    secrets.add(secret)
    return secret
  }
  const { digest, flows, consoleTokens, secretBox, sealer } = ports
  return {
    ...ports,
    digest: (secret) => note(digest(note(secret))),
    flows: {
      insert: (flow, userCode) => flows.insert(flow, note(userCode)),
      hashOf: (userCode) => flows.hashOf(userCode),
      find: (hash) => flows.find(hash),
      update: (hash, decide) => flows.update(hash, decide),
    },
    consoleTokens: {
      signAccess: async (session, untilMs) => note(await consoleTokens.signAccess(session, untilMs)),
      signCsrf: async (session, untilMs) => note(await consoleTokens.signCsrf(session, untilMs)),
      readAccess: (token) => consoleTokens.readAccess(token),
      readCsrf: (token) => consoleTokens.readCsrf(token),
    },
    sealer: {
      sealEnvelope: async (envelope) => note(await sealer.sealEnvelope(envelope)),
      sealAssertion: async (assertion) => note(await sealer.sealAssertion(assertion)),
      sealGrant: async (grant, issuedBy) =>
        note(await sealer.sealGrant({ ...grant, csrfToken: note(grant.csrfToken) }, issuedBy)),
      readEnvelope: (sealed) => sealer.readEnvelope(sealed),
      readAssertion: (sealed) => sealer.readAssertion(sealed),
      readGrant: (sealed, issuedBy) => sealer.readGrant(sealed, issuedBy),
    },
    secretBox: {
      seal: (plain) => note(secretBox.seal(note(plain))),
      open: (sealed) => secretBox.open(sealed),
    },
  }
}

/** Fails when a secret stands in any of the lines, without repeating it (E17). */
export function expectNoSecret(lines: readonly unknown[], secrets: ReadonlySet<string>): void {
  const log = inspect(lines, { depth: null, maxArrayLength: null, maxStringLength: null })
  const leaked = [...secrets].filter((secret) => log.includes(secret)).map((secret) => `${secret.slice(0, 6)}…`)
  expect(leaked, 'E17 secrets in log lines').to.deep.equal([])
}

/**
 * What a secret of ours looks like, for logs of processes that a test sees only from outside. Two groups of digits in a
 * UUID are no user code.
 */
const SHAPES =
  /dfo[ae]_[\w-]{43}|dc_[\w-]{32}|\beyJ[\w-]+\.eyJ|\b[0-9a-f]{64}\b|(?<![\w-])[A-HJ-NP-Y3-9]{4}-[A-HJ-NP-Y3-9]{4}(?![\w-])/

/** Whether `line` holds what could be a token, a device code, a cookie, a digest or a user code. */
export function looksSecret(line: string): boolean {
  return SHAPES.test(line)
}
