/** docs/lifecycle.md, drawn from the state table. */
import { LIFECYCLE, type LifecycleState } from './lifecycle.ts'

export function lifecycleDocument(): string {
  const states = Object.keys(LIFECYCLE) as LifecycleState[]
  const moves = states.flatMap((from) => Object.entries(LIFECYCLE[from]).map(([event, to]) => ({ from, event, to })))
  return `# The life of an execution environment

Generated from \`src/execution/lifecycle.ts\` (\`node --import tsx scripts/docs.mjs\`); a test checks that it is current. Hearth refuses every transition that is not
listed.

\`\`\`mermaid
stateDiagram-v2
  [*] --> Starting
${moves.map(({ from, event, to }) => `  ${from} --> ${to}: ${event}`).join('\n')}
  Terminated --> [*]
\`\`\`

| From | Event | To |
| --- | --- | --- |
${moves.map(({ from, event, to }) => `| ${from} | ${event} | ${to} |`).join('\n')}
`
}
