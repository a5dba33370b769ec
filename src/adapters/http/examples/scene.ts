// What the OpenAPI document shows: one person, Olive, signs a laptop in and runs a greeting.

/** Where Olive belongs. */
export const WORKSPACE = '019b8ad0-7c00-7000-8000-000000000001'
/** Olive herself. */
export const ACCOUNT = '019b8ad0-7c00-7000-8000-000000000002'
/** What her laptop was given. */
export const TOKEN_ID = '019b8ad0-7c00-7000-8000-000000000003'
/** The greeting. */
export const APP = '019b8ad0-7c00-7000-8000-000000000004'
/** The version of it that is published. */
export const WORKFLOW = '019b8ad0-7c00-7000-8000-000000000007'
/** One greeting. */
export const RUN = '019b8ad0-7c00-7000-8000-000000000006'
/** What it is stopped by. */
export const TASK = '019b8ad0-7c00-7000-8000-000000000005'
/** Where her server is. */
export const ORIGIN = 'https://latchkey.example'
/** When it all happens. */
export const NOON = '2026-01-05T12:00:00.000Z'
/** The same, in seconds since the epoch. */
export const NOON_S = 1_767_614_400
/** When her token expires. */
export const LATER = '2026-01-19T12:00:00.000Z'
/** How long it lasts, in seconds. */
export const FORTNIGHT_S = 14 * 86_400
/** Olive, as she is named wherever an answer names a person. */
export const account = { id: ACCOUNT, email: 'olive@example.com', name: 'Olive' }
/** Her workspace, as far as every answer tells it. */
export const workspace = { id: WORKSPACE, name: 'Olive’s workspace', role: 'owner' }
/** The first and last page of a list that has one row. */
export const onePage = <Row>(limit: number, data: Row) => ({ page: 1, limit, total: 1, has_more: false, data: [data] })
