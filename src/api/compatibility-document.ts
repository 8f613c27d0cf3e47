/** docs/compatibility.md, made from the table of operations and the list of known differences. */
import { DIFFERENCES } from './differences.ts'
import { OPERATIONS } from './operations/table.ts'

export function compatibilityDocument(): string {
  const refused = OPERATIONS.filter((operation) => operation.refused !== undefined)
  const has = OPERATIONS.filter((operation) => operation.refused === undefined)
  const reasons = [...new Set(refused.map((operation) => operation.refused))]
  return `# Compatibility

Generated from \`src/api/operations/table.ts\` and \`src/api/differences.ts\` (\`node --import tsx scripts/docs.mjs\`); a test holds it current.

What differs from AWS Lambda, and what depends on the machine. Everything else is meant to be the same; a difference that is not here is a bug.
${DIFFERENCES.map(({ title, text }) => `\n## ${title}\n\n${text}\n`).join('')}
## Operations

The service model 2015-03-31 has ${OPERATIONS.length} operations. Hearth has these ${has.length}; the status is that of success:

| Operation | Method | Path | Status |
| --- | --- | --- | --- |
${has.map(({ name, method, path, status }) => `| ${name} | ${method} | \`${path}\` | ${status} |`).join('\n')}

It refuses these ${refused.length}, with the reason that it also gives to the caller:

| Reason | Operations |
| --- | --- |
${reasons
  .map((reason) => {
    const names = refused.filter((operation) => operation.refused === reason).map(({ name }) => name)
    return `| ${reason} | ${names.join(', ')} |`
  })
  .join('\n')}
`
}
