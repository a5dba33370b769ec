import { randomUUID } from 'node:crypto'
import Router from '@koa/router'
import Koa from 'koa'
import { createTokenSeal } from '#adapters/crypto/token-seal.ts'
import { type BareAnswer, KEY_PAIR_PATH } from './measure.ts'

// The yardstick: the same statuses and JSON as Latchkey, and nothing else — no check, no store, no header of ours.
// It does not even read the body of a POST, which makes the ratios the harder to reach.
const answers: readonly BareAnswer[] = JSON.parse(process.env.BARE_ANSWERS ?? '[]')
const router = new Router()
router.get('/', (ctx) => {
  ctx.body = {}
})
for (const { method, path, status, body } of answers) {
  router.register(path, [method], (ctx) => {
    ctx.status = status
    ctx.body = body
  })
}
// What the contract asks for each device code besides an answer: a bound for whoever keeps it.
const { publicKeyOf } = createTokenSeal()
router.post(KEY_PAIR_PATH, (ctx) => {
  ctx.body = { public_key: publicKeyOf(randomUUID()) }
})
const app = new Koa()
app.use(router.routes())
app.listen(Number(process.env.PORT), '127.0.0.1')
