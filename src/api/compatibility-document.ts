/** docs/compatibility.md, made from the tables of operations and refused settings and the list of known differences. */
import { REFUSED_SETTINGS } from '../control/functions/unsupported.ts'
import { DIFFERENCES } from './differences.ts'
import { OPERATIONS } from './operations/table.ts'
import { SIBLING_OPERATIONS } from './siblings.ts'

export function compatibilityDocument(): string {
  return `# Compatibility

Generated from the tables in \`src/api\` and \`src/control/functions/unsupported.ts\` (\`node --import tsx scripts/docs.mjs\`); a test checks that it is current.

This page lists what differs from AWS Lambda and what depends on the machine. Everything else should be the same; a difference that is not listed is a bug.
${DIFFERENCES.map(({ title, text }) => `\n## ${title}\n\n${text}\n`).join('')}
${refusedSettings()}
${operations()}
${siblings()}
`
}

function refusedSettings(): string {
  return `## Settings that are refused

A request that asks for one of these gets an InvalidParameterValueException that names it:

| Setting | Why |
| --- | --- |
${REFUSED_SETTINGS.map(({ setting, because = 'Not yet.' }) => `| ${setting} | ${because} |`).join('\n')}
`
}

function operations(): string {
  const refused = OPERATIONS.filter((operation) => operation.refused !== undefined)
  const none = OPERATIONS.filter((operation) => operation.none !== undefined)
  const has = OPERATIONS.filter((operation) => operation.refused === undefined && operation.none === undefined)
  return `## Operations

The service model 2015-03-31 has ${OPERATIONS.length} operations. Hearth offers these ${has.length}. The status is that of a successful answer:

| Operation | Method | Path | Status |
| --- | --- | --- | --- |
${has.map(({ name, method, path, status }) => `| ${name} | ${method} | \`${path}\` | ${status} |`).join('\n')}

Hearth answers these ${none.length} as AWS does when no such resource exists: lists are empty, and a resource that is named is not found (404
ResourceNotFoundException):

| Reason | Operations |
| --- | --- |
${byReason(none.map((operation) => ({ name: operation.name, refused: operation.none })))
  .map(({ reason, names }) => `| ${reason} | ${names} |`)
  .join('\n')}

It refuses these ${refused.length} and gives the caller this reason:

| Reason | Operations |
| --- | --- |
${byReason(refused)
  .map(({ reason, names }) => `| ${reason} | ${names} |`)
  .join('\n')}
`
}

function siblings(): string {
  const services = [...new Set(SIBLING_OPERATIONS.map(({ service }) => service))]
  const rows = services.flatMap((service) =>
    byReason(SIBLING_OPERATIONS.filter((one) => one.service === service)).map(
      ({ reason, names }) => `| ${service} | ${reason} | ${names} |`,
    ),
  )
  return `## Services that share Lambda's endpoint

Clients of these services also send their requests to Lambda's endpoint. Hearth refuses their ${SIBLING_OPERATIONS.length} operations with 404 UnknownOperationException:

| Service | Reason | Operations |
| --- | --- | --- |
${rows.join('\n')}

TagResource, UntagResource and ListTags of Lambda MicroVMs have the paths of Lambda's own operations, which answer them.`
}

function byReason(refused: readonly { readonly name: string; readonly refused?: string }[]) {
  const reasons = [...new Set(refused.map((one) => one.refused))]
  return reasons.map((reason) => ({
    reason,
    names: refused
      .filter((one) => one.refused === reason)
      .map(({ name }) => name)
      .join(', '),
  }))
}
