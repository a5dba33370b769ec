import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { StoredBinding } from '#application/ports/bindings.ts'
import type { BindingSubject } from '#domain/binding.ts'
import { aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

const GPT: BindingSubject = { kind: 'model', provider: 'openai', name: 'gpt-4o' }

/** What every BindingStore promises. */
export function bindingStoreContract(name: string, open: Open): void {
  describe(`BindingStore contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    async function aPlace() {
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      return { workspaceId: workspace.id, bindings: opened.stores.bindings }
    }

    const aBinding = (workspaceId: string, more: Partial<StoredBinding> = {}): StoredBinding => ({
      workspaceId,
      subject: GPT,
      target: { via: 'endpoint', url: 'https://models.example/v1', model: null },
      sealedKey: 'sealed',
      updatedAtMs: NOW_MS,
      ...more,
    })

    it('gives back what was put, by kind, provider and name, and only to its workspace', async () => {
      const { workspaceId, bindings } = await aPlace()
      const other = await aPlace()
      const document = { openapi: '3.1.0', paths: { '/a': { get: { operationId: 'list', summary: 'ü "\\' } } } }
      const all = [
        aBinding(workspaceId, {
          subject: { kind: 'app', provider: '', name: randomUUID() },
          target: { via: 'upstream', url: 'https://dify.example/v1' },
        }),
        aBinding(workspaceId, {
          subject: { kind: 'dataset', provider: '', name: 'Z+/=' },
          target: { via: 'retriever', url: 'https://docs.example', knowledgeId: 'k' },
        }),
        aBinding(workspaceId, { subject: { ...GPT, name: '' } }),
        aBinding(workspaceId, { subject: { ...GPT, name: 'B' } }),
        aBinding(workspaceId, { subject: { ...GPT, name: 'a' }, sealedKey: null }),
        aBinding(workspaceId, {
          subject: { kind: 'tool', provider: 'p', name: 't' },
          target: { via: 'openapi', url: 'https://api.example', document, operationId: null, header: 'X-Key' },
        }),
      ]
      for (const one of all.toReversed()) await bindings.put(one)
      await other.bindings.put(aBinding(other.workspaceId))
      expect(await bindings.list(workspaceId)).to.deep.equal(all)
      expect(await bindings.list(randomUUID())).to.deep.equal([])
      expect(await bindings.list('not-a-uuid')).to.deep.equal([])
    })

    it('replaces what stood for the same subject, key and all', async () => {
      const { workspaceId, bindings } = await aPlace()
      await bindings.put(aBinding(workspaceId))
      const second = aBinding(workspaceId, {
        target: { via: 'endpoint', url: 'https://other.example', model: 'm' },
        sealedKey: null,
        updatedAtMs: NOW_MS + 1000,
      })
      await bindings.put(second)
      expect(await bindings.list(workspaceId)).to.deep.equal([second])
    })

    it('keeps one of twenty concurrent puts, and lets one of twenty removals win', async () => {
      const { workspaceId, bindings } = await aPlace()
      const urls = Array.from({ length: 20 }, (_, at) => `https://${at}.example`)
      await Promise.all(
        urls.map((url) => bindings.put(aBinding(workspaceId, { target: { via: 'endpoint', url, model: null } }))),
      )
      const [kept, ...rest] = await bindings.list(workspaceId)
      expect(rest).to.deep.equal([])
      expect(kept?.target).to.have.property('url').that.is.oneOf(urls)
      const removed = await Promise.all(urls.map(() => bindings.remove(workspaceId, GPT)))
      expect(removed.filter((one) => one)).to.have.length(1)
      expect(await bindings.list(workspaceId)).to.deep.equal([])
    })

    it('removes nothing of another workspace or subject', async () => {
      const { workspaceId, bindings } = await aPlace()
      const other = await aPlace()
      await bindings.put(aBinding(workspaceId))
      expect(await bindings.remove(other.workspaceId, GPT)).to.equal(false)
      expect(await bindings.remove(workspaceId, { ...GPT, kind: 'tool' })).to.equal(false)
      expect(await bindings.remove('not-a-uuid', GPT)).to.equal(false)
      expect(await bindings.list(workspaceId)).to.have.length(1)
    })

    it('stores text that the database has no room for', async () => {
      const { workspaceId, bindings } = await aPlace()
      const subject = { kind: 'tool', provider: 'a\0b', name: '\0' } as const
      await bindings.put(aBinding(workspaceId, { subject, target: { via: 'js', code: 'main = () => "\0\ud800"' } }))
      expect(await bindings.remove(workspaceId, subject)).to.equal(true)
    })
  })
}
