"""One session with boto3; prints what came back, one `name=value` on each line."""
import sys
from pathlib import Path

import boto3

NAME = "boto3"


def session(client, code: bytes, layer: bytes) -> None:
    arn = client.create_function(
        FunctionName=NAME,
        Runtime="nodejs22.x",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": code},
    )["FunctionArn"]
    show("arn", arn)
    client.get_waiter("function_active_v2").wait(FunctionName=NAME)
    answer = client.invoke(FunctionName=NAME, Payload=b'{"name":"you"}')
    show("status", answer["StatusCode"])
    show("payload", answer["Payload"].read().decode())

    version = client.publish_version(FunctionName=NAME)["Version"]
    show("version", version)
    show("alias", client.create_alias(FunctionName=NAME, Name="live", FunctionVersion=version)["AliasArn"])
    through = client.invoke(FunctionName=NAME, Qualifier="live", Payload=b'{"name":"alias"}')
    show("executed", through["ExecutedVersion"])
    show("through", through["Payload"].read().decode())

    layer_arn = client.publish_layer_version(LayerName=NAME, Content={"ZipFile": layer})["LayerVersionArn"]
    show("layer", layer_arn)
    client.update_function_configuration(FunctionName=NAME, Layers=[layer_arn])
    client.get_waiter("function_updated_v2").wait(FunctionName=NAME)
    layered = client.invoke(FunctionName=NAME, Payload=b'{"name":"layer"}')
    show("layered", layered["Payload"].read().decode())

    client.add_permission(
        FunctionName=NAME,
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::bucket",
    )
    show("policy", client.get_policy(FunctionName=NAME)["Policy"])
    client.remove_permission(FunctionName=NAME, StatementId="s3")
    try:
        client.get_policy(FunctionName=NAME)
    except client.exceptions.ResourceNotFoundException as error:
        show("unpolicied", error.response["Error"]["Code"])

    client.tag_resource(Resource=arn, Tags={"team": "blue"})
    show("tag", client.list_tags(Resource=arn)["Tags"]["team"])
    client.untag_resource(Resource=arn, TagKeys=["team"])

    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName=NAME, PaginationConfig={"PageSize": 1}
    )
    show("versions", ",".join(one["Version"] for page in pages for one in page["Versions"]))

    client.delete_function(FunctionName=NAME)
    try:
        client.get_function(FunctionName=NAME)
    except client.exceptions.ResourceNotFoundException as error:
        show("missing", error.response["Error"]["Code"])
        show("text", error.response["Error"]["Message"])


def show(name: str, value: object) -> None:
    print(f"{name}={value}")


endpoint, code_path, layer_path = sys.argv[1:]
session(
    boto3.client(
        "lambda",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ),
    Path(code_path).read_bytes(),
    Path(layer_path).read_bytes(),
)
