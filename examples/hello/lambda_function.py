def lambda_handler(event, context):
    name = event.get("name", "world")
    print(f"saying hello to {name}, {context.get_remaining_time_in_millis()} ms left")
    return {"message": f"Hello, {name}!", "function": context.function_name, "version": context.function_version}
