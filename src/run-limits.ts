import { DEFAULT_LIMITS, type RunLimits } from '#adapters/runner-native/limits.ts'
import type { Reader } from './config-reader.ts'

/** Reads what runs may take. Where the app files' own server has a name for a limit, that name is kept. */
export function readRunLimits({ whole }: Reader): RunLimits {
  const usual = DEFAULT_LIMITS
  return {
    steps: whole('WORKFLOW_MAX_EXECUTION_STEPS', usual.steps, 1, 100_000),
    runSeconds: whole('WORKFLOW_MAX_EXECUTION_TIME', usual.runSeconds, 1, 86_400),
    runChars: whole('RUN_MAX_LENGTH', usual.runChars, 100_000, 500_000_000),
    appDepth: whole('WORKFLOW_CALL_MAX_DEPTH', usual.appDepth, 0, 20),
    variableChars: whole('MAX_VARIABLE_SIZE', usual.variableChars, 1_024, 100_000_000),
    codeChars: whole('CODE_MAX_STRING_LENGTH', usual.codeChars, 1_000, 8_000_000),
    codeItems: whole('CODE_MAX_ARRAY_LENGTH', usual.codeItems, 1, 1_000_000),
    codeDepth: whole('CODE_MAX_DEPTH', usual.codeDepth, 1, 50),
    codeSeconds: whole('CODE_EXECUTION_TIMEOUT', usual.codeSeconds, 1, 600),
    templateChars: whole('TEMPLATE_TRANSFORM_MAX_LENGTH', usual.templateChars, 1_000, 8_000_000),
    answerChars: whole('MODEL_MAX_ANSWER_LENGTH', usual.answerChars, 1_000, 50_000_000),
    iterationItems: whole('ITERATION_MAX_ITEMS', usual.iterationItems, 1, 100_000),
    loopRounds: whole('LOOP_NODE_MAX_COUNT', usual.loopRounds, 1, 100_000),
    httpConnectSeconds: whole('HTTP_REQUEST_MAX_CONNECT_TIMEOUT', usual.httpConnectSeconds, 1, 600),
    httpSeconds: whole('HTTP_REQUEST_MAX_READ_TIMEOUT', usual.httpSeconds, 1, 3_600),
    httpTextBytes: whole('HTTP_REQUEST_NODE_MAX_TEXT_SIZE', usual.httpTextBytes, 1_024, 100_000_000),
    httpFileBytes: whole('HTTP_REQUEST_NODE_MAX_BINARY_SIZE', usual.httpFileBytes, 1_024, 500_000_000),
  }
}
