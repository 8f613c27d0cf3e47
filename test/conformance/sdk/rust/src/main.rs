//! One session with the official SDK for Rust; prints what came back, one `name=value` on each line.
use std::time::Duration;

use aws_sdk_lambda::client::Waiters;
use aws_sdk_lambda::config::{Credentials, Region};
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, LayerVersionContentInput, Runtime};
use aws_sdk_lambda::Client;

const NAME: &str = "rust-sdk";

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(session(&arguments[1], std::fs::read(&arguments[2])?, std::fs::read(&arguments[3])?))
}

async fn session(endpoint: &str, code: Vec<u8>, content: Vec<u8>) -> Result<(), Failure> {
    let config = aws_sdk_lambda::Config::builder()
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "session"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .behavior_version_latest()
        .build();
    let client = Client::from_conf(config);

    let created = client
        .create_function()
        .function_name(NAME)
        .runtime(Runtime::from("nodejs22.x"))
        .handler("index.handler")
        .role("arn:aws:iam::000000000000:role/r")
        .code(FunctionCode::builder().zip_file(Blob::new(code)).build())
        .send()
        .await?;
    let arn = created.function_arn().unwrap_or_default().to_owned();
    println!("arn={arn}");
    client.wait_until_function_active_v2().function_name(NAME).wait(Duration::from_secs(60)).await?;

    let answer = client.invoke().function_name(NAME).payload(Blob::new(r#"{"name":"you"}"#)).send().await?;
    println!("status={}", answer.status_code());
    println!("payload={}", text(answer.payload()));

    let version = client.publish_version().function_name(NAME).send().await?;
    println!("version={}", version.version().unwrap_or_default());
    let alias = client.create_alias().function_name(NAME).name("live").function_version("1").send().await?;
    println!("alias={}", alias.alias_arn().unwrap_or_default());
    let through = client
        .invoke()
        .function_name(NAME)
        .qualifier("live")
        .payload(Blob::new(r#"{"name":"alias"}"#))
        .send()
        .await?;
    println!("executed={}", through.executed_version().unwrap_or_default());
    println!("through={}", text(through.payload()));

    let layer = client
        .publish_layer_version()
        .layer_name(NAME)
        .content(LayerVersionContentInput::builder().zip_file(Blob::new(content)).build())
        .send()
        .await?;
    let layer = layer.layer_version_arn().unwrap_or_default();
    println!("layer={layer}");
    client.update_function_configuration().function_name(NAME).layers(layer).send().await?;
    client.wait_until_function_updated_v2().function_name(NAME).wait(Duration::from_secs(60)).await?;
    let layered = client.invoke().function_name(NAME).payload(Blob::new(r#"{"name":"layer"}"#)).send().await?;
    println!("layered={}", text(layered.payload()));

    client
        .add_permission()
        .function_name(NAME)
        .statement_id("s3")
        .action("lambda:InvokeFunction")
        .principal("s3.amazonaws.com")
        .source_arn("arn:aws:s3:::bucket")
        .send()
        .await?;
    let policy = client.get_policy().function_name(NAME).send().await?;
    println!("policy={}", policy.policy().unwrap_or_default());
    client.remove_permission().function_name(NAME).statement_id("s3").send().await?;
    let missing = client.get_policy().function_name(NAME).send().await.expect_err("the permission is removed");
    println!("unpolicied={}", missing.code().unwrap_or_default());

    client.tag_resource().resource(&arn).tags("team", "blue").send().await?;
    let tags = client.list_tags().resource(&arn).send().await?;
    println!("tag={}", tags.tags().and_then(|all| all.get("team")).map_or("", String::as_str));
    client.untag_resource().resource(&arn).tag_keys("team").send().await?;

    let mut pages = client.list_versions_by_function().function_name(NAME).max_items(1).into_paginator().send();
    let mut versions = Vec::new();
    while let Some(page) = pages.next().await {
        versions.extend(page?.versions().iter().map(|one| one.version().unwrap_or_default().to_owned()));
    }
    println!("versions={}", versions.join(","));

    client.delete_function().function_name(NAME).send().await?;
    let missing = client.get_function().function_name(NAME).send().await.expect_err("the function is deleted");
    println!("missing={}", missing.code().unwrap_or_default());
    println!("text={}", missing.message().unwrap_or_default());
    Ok(())
}

fn text(payload: Option<&Blob>) -> String {
    String::from_utf8_lossy(payload.map(Blob::as_ref).unwrap_or_default()).into_owned()
}
