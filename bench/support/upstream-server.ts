import { createServer } from 'node:http'

// A Dify with one chat app, as fast or as slow as its first input asks: `{events, everyMs}`; 0 is as fast as it is read.
const WORDS = 'a dozen words of an answer, as a model says them at once'
const common = { task_id: 'task', message_id: 'message', conversation_id: 'conversation', created_at: 1 }
const frame = (event: object) => `data: ${JSON.stringify({ ...event, ...common })}\n\n`
const message = frame({ event: 'message', id: 'message', answer: WORDS })
const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
const end = frame({ event: 'message_end', id: 'message', metadata: { usage, retriever_resources: [] } })

createServer((request, response) => {
  const path = request.url ?? ''
  if (request.method !== 'POST' || !path.endsWith('/chat-messages')) {
    const field = (variable: string) => ({ number: { variable, label: variable, required: true } })
    const reply = path.endsWith('/parameters')
      ? { user_input_form: [field('events'), field('everyMs')] }
      : { mode: 'chat' }
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(reply))
    return
  }
  let text = ''
  request.on('data', (piece) => {
    text += piece
  })
  request.on('end', () => {
    const { inputs } = JSON.parse(text) as { inputs: { events: number; everyMs: number } } // the bench sends it
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    let left = inputs.events
    const say = () => {
      while (left-- > 0) {
        const isFull = !response.write(message)
        if (inputs.everyMs > 0) return void setTimeout(say, inputs.everyMs)
        if (isFull) return void response.once('drain', say)
      }
      response.end(end)
    }
    say()
  })
}).listen(Number(process.env.PORT), '127.0.0.1')
