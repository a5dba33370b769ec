/** The one cap on how many rows a list may hold. */
export const MAX_PAGE_LIMIT = 200

/** `page` counts from 1. */
export type PageRequest = { readonly page: number; readonly limit: number }

export type Page<T> = PageRequest & {
  readonly total: number
  readonly hasMore: boolean
  readonly data: readonly T[]
}

export function pageOf<T>({ page, limit }: PageRequest, total: number, data: readonly T[]): Page<T> {
  return { page, limit, total, hasMore: page * limit < total, data }
}
