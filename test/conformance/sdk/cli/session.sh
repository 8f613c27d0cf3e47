#!/usr/bin/env bash
# One session with the AWS CLI; prints what came back, one `name=value` on each line.
set -euo pipefail
endpoint=$1 code=$2 layer=$3
name=aws-cli
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER=

aws_lambda() { aws --endpoint-url "$endpoint" --output text lambda "$@"; }
# lambda OPERATION OPTIONS…: on the function
lambda() { aws_lambda "$@" --function-name "$name"; }
# invoke PAYLOAD OPTIONS…: prints what --query asks for; the payload is then in $answer
invoke() { lambda invoke "$answer" --cli-binary-format raw-in-base64-out --payload "$@"; }
# error COMMAND…: the message of a call that has to fail
error() { if "$@" 2>&1 >/dev/null; then echo 'no error'; fi; }

arn=$(lambda create-function --runtime nodejs22.x --handler index.handler --role arn:aws:iam::000000000000:role/r \
  --zip-file "fileb://$code" --query FunctionArn)
echo "arn=$arn"
lambda wait function-active-v2
echo "status=$(invoke '{"name":"you"}' --query StatusCode)"
echo "payload=$(cat "$answer")"

version=$(lambda publish-version --query Version)
echo "version=$version"
echo "alias=$(lambda create-alias --name live --function-version "$version" --query AliasArn)"
echo "executed=$(invoke '{"name":"alias"}' --qualifier live --query ExecutedVersion)"
echo "through=$(cat "$answer")"

layer_arn=$(aws_lambda publish-layer-version --layer-name "$name" --zip-file "fileb://$layer" --query LayerVersionArn)
echo "layer=$layer_arn"
lambda update-function-configuration --layers "$layer_arn" >/dev/null
lambda wait function-updated-v2
invoke '{"name":"layer"}' >/dev/null
echo "layered=$(cat "$answer")"

lambda add-permission --statement-id s3 --action lambda:InvokeFunction --principal s3.amazonaws.com \
  --source-arn arn:aws:s3:::bucket >/dev/null
echo "policy=$(lambda get-policy --query Policy)"
lambda remove-permission --statement-id s3
echo "unpolicied=$(error lambda get-policy | grep -o '[A-Za-z]*Exception')"

aws_lambda tag-resource --resource "$arn" --tags team=blue
echo "tag=$(aws_lambda list-tags --resource "$arn" --query Tags.team)"
aws_lambda untag-resource --resource "$arn" --tag-keys team

echo "versions=$(lambda list-versions-by-function --page-size 1 --query 'Versions[].Version' | paste -sd,)"

lambda delete-function
missing=$(error lambda get-function)
echo "missing=$(grep -o '[A-Za-z]*Exception' <<<"$missing")"
echo "text=$(grep -o 'Function not found.*' <<<"$missing")"
