import { expect } from 'chai'
import { parametersOf } from '#domain/app-parameters.ts'

const base = { id: 'd', appId: 'a', kind: 'published', dslVersion: '0.3.1', workflow: null, modelConfig: null } as const
const image = { enabled: false, number_limits: 3, detail: 'high', transfer_methods: ['remote_url', 'local_file'] }
const sizes = {
  image_file_size_limit: 10,
  video_file_size_limit: 100,
  audio_file_size_limit: 50,
  file_size_limit: 15,
  workflow_file_upload_limit: 10,
}

describe('app parameters', () => {
  it('G18 has exactly five keys without a usable definition', () => {
    const fallback = {
      opening_statement: null,
      suggested_questions: [],
      user_input_form: [],
      file_upload: null,
      system_parameters: {},
    }
    expect(parametersOf('chat', null)).to.deep.equal(fallback)
    expect(parametersOf('workflow', { ...base, workflow: { graph: { nodes: [] } } })).to.deep.equal(fallback)
  })

  it('G17 fills in every default', () => {
    const off = { enabled: false }
    expect(parametersOf('chat', { ...base, modelConfig: {} })).to.deep.equal({
      opening_statement: null,
      suggested_questions: [],
      suggested_questions_after_answer: off,
      speech_to_text: off,
      text_to_speech: off,
      retriever_resource: off,
      annotation_reply: off,
      more_like_this: off,
      user_input_form: [],
      sensitive_word_avoidance: off,
      file_upload: { image },
      system_parameters: sizes,
    })
  })

  it('G17 says what the definition says, and writes start variables as rows', () => {
    const variable = { variable: 'v', label: 'V', type: 'select', options: ['x'], required: true }
    const workflow = {
      features: { opening_statement: 'Hi', suggested_questions: ['a?'], speech_to_text: { enabled: true } },
      graph: { nodes: [{ id: 's', data: { type: 'start', variables: [variable] } }], edges: [] },
    }
    expect(parametersOf('advanced-chat', { ...base, workflow })).to.deep.include({
      opening_statement: 'Hi',
      suggested_questions: ['a?'],
      speech_to_text: { enabled: true },
      user_input_form: [{ select: variable }],
    })
  })

  it('G17 answers with defaults where the definition holds nonsense', () => {
    const modelConfig = { opening_statement: 5, suggested_questions: 'x', speech_to_text: null, file_upload: [] }
    expect(parametersOf('chat', { ...base, modelConfig })).to.deep.include({
      opening_statement: null,
      suggested_questions: [],
      speech_to_text: { enabled: false },
      file_upload: { image },
    })
  })
})
