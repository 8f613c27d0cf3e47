export const handler = async (event, context) => {
  const name = event.name ?? 'world'
  console.log(`saying hello to ${name}, ${context.getRemainingTimeInMillis()} ms left`)
  return { message: `Hello, ${name}!`, function: context.functionName, version: context.functionVersion }
}
