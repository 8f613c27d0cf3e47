/** docs/configuration.md, generated from the table so that the two cannot differ; a test compares them. */
import { flagOf, type Machine, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts'

/** Any machine will do: defaults that depend on it are described by `defaultText`. */
const MACHINE: Machine = { cwd: '/', memoryBytes: 8 * 1024 ** 3, processors: 2 }

export function configurationDocument(): string {
  return `# Configuration

<!-- Generated from src/config/settings.ts by \`node --import tsx scripts/docs.mjs\`. Change the table there. -->

Every setting can be given in four places. The first that has it wins:

1. a flag of \`hearth start\`, for example \`--port 9100\` (with npm: \`npm start -- --port 9100\`);
2. an environment variable, for example \`HEARTH_PORT=9100\`; an empty variable counts as not set;
3. the file \`hearth.config.json\` in the current folder, or the one named by \`--config\` or \`HEARTH_CONFIG\`, for example
   \`{ "port": 9100, "functionReach": [5432] }\`;
4. the default.

A setting that does not exist is an error that names the nearest one, and so is a value that is not valid: the host does not start.
\`hearth config\` prints the current settings and where each comes from. It hides values that may be secret.

| setting | flag | environment | default | meaning |
| --- | --- | --- | --- | --- |
${SETTING_NAMES.map(row).join('\n')}

Sizes take a unit of 1024: \`512K\`, \`64M\`, \`1G\`. Pairs are \`name=value,name=value\` in a flag or a variable and an object in the file.

## Other variables

| variable | meaning |
| --- | --- |
| \`HEARTH_CONFIG\` | the settings file, as \`--config\` |
| \`HEARTH_ENDPOINT\` | the host that \`hearth deploy\`, \`invoke\`, \`logs\`, \`ls\`, \`rm\` and \`runtimes\` talk to, as \`--endpoint-url\`; default \`http://127.0.0.1:9000\` |
| \`DOCKER_HOST\` | the container engine, as for Docker's own client; default \`unix:///var/run/docker.sock\` |
| \`NO_COLOR\` | no colours in the output of \`hearth\` |
`
}

function row(name: SettingName): string {
  const setting = SETTINGS[name]
  const value: unknown = setting.fallback(MACHINE, {})
  const text = setting.defaultText ?? `\`${typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)}\``
  const unit = setting.unit === undefined ? '' : ` Unit: ${setting.unit}.`
  const cells = [
    `\`${name}\``,
    `\`--${flagOf(name)} ${setting.form}\``,
    `\`${setting.env}\``,
    text,
    setting.description + unit,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
