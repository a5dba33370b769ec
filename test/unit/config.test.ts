import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadConfig } from '#src/config.ts'
import { faultsOf } from '../support/config-faults.ts'

const A_KEY = 'k'.repeat(32)
const AN_ISSUER = 'https://idp.example'
const INNER_SECRET = { ENTERPRISE_API_SECRET_KEY: 'hunter2' }
const A_CLIENT = { SSO_OIDC_CLIENT_ID: 'latchkey', SSO_OIDC_CLIENT_SECRET: 'hunter2-secret' }

const A_BUCKET = {
  S3_ENDPOINT: 'https://s3.example',
  S3_BUCKET_NAME: 'uploads',
  S3_ACCESS_KEY: 'key',
  S3_SECRET_KEY: 'secret',
}

const REFUSED: readonly [name: string, value: string, beside?: Record<string, string>][] = [
  ['HOST', 'http://hunter2'],
  ['HOST', '256.1.1.1:hunter2'],
  ['PORT', 'http'],
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['DATABASE_URL', 'mysql://someone:hunter2@db/x', { SECRET_KEY: A_KEY }],
  ['DATABASE_URL', 'postgres://', { SECRET_KEY: A_KEY }],
  ['DATABASE_URL', 'not a url', { SECRET_KEY: A_KEY }],
  ['REDIS_URL', 'memcached://hunter2@cache'],
  ['REDIS_URL', 'redis://'],
  ['REDIS_KEY_PREFIX', 'a hunter2:'],
  ['REDIS_KEY_PREFIX', 'x'.repeat(65)],
  ['SECRET_KEY', 'hunter2-too-short'],
  ['SECRET_KEY', `new:${A_KEY},old:hunter2`],
  ['SECRET_KEY', `one:${A_KEY},one:${'j'.repeat(32)}`],
  ['CONSOLE_API_URL', 'ftp://hunter2.example'],
  ['CONSOLE_API_URL', 'https://api.example/hunter2'],
  ['CONSOLE_WEB_URL', 'https://hunter2@web.example'],
  ['CONSOLE_WEB_URL', 'web.example?hunter2'],
  ['COOKIE_DOMAIN', 'https://hunter2.example'],
  ['COOKIE_DOMAIN', 'hunter2.example; HttpOnly'],
  ['COOKIE_DOMAIN', 'hunter2.example:8080'],
  ['TRUSTED_PROXIES', '10.0.0.0/8,hunter2'],
  ['TRUSTED_PROXIES', '10.0.0.0/99'],
  ['ENTERPRISE_ENABLED', 'hunter2'],
  ['ENTERPRISE_API_URL', 'ftp://hunter2.example', INNER_SECRET],
  ['ENTERPRISE_API_URL', 'https://someone:hunter2@inner.example', INNER_SECRET],
  ['ENTERPRISE_API_URL', 'https://inner.example/inner/api?hunter2', INNER_SECRET],
  ['ENTERPRISE_API_URL', 'https://inner.example/inner/api#hunter2', INNER_SECRET],
  ['ENTERPRISE_API_URL', '', INNER_SECRET],
  ['ENTERPRISE_API_SECRET_KEY', '', { ENTERPRISE_API_URL: 'https://hunter2.example/inner/api' }],
  ['ENTERPRISE_API_SECRET_KEY', 'hunter2\nX-Other: 1', { ENTERPRISE_API_URL: 'https://inner.example/inner/api' }],
  ['SSO_OIDC_ISSUER', 'hunter2.example', A_CLIENT],
  ['SSO_OIDC_ISSUER', 'ldap://hunter2.example', A_CLIENT],
  ['SSO_OIDC_ISSUER', 'http://hunter2.example', A_CLIENT],
  ['SSO_OIDC_ISSUER', 'https://idp.example/?hunter2', A_CLIENT],
  ['SSO_OIDC_ISSUER', 'https://hunter2@idp.example', A_CLIENT],
  // Issuers are kept in a column, and in claims, of 255 characters.
  ['SSO_OIDC_ISSUER', `https://idp.example/hunter2/${'x'.repeat(255)}`, A_CLIENT],
  ['SSO_OIDC_ISSUER', '', A_CLIENT],
  ['SSO_OIDC_CLIENT_ID', '', { SSO_OIDC_ISSUER: AN_ISSUER, SSO_OIDC_CLIENT_SECRET: 'hunter2' }],
  ['SSO_OIDC_CLIENT_ID', 'with a hunter2', { ...A_CLIENT, SSO_OIDC_ISSUER: AN_ISSUER }],
  ['SSO_OIDC_CLIENT_SECRET', '', { SSO_OIDC_ISSUER: AN_ISSUER, SSO_OIDC_CLIENT_ID: 'hunter2' }],
  ['SSO_OIDC_CLIENT_SECRET', 'hunter2\r\nX: 1', { ...A_CLIENT, SSO_OIDC_ISSUER: AN_ISSUER }],
  ['SSO_OIDC_SCOPES', 'email hunter2', { ...A_CLIENT, SSO_OIDC_ISSUER: AN_ISSUER }],
  ['SSO_OIDC_SCOPES', 'openid,"hunter2"', { ...A_CLIENT, SSO_OIDC_ISSUER: AN_ISSUER }],
  ['SSO_OIDC_GROUPS_CLAIM', 'with a hunter2', { ...A_CLIENT, SSO_OIDC_ISSUER: AN_ISSUER }],
  ['ENABLE_OAUTH_BEARER', 'hunter2'],
  ['OPENAPI_KNOWN_CLIENT_IDS', `difyctl,${'x'.repeat(65)}`],
  ['OPENAPI_KNOWN_CLIENT_IDS', 'with a space'],
  ['OPENAPI_CORS_ALLOW_ORIGINS', '*'],
  ['OPENAPI_CORS_ALLOW_ORIGINS', 'https://app.example/hunter2'],
  ['OPENAPI_RATE_LIMIT_PER_TOKEN', '-1'],
  ['OPENAPI_RATE_LIMIT_PER_TOKEN', '1.5'],
  ['RUNS_PER_WORKSPACE', '-1'],
  ['RUNS_PER_WORKSPACE', 'many'],
  ['DEVICE_FLOW_APPROVE_RATE_LIMIT_PER_HOUR', 'hunter2'],
  ['ACCESS_TOKEN_EXPIRE_MINUTES', '0'],
  ['REFRESH_TOKEN_EXPIRE_DAYS', 'hunter2'],
  ['ENABLE_CLEAN_OAUTH_ACCESS_TOKENS_TASK', 'hunter2'],
  ['OAUTH_ACCESS_TOKEN_RETENTION_DAYS', '-1'],
  ['RUN_TRACE_RETENTION_DAYS', '-1'],
  ['MODEL_BASE_URL', 'file:///etc/hunter2'],
  ['MODEL_API_KEY', 'hunter2\nX-Other: 1'],
  ['MODEL_NAME', 'hunter2\r\nother'],
  ['EGRESS_ALLOW_CIDRS', '10.0.0.0'],
  ['EGRESS_ALLOW_CIDRS', '10.0.0.0/8,hunter2'],
  ['EGRESS_ALLOW_HOSTS', 'http://hunter2'],
  ['EGRESS_ALLOW_HOSTS', 'internal,hunter2:port'],
  ['UPLOAD_FILE_SIZE_LIMIT', '0'],
  ['UPLOAD_IMAGE_FILE_SIZE_LIMIT', 'hunter2'],
  ['UPLOAD_AUDIO_FILE_SIZE_LIMIT', '1001'],
  ['UPLOAD_VIDEO_FILE_SIZE_LIMIT', '1.5'],
  ['UPLOAD_FILE_EXTENSIONS', 'png,../hunter2'],
  ['UPLOAD_QUOTA_PERSON_MB', '-1'],
  ['UPLOAD_QUOTA_PERSON_FILES', 'hunter2'],
  ['UPLOAD_QUOTA_WORKSPACE_MB', '0.5'],
  ['UPLOAD_QUOTA_WORKSPACE_FILES', '1e9'],
  ['WORKFLOW_FILE_UPLOAD_LIMIT', '0'],
  ['FILES_RETENTION_DAYS', '0'],
  ['FILES_URL', 'https://files.example/hunter2'],
  ['FILES_ACCESS_TIMEOUT', '0'],
  ['MULTIMODAL_SEND_FORMAT', 'hunter2'],
  ['S3_ENDPOINT', 'https://s3.example/hunter2', A_BUCKET],
  ['S3_REGION', 'with a hunter2', A_BUCKET],
  ['S3_BUCKET_NAME', 'Hunter2/', A_BUCKET],
  ['S3_SECRET_KEY', 'with a hunter2', A_BUCKET],
  ['S3_ACCESS_KEY', '', A_BUCKET],
  ['S3_PREFIX', '../hunter2/', A_BUCKET],
  ['LOG_LEVEL', 'hunter2'],
  ['WORKFLOW_MAX_EXECUTION_STEPS', '0'],
  ['WORKFLOW_MAX_EXECUTION_TIME', '-1'],
  ['WORKFLOW_CALL_MAX_DEPTH', '21'],
  ['RUN_MAX_LENGTH', '99999'],
  ['MAX_VARIABLE_SIZE', 'hunter2'],
  ['ITERATION_MAX_ITEMS', '0'],
  ['LOOP_NODE_MAX_COUNT', '1e3'],
  ['TEMPLATE_TRANSFORM_MAX_LENGTH', '999'],
  ['MODEL_MAX_ANSWER_LENGTH', '999'],
  ['CODE_EXECUTION_TIMEOUT', '0.5'],
  ['CODE_MAX_STRING_LENGTH', '9000000'],
  ['CODE_MAX_ARRAY_LENGTH', 'hunter2'],
  ['CODE_MAX_DEPTH', '51'],
  ['HTTP_REQUEST_MAX_CONNECT_TIMEOUT', '601'],
  ['HTTP_REQUEST_MAX_READ_TIMEOUT', 'hunter2'],
  ['HTTP_REQUEST_NODE_MAX_TEXT_SIZE', '12'],
  ['HTTP_REQUEST_NODE_MAX_BINARY_SIZE', '-10'],
  ['SHUTDOWN_GRACE_S', '-5'],
  ['SHUTDOWN_DELAY_S', '61'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ['METRICS_PORT', '70000'],
  ['BRAND_NAME', 'hunter2\nhunter2'],
  ['BRAND_LOGO_FILE', '/nowhere/hunter2.png'],
  ['BRAND_ACCENT', '#ffdd00'],
  ['GEOIP_FILE', '/nowhere/hunter2.mmdb'],
]

describe('configuration', () => {
  for (const [name, value, beside] of REFUSED) {
    it(`L05 ${name}=${value.slice(0, 24).replaceAll(/\s+/g, ' ')} stops the start and is named, not shown`, () => {
      const faults = faultsOf({ ...beside, [name]: value })
      expect(faults).to.have.length(1)
      expect(faults[0]).to.match(new RegExp(`^${name} must be .`))
      expect(faults[0]).to.not.contain('\n')
      // A fault line ends up in logs and tickets; a database URL has a password in it.
      expect(faults[0]).to.not.contain('hunter2')
      expect(faults[0]).to.not.contain(A_KEY)
    })
  }

  it('L05 every variable that the README lists has a value that is refused, or takes any', () => {
    const takesAny = ['DATA_DIR', 'INIT_PASSWORD', 'OAUTH_TTL_DAYS']
    const refused = REFUSED.map(([name]) => name)
    const [, table = ''] = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8').split('## Configuration')
    const names = [...(table.split('\n## ')[0] ?? '').matchAll(/^\|([^|]+)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name = '']) => name),
    )
    expect(names).to.include('PORT').and.include('COOKIE_DOMAIN')
    expect(names.filter((name) => !refused.includes(name) && !takesAny.includes(name))).to.deep.equal([])
    for (const name of takesAny) expect(faultsOf({ [name]: 'any; thing\tat all' }), name).to.deep.equal([])
  })

  it('warns of uploads that replicas do not share, and not where an object store keeps them', () => {
    const env = { REDIS_URL: 'redis://127.0.0.1' }
    expect(loadConfig(env).warnings.join()).to.contain('uploads are kept in DATA_DIR')
    expect(loadConfig({ ...env, ...A_BUCKET }).warnings).to.deep.equal([])
    const clear = { ...A_BUCKET, S3_ENDPOINT: 'http://s3.example' }
    expect(loadConfig(clear).warnings.join()).to.contain('S3_ENDPOINT is plain http')
  })

  it('warns of a protocol for spans that it does not speak, naming the variable that counts, and starts', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
    const [usual, traces] = ['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] as const
    for (const [env, named] of [
      [{ [usual]: 'http/protobuf' }, usual],
      [{ [usual]: 'grpc' }, usual],
      [{ [usual]: 'hunter2' }, usual],
      [{ [traces]: 'grpc' }, traces],
      [{ [usual]: 'http/json', [traces]: 'http/protobuf' }, traces],
      [{ [usual]: 'http/protobuf', [traces]: '' }, usual],
    ] as const) {
      const { config, warnings } = loadConfig({ ...endpoint, ...env })
      expect(config.tracing).to.include({ serviceName: 'latchkey' })
      expect(warnings).to.have.length(1)
      expect(warnings[0]).to.match(new RegExp(`^${named} is not http/json; spans are sent as http/json`))
      expect(warnings[0]).to.not.match(/hunter2|grpc|protobuf/)
    }
  })

  it('says nothing of the protocol for spans where it is unset or its own, or no spans are sent', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
    const protobuf = { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }
    for (const env of [
      endpoint,
      { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: '' },
      { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      { ...endpoint, ...protobuf, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' },
      { ...endpoint, ...protobuf, OTEL_SDK_DISABLED: 'true' },
      { ...endpoint, ...protobuf, OTEL_TRACES_EXPORTER: 'none' },
      protobuf,
    ]) {
      expect(loadConfig(env).warnings, JSON.stringify(env)).to.deep.equal([])
    }
  })

  it('reads what may be uploaded, and asks for an origin where models are to fetch', () => {
    const { rules } = loadConfig({ UPLOAD_FILE_EXTENSIONS: '.LOG, csv', UPLOAD_FILE_SIZE_LIMIT: '2' }).config.uploads
    expect([rules.extensions, rules.maxBytes.document]).to.deep.equal([['log', 'csv'], 2 * 1024 * 1024])
    expect(loadConfig({ UPLOAD_FILE_EXTENSIONS: '*' }).config.uploads.rules.extensions).to.equal(null)
    const given = { UPLOAD_QUOTA_PERSON_MB: '3', UPLOAD_QUOTA_PERSON_FILES: '0', UPLOAD_QUOTA_WORKSPACE_FILES: '7' }
    expect(loadConfig(given).config.uploads.rules.quota).to.deep.equal({
      person: { files: 0, bytes: 3 * 1024 * 1024 },
      workspace: { files: 7, bytes: 51_200 * 1024 * 1024 },
    })
    expect(faultsOf({ MULTIMODAL_SEND_FORMAT: 'url' }).join()).to.contain('FILES_URL')
  })

  it('warns of a public origin in the clear, and not of this machine', () => {
    const warningsOf = (env: Record<string, string>) => loadConfig(env).warnings
    expect(
      warningsOf({ CONSOLE_WEB_URL: 'http://web.example', CONSOLE_API_URL: 'http://10.0.0.7:5001' }),
    ).to.deep.equal([
      'CONSOLE_API_URL is plain http: passwords and tokens can be read on the way; put TLS in front',
      'CONSOLE_WEB_URL is plain http: passwords and tokens can be read on the way; put TLS in front',
    ])
    for (const origin of ['https://web.example', 'http://localhost:5001', 'http://127.0.0.1', 'http://[::1]:5001']) {
      expect(warningsOf({ CONSOLE_WEB_URL: origin, CONSOLE_API_URL: origin }), origin).to.deep.equal([])
    }
  })

  it('L05 every fault is told at once, one line each', () => {
    const faults = faultsOf({ PORT: 'x', LOG_LEVEL: 'x', REDIS_URL: 'x' })
    expect(faults.map((fault) => fault.split(' ')[0])).to.have.members(['PORT', 'LOG_LEVEL', 'REDIS_URL'])
  })

  it('L05 a shared database without a shared SECRET_KEY stops the start', () => {
    const [fault = '', ...others] = faultsOf({ DATABASE_URL: 'postgres://someone:hunter2@db/x' })
    expect(others).to.deep.equal([])
    expect(fault).to.match(/^SECRET_KEY must be set/)
    expect(fault).to.not.contain('hunter2')
  })

  it('L05 a listener beyond loopback without CONSOLE_WEB_URL stops the start', () => {
    expect(faultsOf({ HOST: '0.0.0.0' })).to.have.length(1)
    expect(faultsOf({ HOST: '0.0.0.0' })[0]).to.match(/^CONSOLE_WEB_URL must be set/)
    expect(faultsOf({ HOST: '0.0.0.0', CONSOLE_WEB_URL: 'https://web.example' })).to.deep.equal([])
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost'])
      expect(faultsOf({ HOST: host })).to.deep.equal([])
  })

  const TTL: readonly [string | undefined, number, number][] = [
    [undefined, 14, 0],
    ['', 14, 0],
    ['0', 1, 1],
    ['-1', 1, 1],
    ['1', 1, 0],
    ['365', 365, 0],
    ['366', 365, 1],
    ['x', 14, 1],
  ]
  for (const [text, days, warnings] of TTL) {
    it(`L07 OAUTH_TTL_DAYS ${text ?? 'unset'} gives ${days} days and ${warnings} warnings`, () => {
      const loaded = loadConfig(text === undefined ? {} : { OAUTH_TTL_DAYS: text })
      expect(loaded.config.tokenTtlDays).to.equal(days)
      expect(loaded.warnings).to.have.length(warnings)
      for (const warning of loaded.warnings) expect(warning).to.contain('OAUTH_TTL_DAYS')
    })
  }

  it('needs nothing: an empty environment starts on the embedded default', () => {
    const { config, warnings } = loadConfig({})
    expect(warnings).to.deep.equal([])
    expect(config).to.deep.include({
      host: '127.0.0.1',
      port: 5001,
      databaseUrl: null,
      redisUrl: null,
      redisKeyPrefix: 'latchkey:',
      secretKeys: null,
      bearerEnabled: true,
      knownClientIds: ['difyctl', 'latchkey'],
      corsOrigins: [],
      bearerPerMinute: 60,
      decidePerHour: 10,
      accessMinutes: 60,
      refreshDays: 30,
      initPassword: null,
      prunesTokens: true,
      tokenRetentionDays: 30,
      traceRetentionDays: 30,
      logLevel: 'info',
      shutdownGraceS: 20,
      shutdownDelayS: 0,
      tracing: null,
      edition: { kind: 'community' },
    })
  })

  it('takes a Redis or a cluster of them, in the clear and over TLS', () => {
    for (const url of ['redis://h', 'rediss://u:p@h:1/2', 'redis+cluster://h1,h2:1', 'rediss+cluster://u:p@h1,h2']) {
      expect(loadConfig({ REDIS_URL: url }).config.redisUrl).to.equal(url)
    }
    expect(faultsOf({ REDIS_URL: 'rediss+cluster://' })).to.have.length(1)
  })

  it('A16 drops the blanks around and between client ids', () => {
    const { config } = loadConfig({ OPENAPI_KNOWN_CLIENT_IDS: ' difyctl , ,acme-cli ' })
    expect(config.knownClientIds).to.deep.equal(['difyctl', 'acme-cli'])
  })

  const REMOTE = { ENTERPRISE_API_URL: 'https://inner.example/inner/api/', ...INNER_SECRET }
  const OIDC = { SSO_OIDC_ISSUER: 'https://idp.example/realm/', ...A_CLIENT }
  const API = { CONSOLE_API_URL: 'https://api.example' }
  const OF_REMOTE = { kind: 'remote', apiUrl: 'https://inner.example/inner/api', secretKey: 'hunter2' }
  const OF_OIDC = {
    kind: 'oidc',
    issuer: 'https://idp.example/realm/',
    clientId: 'latchkey',
    clientSecret: 'hunter2-secret',
    scope: 'openid email profile',
    groupsClaim: 'groups',
  }
  const EDITIONS: readonly [what: string, env: Record<string, string>, edition: object, warns: readonly string[]][] = [
    ['nothing', {}, { kind: 'community' }, []],
    ['a service that is not switched on', REMOTE, { kind: 'community' }, ['ENTERPRISE_API_URL']],
    [
      'a provider that is not switched on',
      { ENTERPRISE_ENABLED: 'false', ...OIDC },
      { kind: 'community' },
      ['SSO_OIDC_ISSUER'],
    ],
    ['the switch alone', { ENTERPRISE_ENABLED: 'true' }, { kind: 'unlicensed' }, ['ENTERPRISE_ENABLED']],
    ['a service', { ENTERPRISE_ENABLED: 'true', ...REMOTE, ...API }, OF_REMOTE, []],
    ['a provider', { ENTERPRISE_ENABLED: '1', ...OIDC, ...API }, OF_OIDC, []],
    ['both', { ENTERPRISE_ENABLED: 'true', ...REMOTE, ...OIDC, ...API }, OF_REMOTE, ['SSO_OIDC_ISSUER']],
    ['no public origin', { ENTERPRISE_ENABLED: 'true', ...OIDC }, OF_OIDC, ['CONSOLE_API_URL']],
    [
      'a provider with choices',
      { ENTERPRISE_ENABLED: 'true', ...OIDC, ...API, SSO_OIDC_SCOPES: 'openid email', SSO_OIDC_GROUPS_CLAIM: 'roles' },
      { ...OF_OIDC, scope: 'openid email', groupsClaim: 'roles' },
      [],
    ],
    [
      'a provider on this machine',
      { ENTERPRISE_ENABLED: 'true', ...OIDC, ...API, SSO_OIDC_ISSUER: 'http://127.0.0.1:9/realms/a' },
      { ...OF_OIDC, issuer: 'http://127.0.0.1:9/realms/a' },
      [],
    ],
  ]
  for (const [what, env, edition, warns] of EDITIONS) {
    it(`takes ${what} for the edition ${'kind' in edition ? edition.kind : ''}`, () => {
      const { config, warnings } = loadConfig(env)
      expect(config.edition).to.deep.equal(edition)
      expect(warnings.map((warning) => warning.split(' ')[0])).to.deep.equal(warns)
      for (const warning of warnings) expect(warning).to.not.match(/hunter2|idp\.example|inner\.example/)
    })
  }

  it('drops blank CORS origins', () => {
    const { config } = loadConfig({ OPENAPI_CORS_ALLOW_ORIGINS: ' https://a.example,, https://b.example ' })
    expect(config.corsOrigins).to.deep.equal(['https://a.example', 'https://b.example'])
  })

  it('takes an origin with a closing slash for the one that browsers send', () => {
    const { config } = loadConfig({ OPENAPI_CORS_ALLOW_ORIGINS: 'https://a.example/, https://B.example:443' })
    expect(config.corsOrigins).to.deep.equal(['https://a.example', 'https://b.example'])
  })

  it('lets the first of several signing keys sign and names a bare one as other servers do', () => {
    const [first, second] = ['a'.repeat(32), 'b'.repeat(40)]
    expect(loadConfig({ SECRET_KEY: `k2:${first},k1:${second}` }).config.secretKeys).to.deep.equal([
      { kid: 'k2', key: first },
      { kid: 'k1', key: second },
    ])
    expect(loadConfig({ SECRET_KEY: first }).config.secretKeys).to.deep.equal([{ kid: 'dify-shared-v1', key: first }])
  })
})
