// Which projects of tests an `npm test -- …` runs, so that only what they need is prepared.

export const PROJECTS = ['unit', 'fuzz', 'contract', 'docker', 'conformance']

/** Projects that use a container engine and runtime images. */
export const ON_ENGINE = ['contract', 'docker', 'conformance']

/** `--project NAME` wins; else the folders of the named files; else everything. `rest` goes to vitest. */
export function select(args) {
  const named = new Set()
  const rest = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]
    if (arg === '--project') named.add(args[++index])
    else if (arg.startsWith('--project=')) named.add(arg.slice('--project='.length))
    else rest.push(arg)
  }
  const unknown = [...named].filter((name) => !PROJECTS.includes(name))
  if (named.size === 0) {
    for (const arg of rest) {
      const folder = /^(?:\.\/)?test\/([a-z]+)/.exec(arg)?.[1]
      if (folder !== undefined && PROJECTS.includes(folder)) named.add(folder)
    }
  }
  return { projects: named.size === 0 ? PROJECTS : PROJECTS.filter((name) => named.has(name)), unknown, rest }
}
