import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { createMetrics } from '#adapters/telemetry/metrics.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

type Rule = { readonly alert: string; readonly expr: string; readonly annotations: Readonly<Record<string, string>> }

async function seriesNames(): Promise<Set<string>> {
  const metrics = createMetrics('0')
  metrics.watch({
    databasePool: () => ({ size: 0, idle: 0, waiting: 0, max: 1 }),
    redis: () => ({ isUp: true, asked: 0, failed: 0 }),
    sandboxes: () => ({}),
  })
  const types = [...(await metrics.expose()).matchAll(/^# TYPE (\w+) (\w+)$/gm)]
  return new Set(
    types.flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  )
}

const namesIn = (expr: string) => expr.match(/\b(?:latchkey|nodejs|process)_\w+/g) ?? []

describe('what operators are given to watch', () => {
  const { groups } = parse(read('ops/alerts.yml'))
  const rules: readonly Rule[] = groups.flatMap((group: { rules: readonly Rule[] }) => group.rules)
  const dashboard = JSON.parse(read('ops/grafana-dashboard.json'))
  const drawn: readonly string[] = dashboard.panels.flatMap(({ targets }: { targets: readonly { expr: string }[] }) =>
    targets.map(({ expr }) => expr),
  )

  it('every series of the dashboard and of the alerts is one that the server has', async () => {
    const known = await seriesNames()
    const asked = [...drawn, ...rules.map(({ expr }) => expr)].flatMap(namesIn)
    expect(asked.length).to.be.greaterThan(30)
    for (const name of asked) expect(known.has(name), name).to.equal(true)
  })

  it('the dashboard draws every series of ours', async () => {
    const shown = new Set(drawn.flatMap(namesIn).map((name) => name.replace(/_bucket$/, '')))
    const own = [...(await seriesNames())].filter((name) => /^latchkey_/.test(name))
    const bases = new Set(own.map((name) => name.replace(/_(bucket|sum|count)$/, '')))
    expect([...bases].filter((name) => !shown.has(name))).to.deep.equal([])
  })

  it('every alert says what is wrong and where it is written what to do', () => {
    const headings = [...read('docs/operations.md').matchAll(/^#+ (.+)$/gm)].map(
      ([, title = '']) =>
        `docs/operations.md#${title
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-')}`,
    )
    expect(new Set(rules.map(({ alert }) => alert)).size).to.equal(rules.length)
    for (const { alert, annotations } of rules) {
      expect(annotations.summary, alert).to.be.a('string')
      expect(headings, alert).to.include(annotations.runbook_url)
    }
  })

  it('every series of ours stands in the manual', async () => {
    const manual = read('docs/operations.md')
    for (const name of await seriesNames()) {
      if (name.startsWith('latchkey_')) expect(manual).to.contain(name.replace(/_(bucket|sum|count)$/, ''))
    }
  })
})
