"""One session with boto3 as its users know it; prints what came back as JSON."""
import io
import json
import sys
import zipfile

import boto3
from botocore.config import Config

endpoint = sys.argv[1]
client = boto3.client(
    "lambda",
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
    config=Config(retries={"max_attempts": 0}),
)

package = io.BytesIO()
with zipfile.ZipFile(package, "w") as zipped:
    zipped.writestr("app.py", "def handler(event, context):\n    print('seen', event)\n    return {'got': event}\n")

client.create_function(
    FunctionName="boto",
    Runtime="python3.13",
    Handler="app.handler",
    Role="arn:aws:iam::000000000000:role/r",
    Code={"ZipFile": package.getvalue()},
)
client.get_waiter("function_active_v2").wait(FunctionName="boto")

sync = client.invoke(FunctionName="boto", Payload=b'{"n": 1}', LogType="Tail")
event = client.invoke(FunctionName="boto", Payload=b"{}", InvocationType="Event")
dry = client.invoke(FunctionName="boto", Payload=b"{}", InvocationType="DryRun")
version = client.publish_version(FunctionName="boto")
client.update_function_configuration(FunctionName="boto", Description="second")
client.get_waiter("function_updated_v2").wait(FunctionName="boto")
second = client.publish_version(FunctionName="boto")
alias = client.create_alias(
    FunctionName="boto",
    Name="live",
    FunctionVersion=version["Version"],
    RoutingConfig={"AdditionalVersionWeights": {second["Version"]: 0.5}},
)
through_alias = client.invoke(FunctionName="boto:live", Payload=b"{}")
client.put_function_concurrency(FunctionName="boto", ReservedConcurrentExecutions=0)
try:
    client.invoke(FunctionName="boto", Payload=b"{}")
    throttled = None
except client.exceptions.TooManyRequestsException as error:
    throttled = error.response
names = [f["FunctionName"] for page in client.get_paginator("list_functions").paginate() for f in page["Functions"]]
client.delete_function(FunctionName="boto")
try:
    client.get_function(FunctionName="boto")
    missing = None
except client.exceptions.ResourceNotFoundException as error:
    missing = error.response["Error"]

print(
    json.dumps(
        {
            "sync": {"status": sync["StatusCode"], "version": sync["ExecutedVersion"], "payload": json.load(sync["Payload"])},
            "log": sync["LogResult"],
            "event": event["StatusCode"],
            "dry": dry["StatusCode"],
            "versions": [version["Version"], second["Version"]],
            "alias": {key: alias[key] for key in ("Name", "FunctionVersion", "RoutingConfig")},
            "throughAlias": through_alias["ExecutedVersion"],
            "throttled": {"status": throttled["ResponseMetadata"]["HTTPStatusCode"], "reason": throttled["Reason"]},
            "names": names,
            "missing": missing,
        }
    )
)
