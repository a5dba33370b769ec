import { expect } from 'chai'
import { flowOf, said } from './flow.ts'
import { API, aPlace, type Place } from './place.ts'

describe('CSRF', () => {
  let place: Place
  let userCode: string
  const compared: (readonly [string, string])[] = []

  beforeEach(async () => {
    compared.length = 0
    place = await aPlace({
      change: (ports) => ({
        ...ports,
        sameSecret: (a, b) => {
          compared.push([a, b])
          return ports.sameSecret(a, b)
        },
      }),
    })
    userCode = (await place.startFlow()).userCode
  })
  afterEach(() => place.close())

  const approveWith = (headers: Record<string, string>) =>
    place.post(`${API}/oauth/device/approve`, { json: { user_code: userCode }, headers })

  it('E23 a missing or wrong CSRF header is 401 csrf_mismatch and decides nothing', async () => {
    const { cookie, csrf } = await place.signIn()
    const other = await place.signIn()
    await place.addMember('mia@example.test')
    const stranger = await place.signIn('mia@example.test')
    const attempts: Record<string, Record<string, string>> = {
      missing: { Cookie: cookie },
      empty: { Cookie: cookie, 'X-CSRF-Token': '' },
      cut: { Cookie: cookie, 'X-CSRF-Token': csrf.slice(0, -1) },
      long: { Cookie: cookie, 'X-CSRF-Token': `${csrf}x` },
      // Well signed, but not the one in the cookie.
      another: { Cookie: cookie, 'X-CSRF-Token': other.csrf },
      'no cookie': { Cookie: cookie.replace(/csrf_token=[^;]+/, ''), 'X-CSRF-Token': csrf },
      // Header and cookie agree, but somebody else’s sign-in made them.
      planted: { Cookie: cookie.replace(csrf, stranger.csrf), 'X-CSRF-Token': stranger.csrf },
      'made up': { Cookie: cookie.replace(csrf, 'x'), 'X-CSRF-Token': 'x' },
    }
    for (const [what, headers] of Object.entries(attempts)) {
      expect(said(await approveWith(headers)), what).to.equal('401 csrf_mismatch')
    }
    expect((await flowOf(place).lookUp(userCode)).json.valid).to.equal(true)
  })

  it('E23 the header may be spelt X-CSRFToken', async () => {
    const { cookie, csrf } = await place.signIn()
    expect(said(await approveWith({ Cookie: cookie, 'X-CSRFToken': csrf }))).to.equal('200 approved')
  })

  it('E23 header and cookie are compared by the constant-time port', async () => {
    const { cookie, csrf } = await place.signIn()
    await approveWith({ Cookie: cookie, 'X-CSRF-Token': 'wrong' })
    await approveWith({ Cookie: cookie, 'X-CSRF-Token': csrf })
    expect(compared).to.deep.equal([
      [csrf, 'wrong'],
      [csrf, csrf],
    ])
  })
})
