import { agent } from './agent.ts'
import { answer } from './answer.ts'
import { assigner } from './assigner.ts'
import { code } from './code.ts'
import { documentExtractor } from './document-extractor.ts'
import { end } from './end.ts'
import { httpRequest } from './http-request.ts'
import { humanInput } from './human-input.ts'
import { ifElse } from './if-else.ts'
import { knowledgeRetrieval } from './knowledge-retrieval.ts'
import { listOperator } from './list-operator.ts'
import { llm } from './llm.ts'
import type { NodeExecutor } from './node-executor.ts'
import { parameterExtractor } from './parameter-extractor.ts'
import { pass } from './pass.ts'
import { questionClassifier } from './question-classifier.ts'
import { start } from './start.ts'
import { templateTransform } from './template-transform.ts'
import { tool } from './tool.ts'
import { variableAggregator } from './variable-aggregator.ts'

/** The node types that can be run. `variable-assigner` is what an aggregator was called first. */
export type SupportedType =
  | 'start'
  | 'end'
  | 'answer'
  | 'llm'
  | 'if-else'
  | 'template-transform'
  | 'variable-aggregator'
  | 'variable-assigner'
  | 'assigner'
  | 'list-operator'
  | 'http-request'
  | 'document-extractor'
  | 'question-classifier'
  | 'parameter-extractor'
  | 'iteration-start'
  | 'loop-start'
  | 'loop-end'
  | 'code'
  | 'tool'
  | 'agent'
  | 'knowledge-retrieval'
  | 'human-input'

const table: { readonly [T in SupportedType]: NodeExecutor } = {
  start,
  end,
  answer,
  llm,
  'if-else': ifElse,
  'template-transform': templateTransform,
  'variable-aggregator': variableAggregator,
  'variable-assigner': variableAggregator,
  assigner,
  'list-operator': listOperator,
  'http-request': httpRequest,
  'document-extractor': documentExtractor,
  'question-classifier': questionClassifier,
  'parameter-extractor': parameterExtractor,
  'iteration-start': pass,
  'loop-start': pass,
  'loop-end': pass,
  code,
  tool,
  agent,
  'knowledge-retrieval': knowledgeRetrieval,
  'human-input': humanInput,
}

/** The executor of a node type, or null when it cannot be run. */
export function executorOf(type: string): NodeExecutor | null {
  const executors: Readonly<Record<string, NodeExecutor>> = table
  return Object.hasOwn(executors, type) ? (executors[type] ?? null) : null
}
