/** Settings of what functions may call on the host. */
import { setting } from './setting.ts'
import { functionApi, isOn, wholeNumber } from './values.ts'

export const FUNCTION_API_SETTINGS = {
  functionApi: setting({
    env: 'HEARTH_FUNCTION_API',
    form: 'invoke|all|off',
    description:
      'What functions may call on this host (through AWS_ENDPOINT_URL_LAMBDA and _STS). invoke: Invoke, InvokeAsync and sts:GetCallerIdentity. all: the whole Lambda API of their account and region; every function can then read, change and delete every other function there. off: nothing.',
    schema: functionApi(),
    fallback: () => 'invoke' as const,
    warning: (given) =>
      isOn(given)
        ? 'now means invoke: functions may invoke functions and do nothing else. Write invoke, or write all to allow what on allowed in earlier versions.'
        : undefined,
  }),
  functionApiRate: setting({
    env: 'HEARTH_FUNCTION_API_RATE',
    form: 'NUMBER',
    unit: 'calls per second',
    description:
      'How many calls per second the code in one execution environment may make to Lambda and STS. The calls of five seconds may come at once; further calls get TooManyRequestsException. The default stops a function that calls in a loop from slowing down others. 0 removes the limit.',
    schema: wholeNumber(0, 100_000),
    fallback: () => 100,
  }),
} as const
