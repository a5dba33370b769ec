import { textAt } from '#domain/json.ts'
import type { ModelMessage, ModelRequest } from '../models/model-client.ts'
import { createThinkingSplitter, splitThinking } from '../models/split-thinking.ts'
import type { Hearing, Said } from '../models/whole-answer.ts'
import { askModel, checkModel, wireUsage } from './ask-model.ts'
import { expectTemplates, promptOf, retrievedFrom } from './llm-prompt.ts'
import { type NodeExecutor, NodeFailure, type NodeTask } from './node-executor.ts'
import { askingFor, schemaOf, structured } from './structured-output.ts'

/** Asks the model, and tells its answer while it comes. */
export const llm: NodeExecutor = {
  run: async (task) => {
    const schema = schemaOf(task.node.data)
    const prompt = await promptOf(task)
    const messages = schema === null ? prompt : askingFor(schema, prompt)
    const retrieved = retrievedFrom(task)
    const inputs = { prompts: messages.map(({ role, text }) => ({ role, text })) }
    const isSplit = textAt(task.node.data, 'reasoning_format') === 'separated'
    const asking = schema === null ? {} : { answerSchema: schema }
    const said = isSplit ? await askSplit(task, messages, asking) : await askModel(task, messages, task.emit, asking)
    const outputs = {
      text: said.text,
      reasoning_content: said.reasoning,
      usage: wireUsage(said.usage),
      finish_reason: said.finishReason,
      files: [],
    }
    const result = { inputs, usage: said.usage, retrieverResources: retrieved }
    if (schema === null) return { ...result, outputs }
    try {
      return { ...result, outputs: { ...outputs, structured_output: structured(schema, said.text) } }
    } catch (error) {
      if (!(error instanceof NodeFailure)) throw error
      throw new NodeFailure(error.errorType, error.message, { inputs, usage: said.usage }, { cause: error })
    }
  },
  check: checkModel,
  expect: expectTemplates,
}

/** What the model thinks between tags is kept from the reader. */
async function askSplit(
  task: NodeTask,
  messages: readonly ModelMessage[],
  asking: Pick<ModelRequest, 'answerSchema'>,
): Promise<Said> {
  const splitter = createThinkingSplitter()
  const tell: Hearing = async (text) => {
    if (text !== '') await task.emit(text)
  }
  const said = await askModel(task, messages, (delta) => tell(splitter.take(delta).text), asking)
  await tell(splitter.rest().text)
  const { text, reasoning } = splitThinking(said.text)
  return { ...said, text, reasoning: said.reasoning + reasoning }
}
