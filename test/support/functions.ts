/** Functions for tests: zipped from text, created and waited for with the official client. */
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  GetFunctionCommand,
  InvokeCommand,
  type InvokeCommandInput,
  type InvokeCommandOutput,
  type LambdaClient,
} from '@aws-sdk/client-lambda'
import yazl from 'yazl'

export const ROLE = 'arn:aws:iam::000000000000:role/test'

/** Seconds that a function may take in a test that is not about its timeout: AWS's own 3 are few on a busy machine. */
export const TIMEOUT_S = 60

/** Content of each file, also with a mode of its own, or where a symbolic link leads. */
type File =
  | string
  | Uint8Array
  | { readonly link: string }
  | { readonly content: string | Uint8Array; readonly mode: number }
export type Files = Readonly<Record<string, File>>

/** A zip of these files; those named `bootstrap` or ending in `.sh` are executable. */
export async function zipped(files: Files): Promise<Uint8Array> {
  const zip = new yazl.ZipFile()
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'object' && 'link' in content) {
      zip.addBuffer(Buffer.from(content.link), name, { mode: 0o120777 })
      continue
    }
    if (typeof content === 'object' && 'mode' in content) {
      zip.addBuffer(Buffer.from(content.content), name, { mode: 0o100000 | content.mode })
      continue
    }
    const executable = name === 'bootstrap' || name.endsWith('.sh')
    zip.addBuffer(Buffer.from(content), name, { mode: executable ? 0o100755 : 0o100644 })
  }
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

export async function createFunction(
  client: LambdaClient,
  name: string,
  files: Files,
  settings: Partial<CreateFunctionCommandInput> = {},
): Promise<void> {
  await client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: await zipped(files) },
      Timeout: TIMEOUT_S,
      ...settings,
    }),
  )
  await active(client, name)
}

/** Waits until a function is Active and its last update Successful. @throws when it Failed. */
export async function active(client: LambdaClient, name: string): Promise<void> {
  for (;;) {
    const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName: name }))
    if (Configuration?.State === 'Failed' || Configuration?.LastUpdateStatus === 'Failed') {
      throw new Error(`${name} failed: ${Configuration.StateReason ?? Configuration.LastUpdateStatusReason}`)
    }
    if (Configuration?.State === 'Active' && Configuration.LastUpdateStatus !== 'InProgress') return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export interface Invoked extends InvokeCommandOutput {
  /** The payload parsed, or its text where it is not JSON. */
  readonly body: unknown
  readonly log: string
}

export async function invoke(
  client: LambdaClient,
  name: string,
  payload: unknown = {},
  input: Partial<InvokeCommandInput> = {},
): Promise<Invoked> {
  const output = await client.send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)), ...input }),
  )
  const text = Buffer.from(output.Payload ?? []).toString()
  return { ...output, body: parsed(text), log: Buffer.from(output.LogResult ?? '', 'base64').toString() }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
