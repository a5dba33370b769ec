import type { AppDefinition, Json, JsonObject } from './app.ts'
import { type AppMode, isGraphMode } from './app-mode.ts'
import { formRows } from './input-form.ts'
import { isList, isObject, objectAt } from './json.ts'
import { type UploadRules, USUAL_FILES_PER_RUN, USUAL_MAX_BYTES } from './uploaded-file.ts'

const OFF: JsonObject = { enabled: false }

const MIB = 1024 * 1024
const USUAL = { maxBytes: USUAL_MAX_BYTES, perRun: USUAL_FILES_PER_RUN }

/** Megabytes, as clients read them. */
function systemParameters({ maxBytes, perRun }: Pick<UploadRules, 'maxBytes' | 'perRun'>): JsonObject {
  return {
    image_file_size_limit: maxBytes.image / MIB,
    video_file_size_limit: maxBytes.video / MIB,
    audio_file_size_limit: maxBytes.audio / MIB,
    file_size_limit: maxBytes.document / MIB,
    workflow_file_upload_limit: perRun,
  }
}

const IMAGE_UPLOAD: JsonObject = {
  enabled: false,
  number_limits: 3,
  detail: 'high',
  transfer_methods: ['remote_url', 'local_file'],
}

/** What a client needs to show the app: greeting, form and switched-on features. */
export function parametersOf(
  mode: AppMode,
  definition: AppDefinition | null,
  rules: Pick<UploadRules, 'maxBytes' | 'perRun'> = USUAL,
): JsonObject {
  const rows = formRows(mode, definition)
  if (definition === null || rows === null) {
    return {
      opening_statement: null,
      suggested_questions: [],
      user_input_form: [],
      file_upload: null,
      system_parameters: {},
    }
  }
  const features = (isGraphMode(mode) ? objectAt(definition.workflow ?? {}, 'features') : definition.modelConfig) ?? {}
  const opening = features.opening_statement
  const questions = features.suggested_questions
  return {
    opening_statement: typeof opening === 'string' ? opening : null,
    suggested_questions: isList(questions) ? questions : [],
    suggested_questions_after_answer: feature(features, 'suggested_questions_after_answer'),
    speech_to_text: feature(features, 'speech_to_text'),
    text_to_speech: feature(features, 'text_to_speech'),
    retriever_resource: feature(features, 'retriever_resource'),
    annotation_reply: feature(features, 'annotation_reply'),
    more_like_this: feature(features, 'more_like_this'),
    user_input_form: rows.filter((row) => isObject(row)),
    sensitive_word_avoidance: feature(features, 'sensitive_word_avoidance'),
    file_upload: { image: IMAGE_UPLOAD, ...objectAt(features, 'file_upload') },
    system_parameters: systemParameters(rules),
  }
}

function feature(features: JsonObject, name: string): Json {
  const setting = features[name]
  return isObject(setting) ? setting : OFF
}
