/** docs/doors.md, made from the table of doors. */
import { DOORS, LISTENERS } from './doors.ts'

export function doorsDocument(): string {
  const listeners = Object.entries(LISTENERS).map(([key, { name }]) => {
    const rows = DOORS.filter(({ listener }) => listener === key)
    return `## ${name[0]?.toUpperCase()}${name.slice(1)}

| path | what is there | who may reach it | guard | bounds | from a sandbox: \`invoke\` / \`all\` / \`off\` | a page of another origin |
| --- | --- | --- | --- | --- | --- | --- |
${rows
  .map(({ paths, serves, who, guard, bounds, sandbox, page }) => {
    const where = paths.map((path) => (path === '*' ? 'every other path' : `\`${path}\``)).join(', ')
    const inside = `${sandbox.invoke} / ${sandbox.all} / ${sandbox.off}`
    return `| ${where} | ${serves} | ${who} | ${guard} | ${bounds} | ${inside} | ${page} |`
  })
  .join('\n')}
`
  })
  return `# Doors

Generated from \`src/api/doors.ts\` (\`node --import tsx scripts/docs.mjs\`);  a test checks that it is current, and other tests check every row.

This page lists every way into the host.
*Answers*: the door serves the request. *Refused*: the door rejects it. *Absent*: the door does not exist there. "From a sandbox" is what code inside a sandbox gets from its own listener. It cannot reach the public port at all.
[ADR 21](adr/0021-sandbox-door.md) says why the listener of a sandbox has a door of its own.

${listeners.join('\n')}`
}
