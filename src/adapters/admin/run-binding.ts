import type { ShownBinding } from '#application/use-cases/manage-bindings.ts'
import type { UseCases } from '#application/use-cases.ts'
import type { BindingSubject } from '#domain/binding.ts'
import { DomainError } from '#domain/errors.ts'
import { actingPerson } from './acting-person.ts'
import type { AdminRequest } from './parse-command.ts'
import { type AdminReply, done, failed, listed } from './reply.ts'

type Binder = Parameters<UseCases['bindings']['remove']>[0]
type Request<C extends AdminRequest['command']> = Extract<AdminRequest, { command: C }>

export async function listBindings(cases: UseCases, { options }: Request<'binding list'>): Promise<AdminReply> {
  const person = await actingPerson(cases, options)
  if ('lines' in person) return person
  const bindings = await cases.bindings.list(person)
  const lines = bindings.map(options.json ? (one) => JSON.stringify(wire(one)) : lineOf)
  return listed(lines, 'no bindings', options.json)
}

export async function setBinding(cases: UseCases, request: Request<'binding set'>): Promise<AdminReply> {
  const { subject, target, key, options } = request
  const person = await actingPerson(cases, options)
  if ('lines' in person) return person
  const bound = await cases.bindings.set(person, { subject, target, key })
  return done([options.json ? JSON.stringify(wire(bound)) : `Bound ${lineOf(bound)}`])
}

export async function removeBinding(cases: UseCases, request: Request<'binding remove'>): Promise<AdminReply> {
  const { subject, options } = request
  const person = await actingPerson(cases, options)
  if ('lines' in person) return person
  if (!(await removed(cases, person, subject))) {
    return failed(`nothing is bound as ${wordsFor(subject)}; latchkey binding list shows what is`)
  }
  return done([options.json ? JSON.stringify({ removed: subject }) : `Removed ${wordsFor(subject)}`])
}

/** Removes a binding; false when there was none, which the API tells without a word about it. */
export async function removed(cases: UseCases, person: Binder, subject: BindingSubject): Promise<boolean> {
  try {
    await cases.bindings.remove(person, subject)
    return true
  } catch (error) {
    if (error instanceof DomainError && error.code === 'not_found') return false
    throw error
  }
}

/** What is bound to what; documents and code are left out for their length, keys for good. */
function wire({ subject, target, key, updatedAtMs }: ShownBinding) {
  const { kind, provider, name } = subject
  const to =
    target.via === 'openapi'
      ? { via: target.via, url: target.url, operation_id: target.operationId, header: target.header }
      : target.via === 'retriever'
        ? { via: target.via, url: target.url, knowledge_id: target.knowledgeId }
        : target.via === 'app'
          ? { via: target.via, app_id: target.appId }
          : target.via === 'js'
            ? { via: target.via }
            : target
  return { kind, provider, name, ...to, key, updated_at: new Date(updatedAtMs).toISOString() }
}

function lineOf({ subject, target, key }: ShownBinding): string {
  const place = 'url' in target ? target.url : target.via === 'app' ? target.appId : 'code'
  const keyed = { none: '', kept: ', with a key', lost: ', its key is lost: set it again' }[key]
  return `${wordsFor(subject)} to ${target.via} ${place}${keyed}`
}

function wordsFor({ kind, provider, name }: BindingSubject): string {
  return [kind, provider, name].filter((word) => word !== '').join(' ')
}
