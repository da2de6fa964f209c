"""The cloud on one machine: the same template.yaml, on a laptop, without an account, a container engine or a network.

People and the command line use `cloud` (up, down, status, logs, reset, doctor, invoke). Tests and benchmarks that need
only functions use `host.FunctionHost`. Nothing outside this room imports it, and no layer contains it.

    cloud                              the API
    supervisor                         order of start and stop
    postgres, postgres_user            PostgreSQL from a wheel
    aws, deploy, saved_state           MiniStack, the stack in it, and what it remembers
    template, specs, functions         what the template says, as CloudFormation and as the host needs it
    host, pool, sandbox                functions in processes, as Lambda runs them
    runtime_api, http1                 the Lambda Runtime API and its HTTP
    invocation, streaming              one event, one answer, whole or in pieces
    front, gateway_event, docs         the one address people use
    migrations, model, runtime_folder  what must be made before functions can run
    state, run_file, layout            files below .lambent/
    children, stale, memory, addresses processes and ports
    doctor, logs, report, errors       what people are told
"""
