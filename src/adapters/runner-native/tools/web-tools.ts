import { textAt } from '#domain/json.ts'
import { pageText } from './page-text.ts'
import { replyText, sendFor } from './send.ts'
import { type NativeTool, textOutput } from './tool.ts'

const MAX_CHARS = 100_000

/** The tool that apps know as `webscraper`: the text of a page. */
export const webTools: Readonly<Record<string, NativeTool>> = {
  webscraper: {
    description: 'Reads the text of a web page.',
    parameters: {
      type: 'object',
      properties: { url: { type: 'string', description: 'Of the page, with https://.' } },
      required: ['url'],
    },
    call:
      ({ egress }) =>
      async (given, signal) => {
        const agent = textAt(given, 'user_agent').replaceAll(/[^\x20-\x7e]/g, '')
        const headers = [['accept', 'text/html, text/*;q=0.9, application/json;q=0.8'] as const]
        const reply = await sendFor(egress, signal, {
          method: 'GET',
          url: textAt(given, 'url').trim(),
          headers: agent === '' ? headers : [...headers, ['user-agent', agent] as const],
        })
        const text = replyText(reply)
        const isPage = /html/i.test(reply.headers['content-type'] ?? '') || /^\s*<(!doctype|html)/i.test(text)
        return textOutput((isPage ? pageText(text) : text).slice(0, MAX_CHARS))
      },
  },
}
