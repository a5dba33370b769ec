import type { NewTag, Tag, TagStore } from '#application/ports/tag-store.ts'
import type { MemoryDatabase } from './database.ts'
import { ascending } from './ordering.ts'

/** Tags of one process; apps hold the names of theirs. */
export function createMemoryTagStore(database: MemoryDatabase): TagStore {
  const { apps, tags } = database
  const toTag = ({ id, name, workspaceId }: NewTag): Tag => ({
    id,
    name,
    bindings: apps.rows().filter((app) => app.workspaceId === workspaceId && app.tags.includes(name)).length,
  })

  return {
    list: (workspaceId, keyword = '') =>
      database.run(() =>
        tags
          .rows()
          .filter((row) => row.workspaceId === workspaceId)
          .filter(({ name }) => name.toLowerCase().includes(keyword.toLowerCase()))
          .map(toTag)
          .toSorted((a, b) => ascending(a.name, b.name)),
      ),

    put: (tag) =>
      database.run(() => {
        const same = tags.rows().find(({ workspaceId, name }) => workspaceId === tag.workspaceId && name === tag.name)
        if (same === undefined) tags.set(tag.id, tag)
        return toTag(same ?? tag)
      }),

    bind: (workspaceId, appId, tagIds) =>
      database.run(() => {
        const names = tagIds.flatMap((id) => {
          const row = tags.get(id)
          return row?.workspaceId === workspaceId ? [row.name] : []
        })
        const app = apps.get(appId)
        if (app?.workspaceId !== workspaceId || names.length < tagIds.length) return false
        apps.set(appId, { ...app, tags: [...new Set([...app.tags, ...names])] })
        return true
      }),
  }
}
