import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import Koa from 'koa'

// The yardstick: the request as it comes into a file, and nothing else. `flush` makes it promise what Latchkey does, that
// the file outlives a crash. Each file is removed at once, after the answer.
const folder = process.env.FOLDER ?? '.'
const app = new Koa()
app.use(async (ctx) => {
  if (ctx.method === 'POST') {
    const path = join(folder, randomUUID())
    await pipeline(ctx.req, createWriteStream(path, { flush: ctx.path === '/flushed' }))
    ctx.res.once('finish', () => void rm(path))
    ctx.status = 201
  }
  ctx.body = {}
})
app.listen(Number(process.env.PORT), '127.0.0.1')
