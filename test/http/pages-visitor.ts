import type { Ports } from '#application/ports.ts'
import { aWorld, OWNER, type Reply, type World, type WorldOptions } from '../support/world.ts'

type Fields = Readonly<Record<string, string>>

/** Somebody with a browser that runs no script: cookies are kept, forms are posted as they stand in the page. */
export function aVisitor(world: Pick<World, 'send' | 'url'>, sent: Fields = {}) {
  const jar = new Map<string, string>()
  let last: Reply | null = null

  async function send(method: 'GET' | 'POST', path: string, form?: Fields, headers: Fields = {}): Promise<Reply> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const origin = method === 'POST' ? { Origin: world.url } : {}
    const reply = await world.send(method, path, {
      headers: { ...(cookie === '' ? {} : { Cookie: cookie }), ...origin, ...sent, ...headers },
      ...(form === undefined ? {} : { form }),
    })
    for (const line of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (line.includes('Max-Age=0')) jar.delete(name)
      else jar.set(name, value)
    }
    last = reply
    return reply
  }

  /** The hidden fields of the form on the last page that posts to `action`. */
  function hidden(action: string): Fields {
    const form = last?.text.split('<form').find((piece) => piece.includes(`action="${action}"`)) ?? ''
    const fields = [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)]
    return Object.fromEntries(fields.map(([, name, value]) => [name, value]))
  }

  return {
    jar,
    open: (path: string) => send('GET', path),
    /** Posts the form of the last page with what a person adds. */
    submit: (action: string, typed: Fields, headers?: Fields) =>
      send('POST', action, { ...hidden(action), ...typed }, headers),
    /** Posts exactly these fields, whatever the page has. */
    post: (action: string, fields: Fields, headers?: Fields) => send('POST', action, fields, headers),
    follow: (reply: Reply) => send('GET', reply.headers.get('location') ?? ''),
    async signIn(email: string, password: string) {
      await send('GET', '/signin')
      return send('POST', '/signin', { ...hidden('/signin'), email, password })
    },
  }
}

/** What the page says first. */
export function heading({ text }: Reply): string {
  return /<h1>([^<]*)<\/h1>/.exec(text)?.[1] ?? 'no heading'
}

/** Where an answer leads. */
export function leadsTo({ status, headers }: Reply): string {
  return `${status} ${headers.get('location') ?? 'nowhere'}`
}

/** A server that nobody set up: the world's own set-up is told that it worked. */
export function neverSetUp(ports: Ports): Ports {
  let isFirst = true
  return {
    ...ports,
    accounts: {
      owner: () => ports.accounts.owner(),
      async setUp(account, workspace) {
        if (!isFirst) return ports.accounts.setUp(account, workspace)
        isFirst = false
        return true
      },
      add: (account, workspaceId, role) => ports.accounts.add(account, workspaceId, role),
      find: (accountId) => ports.accounts.find(accountId),
      findByEmail: (email) => ports.accounts.findByEmail(email),
    },
  }
}

/** A world for one test at a time; `at` is the one that is open. */
export function pagesWorld() {
  let world: World | null = null
  const at = (): World => {
    if (world === null) throw new Error('no world is open')
    return world
  }
  const open = async (options: WorldOptions = {}): Promise<World> => {
    world = await aWorld(options)
    return world
  }
  return {
    at,
    open,
    close: () => at().close(),
    async signedIn(options: WorldOptions = {}) {
      const visitor = aVisitor(await open(options))
      await visitor.signIn(OWNER.email, OWNER.password)
      return visitor
    },
    /** What the terminal hears: a refusal's name, or the type of the token it got. */
    async pollOf(deviceCode: string): Promise<string> {
      const json = { device_code: deviceCode, client_id: 'difyctl' }
      const reply = await at().post('/openapi/v1/oauth/device/token', { json })
      return reply.json.error ?? reply.json.token_type
    },
  }
}
