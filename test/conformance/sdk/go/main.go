// One session with the official SDK for Go v2; prints what came back, one `name=value` on each line.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const name = "go-sdk"

func main() {
	if err := session(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func session(ctx context.Context, endpoint, codePath, layerPath string) error {
	client := lambda.New(lambda.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	code, err := os.ReadFile(codePath)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(layerPath)
	if err != nil {
		return err
	}
	created, err := client.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String(name),
		Runtime:      types.Runtime("nodejs22.x"),
		Handler:      aws.String("index.handler"),
		Role:         aws.String("arn:aws:iam::000000000000:role/r"),
		Code:         &types.FunctionCode{ZipFile: code},
	})
	if err != nil {
		return err
	}
	show("arn", *created.FunctionArn)
	waiter := lambda.NewFunctionActiveV2Waiter(client)
	if err := waiter.Wait(ctx, &lambda.GetFunctionInput{FunctionName: aws.String(name)}, time.Minute); err != nil {
		return err
	}
	answer, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(name), Payload: []byte(`{"name":"you"}`)})
	if err != nil {
		return err
	}
	show("status", answer.StatusCode)
	show("payload", string(answer.Payload))

	version, err := client.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String(name)})
	if err != nil {
		return err
	}
	show("version", *version.Version)
	alias, err := client.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: aws.String(name), Name: aws.String("live"), FunctionVersion: version.Version,
	})
	if err != nil {
		return err
	}
	show("alias", *alias.AliasArn)
	through, err := client.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String(name), Qualifier: aws.String("live"), Payload: []byte(`{"name":"alias"}`),
	})
	if err != nil {
		return err
	}
	show("executed", *through.ExecutedVersion)
	show("through", string(through.Payload))

	layer, err := client.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{
		LayerName: aws.String(name), Content: &types.LayerVersionContentInput{ZipFile: content},
	})
	if err != nil {
		return err
	}
	show("layer", *layer.LayerVersionArn)
	if _, err := client.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String(name), Layers: []string{*layer.LayerVersionArn},
	}); err != nil {
		return err
	}
	updated := lambda.NewFunctionUpdatedV2Waiter(client)
	if err := updated.Wait(ctx, &lambda.GetFunctionInput{FunctionName: aws.String(name)}, time.Minute); err != nil {
		return err
	}
	layered, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String(name), Payload: []byte(`{"name":"layer"}`)})
	if err != nil {
		return err
	}
	show("layered", string(layered.Payload))

	if _, err := client.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: aws.String(name), StatementId: aws.String("s3"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::bucket"),
	}); err != nil {
		return err
	}
	policy, err := client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: aws.String(name)})
	if err != nil {
		return err
	}
	show("policy", *policy.Policy)
	if _, err := client.RemovePermission(ctx, &lambda.RemovePermissionInput{
		FunctionName: aws.String(name), StatementId: aws.String("s3"),
	}); err != nil {
		return err
	}
	_, err = client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: aws.String(name)})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		return fmt.Errorf("GetPolicy after RemovePermission: %v", err)
	}
	show("unpolicied", missing.ErrorCode())

	resource := created.FunctionArn
	if _, err := client.TagResource(ctx, &lambda.TagResourceInput{Resource: resource, Tags: map[string]string{"team": "blue"}}); err != nil {
		return err
	}
	tags, err := client.ListTags(ctx, &lambda.ListTagsInput{Resource: resource})
	if err != nil {
		return err
	}
	show("tag", tags.Tags["team"])
	if _, err := client.UntagResource(ctx, &lambda.UntagResourceInput{Resource: resource, TagKeys: []string{"team"}}); err != nil {
		return err
	}

	var versions []string
	pages := lambda.NewListVersionsByFunctionPaginator(client, &lambda.ListVersionsByFunctionInput{
		FunctionName: aws.String(name), MaxItems: aws.Int32(1),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, one := range page.Versions {
			versions = append(versions, *one.Version)
		}
	}
	show("versions", strings.Join(versions, ","))

	if _, err := client.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String(name)}); err != nil {
		return err
	}
	_, err = client.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String(name)})
	if !errors.As(err, &missing) {
		return fmt.Errorf("GetFunction after DeleteFunction: %v", err)
	}
	show("missing", missing.ErrorCode())
	show("text", missing.ErrorMessage())
	return nil
}

func show(name string, value any) { fmt.Printf("%s=%v\n", name, value) }
