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

Generated from \`src/api/doors.ts\` (\`node --import tsx scripts/docs.mjs\`); a test holds it current, and others walk its rows.

Every way into the host. A column for other ways in (the port of function URLs, another user of the machine) is added with the first door that has them.
*Answers*: the door serves the request. *Refused*: it says no. *Absent*: there is no such thing. "From a sandbox" is what code inside a sandbox gets from its own listener; the public port is out of its reach altogether.
Why the listener of a sandbox has a door of its own: [ADR 21](adr/0021-sandbox-door.md).

${listeners.join('\n')}`
}
