import { request as ask, createServer } from 'node:http'

// The yardstick: what comes from one side goes to the other, unread.
const upstream = new URL(process.env.UPSTREAM ?? '')

createServer((request, response) => {
  const { method, headers } = request
  const forward = ask(
    { host: upstream.hostname, port: upstream.port, path: '/v1/chat-messages', method, headers },
    (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(response)
    },
  )
  forward.on('error', () => response.destroy())
  request.pipe(forward)
}).listen(Number(process.env.PORT), '127.0.0.1')
