/** Settings of what functions may call on the host. */
import { setting } from './setting.ts'
import { functionApi, isOn, wholeNumber } from './values.ts'

export const FUNCTION_API_SETTINGS = {
  functionApi: setting({
    env: 'HEARTH_FUNCTION_API',
    form: 'invoke|all|off',
    description:
      'What functions may call on this host (AWS_ENDPOINT_URL_LAMBDA and _STS in their environment): invoke: Invoke, InvokeAsync and sts:GetCallerIdentity; all: the whole Lambda API of their account and region, so that any function reads, changes and deletes every other one there; off: nothing.',
    schema: functionApi(),
    fallback: () => 'invoke' as const,
    warning: (given) =>
      isOn(given)
        ? 'is read as invoke: functions may invoke functions and nothing else. Write invoke, or all for what on allowed in earlier versions.'
        : undefined,
  }),
  functionApiRate: setting({
    env: 'HEARTH_FUNCTION_API_RATE',
    form: 'NUMBER',
    unit: 'calls per second',
    description:
      'Calls per second of the code in each execution environment to Lambda and STS; five seconds of them may come at once, the rest gets TooManyRequestsException. The default keeps a function that calls in a loop from slowing down the others. 0 switches the limit off.',
    schema: wholeNumber(0, 100_000),
    fallback: () => 100,
  }),
} as const
