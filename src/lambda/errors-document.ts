/** docs/errors.md, made from the exception table and its causes. */
import { ERROR_CAUSES } from './error-causes.ts'
import { EXCEPTIONS, type ExceptionName } from './errors.ts'

export function errorsDocument(): string {
  const names = Object.keys(EXCEPTIONS).sort() as ExceptionName[]
  const rows = names.flatMap((name) => {
    const row = ERROR_CAUSES[name]
    return row === undefined
      ? []
      : [`| ${name} | ${EXCEPTIONS[name].status} | ${row.cause} | ${row.caller} | ${row.operator} |`]
  })
  const others = names.filter((name) => ERROR_CAUSES[name] === undefined)
  return `# Errors

Generated from \`src/lambda/errors.ts\` and \`src/lambda/error-causes.ts\` (\`node --import tsx scripts/docs.mjs\`); a test checks that it is current.

The code of an error is in the header \`x-amzn-ErrorType\`. Its text is in the member \`message\` or \`Message\` of the body, as on AWS
for each error. A failure of the function itself is not one of these errors: its answer has status 200 and the header
\`X-Amz-Function-Error\`.

| Error | Status | Cause in Hearth | What the caller does | What the operator does |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

## Not sent by this version

The service model also has these errors. Hearth does not have the features that cause them:
${others.join(', ')}.
`
}
