import { Counter, Gauge, type Registry } from 'prom-client'

/** What is read when somebody scrapes, and costs nothing between. */
export type Sources = {
  /** Connections to the database; absent where there is no pool. */
  readonly databasePool?: () => {
    readonly size: number
    readonly idle: number
    readonly waiting: number
    readonly max: number
  }
  /** Absent when nothing is shared. */
  readonly redis?: () => { readonly isUp: boolean; readonly asked: number; readonly failed: number }
  /** Children for code and templates, by pool. */
  readonly sandboxes?: () => Readonly<
    Record<string, { readonly busy: number; readonly idle: number; readonly waiting: number }>
  >
}

/** Registers what `sources` tell. */
export function registerGauges(registers: Registry[], { databasePool, redis, sandboxes }: Sources): void {
  if (databasePool !== undefined) {
    gauge(registers, 'latchkey_database_pool_connections', 'Connections to the database.', ['state'], (self) => {
      const { size, idle, waiting, max } = databasePool()
      self.set({ state: 'in_use' }, size - idle)
      self.set({ state: 'idle' }, idle)
      self.set({ state: 'waiting' }, waiting)
      self.set({ state: 'max' }, max)
    })
  }
  if (redis !== undefined) {
    gauge(registers, 'latchkey_redis_up', '1 while Redis can be asked.', [], (self) => self.set(redis().isUp ? 1 : 0))
    new Counter({
      name: 'latchkey_redis_requests_total',
      help: 'Turns to Redis, each of one or more commands.',
      labelNames: ['outcome'],
      registers,
      collect() {
        const { asked, failed } = redis()
        this.reset()
        this.inc({ outcome: 'answered' }, asked - failed)
        this.inc({ outcome: 'failed' }, failed)
      },
    })
  }
  if (sandboxes !== undefined) {
    gauge(
      registers,
      'latchkey_sandbox_children',
      'Children for code and templates, and jobs that wait for one.',
      ['pool', 'state'],
      (self) => {
        for (const [pool, states] of Object.entries(sandboxes())) {
          for (const [state, count] of Object.entries(states)) self.set({ pool, state }, count)
        }
      },
    )
  }
}

function gauge(
  registers: Registry[],
  name: string,
  help: string,
  labelNames: string[],
  read: (self: Gauge) => void,
): void {
  new Gauge({
    name,
    help,
    labelNames,
    registers,
    collect() {
      read(this)
    },
  })
}
