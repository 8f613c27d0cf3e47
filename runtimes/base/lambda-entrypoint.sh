#!/bin/sh
# Entry point of AWS's base images: the first argument is the handler.
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" >&2
  exit 142
fi
export _HANDLER="$1"
if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then
  echo "AWS_LAMBDA_RUNTIME_API is not set: this image runs inside Hearth, or beside another Runtime API" >&2
  exit 1
fi
exec /var/runtime/bootstrap
