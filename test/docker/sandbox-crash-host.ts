/** A host that is killed: starts one sandbox, prints what it made, and waits. Arguments: data directory, supervisor. */
import { newDriver, startFunction } from './sandbox-fixture.ts'

const [data = '', supervisor = ''] = process.argv.slice(2)

async function main(): Promise<void> {
  const driver = newDriver({ data, supervisor }, { instance: 'test-crash' })
  await driver.open()
  const { sandbox, address } = await startFunction(driver, data, 'sleep 1000')
  console.log(JSON.stringify({ id: sandbox.id, address }))
  setInterval(() => undefined, 60_000)
}

void main()
