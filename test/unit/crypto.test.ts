import { expect } from 'chai'
import { sameSecret, sha256Hex } from '#adapters/crypto/digest.ts'
import { newId, uuidV7 } from '#adapters/crypto/ids.ts'
import { createPasswordHasher } from '#adapters/crypto/password-hasher.ts'
import { randomBytes } from '#adapters/crypto/random.ts'
import { createSecretBox } from '#adapters/crypto/secret-box.ts'
import { createTokenSeal } from '#adapters/crypto/token-seal.ts'
import { DomainError } from '#domain/errors.ts'
import { isUuid } from '#domain/uuid.ts'
import { passwordHasherContract } from '../contract/password-hasher.ts'
import { tokenSealContract } from '../contract/token-seal.ts'

tokenSealContract('X25519 and AES-GCM', createTokenSeal)
passwordHasherContract('scrypt', () => createPasswordHasher({ logCost: 10 }))

describe('password hashes', () => {
  it('are PHC strings of scrypt with N = 2^17, r = 8, p = 1, salted with 16 bytes', async function () {
    this.timeout(10_000)
    const hash = await createPasswordHasher().hash('correct horse 1')
    expect(hash).to.match(/^\$scrypt\$ln=17,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  })

  // The third vector of RFC 7914 §12; a 32-byte hash is the first half of its 64.
  it('are scrypt as RFC 7914 has it', async () => {
    const salt = Buffer.from('SodiumChloride').toString('base64').replaceAll('=', '')
    const vector = '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2'
    const hash = Buffer.from(vector, 'hex').toString('base64').replaceAll('=', '')
    const stored = `$scrypt$ln=14,r=8,p=1$${salt}$${hash}`
    expect(await createPasswordHasher().verify('pleaseletmein', stored)).to.equal(true)
  })

  it('outlive a change of cost', async () => {
    const old = await createPasswordHasher({ logCost: 9 }).hash('password 1')
    expect(await createPasswordHasher({ logCost: 10 }).verify('password 1', old)).to.equal(true)
  })

  it('leave the event loop free', async () => {
    const hasher = createPasswordHasher({ logCost: 14 })
    let isDone = false
    const hashing = hasher.hash('password 1').then(() => {
      isDone = true
    })
    await new Promise(setImmediate)
    expect(isDone).to.equal(false)
    await hashing
  })

  it('M02 an unknown person costs as much time as a wrong password', async function () {
    this.timeout(20_000)
    const hasher = createPasswordHasher({ logCost: 14 })
    const hash = await hasher.hash('password 1')
    const fastest = async (stored: string | null) => {
      let bestMs = Number.POSITIVE_INFINITY
      for (let round = 0; round < 8; round++) {
        const startMs = performance.now()
        await hasher.verify('wrong 1', stored)
        bestMs = Math.min(bestMs, performance.now() - startMs)
      }
      return bestMs
    }
    const knownMs = await fastest(hash)
    expect((await fastest(null)) / knownMs).to.be.within(0.5, 2)
  })

  it('a flood waits in a bounded queue, and beyond it is refused at once', async () => {
    const hasher = createPasswordHasher({ logCost: 12, maxWaiting: 3 })
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => hasher.hash('password 1')))
    const refused = tries.filter((one) => one.status === 'rejected')
    expect(refused).to.have.length(3)
    for (const { reason } of refused) {
      expect(reason).to.be.instanceOf(DomainError).with.property('code', 'service_unavailable')
    }
    expect(await hasher.hash('password 1')).to.be.a('string')
  })
})

describe('digests', () => {
  it('are SHA-256 in lowercase hex', () => {
    expect(sha256Hex('abc')).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it('secrets are the same only when equal, whatever their lengths', () => {
    expect(sameSecret('a', 'a')).to.equal(true)
    for (const other of ['', 'b', 'aa', 'A']) expect(sameSecret('a', other), other).to.equal(false)
  })
})

describe('ids', () => {
  it('are the UUID version 7 of RFC 9562 appendix A.6', () => {
    const random = Buffer.from('0cc318c4dc0c0c07398f', 'hex')
    expect(uuidV7(0x017f22e279b0, random)).to.equal('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
  })

  it('never repeat and say when they were made', () => {
    const ids = Array.from({ length: 10_000 }, newId)
    expect(new Set(ids).size).to.equal(10_000)
    const at = Number.parseInt((ids[0] ?? '').replaceAll('-', '').slice(0, 12), 16)
    expect(at).to.be.closeTo(Date.now(), 5000)
    for (const id of ids) expect(isUuid(id) && id[14] === '7', id).to.equal(true)
  })

  it('random bytes come in the length asked for', () => {
    expect(randomBytes(28)).to.have.length(28)
    expect(Buffer.from(randomBytes(28)).equals(randomBytes(28))).to.equal(false)
    expect(randomBytes(10_000)).to.have.length(10_000)
  })

  it('random bytes are handed out once, over every edge of what was drawn ahead', () => {
    const drawn = Array.from({ length: 2_000 }, () => randomBytes(24))
    expect(new Set(drawn.map((bytes) => Buffer.from(bytes).toString('hex'))).size).to.equal(drawn.length)
    // No run of zeros, as a piece that was wiped and handed out again would have.
    for (const bytes of drawn) expect(Buffer.from(bytes).includes(Buffer.alloc(8))).to.equal(false)
  })
})

describe('secret box', () => {
  const [first, second] = [
    { kid: 'a.b', key: 'x'.repeat(32) },
    { kid: 'c', key: 'y'.repeat(32) },
  ]

  it('opens what it sealed, and seals differently each time', () => {
    const box = createSecretBox([first])
    expect(box.open(box.seal('sk-ünïcode'))).to.equal('sk-ünïcode')
    expect(box.seal('s')).not.to.equal(box.seal('s'))
    expect(box.open(box.seal(''))).to.equal('')
  })

  it('opens what an older key sealed, until that key is gone', () => {
    const old = createSecretBox([first]).seal('secret')
    expect(createSecretBox([second, first]).open(old)).to.equal('secret')
    expect(createSecretBox([second]).open(old)).to.equal(null)
    expect(createSecretBox([{ kid: first.kid, key: 'z'.repeat(32) }]).open(old)).to.equal(null)
  })

  it('answers null to garbage and to a swapped key id', () => {
    const box = createSecretBox([first, { ...first, kid: 'c' }])
    const [version, , body] = box.seal('secret').split('.')
    expect(box.open(`${version}.${Buffer.from('c').toString('base64url')}.${body}`)).to.equal(null)
    for (const junk of ['', '.', 'v1', 'v1..', `v2.x.${body}`, `v1.YS5i.${body}.x`, 'v1.YS5i.', 'v1.YS5i.AAAA']) {
      expect(box.open(junk), junk).to.equal(null)
    }
  })
})
