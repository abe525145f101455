// The command table. product.md section 6 is the contract.
#include "cli/spec.h"
#include "verbs/verbs.h"

namespace tw::cli {
namespace {

const Flag kReason{"reason", 0, "TEXT", "why; stored with the request (at most 4096 bytes)"};

std::vector<Flag> DecisionFlags() {
  return {kReason,
          {"delegator", 0, "NAME", "who decided, as the audit log shows it (default: the login name)"},
          {"role", 0, "NAME", "grant only this role (approve)", {}, true},
          {"roles", 0, "A,B", "grant only these roles (approve)"},
          {"annotation", 0, "KEY=VALUE", "annotation stored with the decision", {}, true},
          {"assume-start-time", 0, "TIME", "from when the roles may be used (approve; RFC 3339)"},
          {"mode", 0, "MODE", "set the state, or submit a review as our own user", "state|review"},
          {"dry-run", 0, "", "say what would be done, and do nothing"},
          {"stop-on-error", 0, "", "stop at the first id that fails"}};
}

std::vector<Command> MakeCommands() {
  return {
      {"configure",
       {},
       "Print a configuration template, or another set-up document",
       {},
       "teleport-webhooks configure > teleport-webhooks.toml\n"
       "teleport-webhooks configure --addr auth.example.com:3025 \\\n"
       "    --webhook-url https://hooks.example.com/teleport > teleport-webhooks.toml\n"
       "teleport-webhooks configure --kind role | tctl create -f\n"
       "teleport-webhooks configure --from /etc/teleport-webhooks.toml --out new.toml\n"
       "teleport-webhooks configure --new-secret",
       {{"kind", 0, "KIND", "which document to print (default config)",
         "config|role|role-review|role-notify|tbot|systemd"},
        {"webhook-url", 0, "URL", "the receiver, written into the template"},
        {"public-addr", 0, "ADDR", "address of the callback listener as others see it"},
        {"notify-only", 0, "", "no callbacks: the template leaves them out"},
        {"new-secret", 0, "", "print a new signing secret and nothing else"},
        {"from", 0, "FILE", "upgrade an old configuration file; what changed is told on stderr"},
        {"out", 0, "FILE", "write there (mode 0600) instead of to stdout"},
        {"force", 0, "", "overwrite the file of --out"}},
       RunConfigure},
      {"check",
       {},
       "Look at everything before going live, and say what to do",
       {},
       "teleport-webhooks check\n"
       "teleport-webhooks check --offline         # without a network\n"
       "teleport-webhooks check --send-test       # post a test event to each endpoint\n"
       "teleport-webhooks check --show-config     # each value and where it is from\n"
       "teleport-webhooks check --queue           # what waits, is held, was given up\n"
       "teleport-webhooks check --signature FILE  # why does a request not verify?",
       {{"offline", 0, "", "everything that needs no network"},
        {"send-test", 0, "", "post a signed test event to every endpoint"},
        {"strict", 0, "", "warnings fail too (exit 1)"},
        {"show-config", 0, "", "print the merged configuration; secrets as ***"},
        {"queue", 0, "", "print the state of every endpoint and its dead letters"},
        {"warn-expiry", 0, "DURATION", "warn when a certificate expires within this time (default 24h)"},
        {"signature", 0, "FILE", "diagnose a captured request (headers, blank line, body; - is stdin)"},
        {"secret-file", 0, "FILE", "the secret for --signature (default: those of the configuration)"},
        {"at", 0, "TIME", "the moment for --signature (RFC 3339; default now)"}},
       RunCheck},
      {"watch",
       {},
       "Print the current requests, then each change, an event a line",
       {},
       "teleport-webhooks watch\n"
       "teleport-webhooks watch | jq 'select(.data.state==\"PENDING\") | .data.user'\n"
       "teleport-webhooks watch --once -o json\n"
       "teleport-webhooks watch --user alice --type approved --count 1\n"
       "teleport-webhooks watch --id 0192e1c4-... --until resolved --timeout 10m",
       {{"id", 0, "ID", "only this request", {}, true},
        {"user", 0, "NAME", "only requests of this user", {}, true},
        {"role", 0, "NAME", "only requests for this role (* patterns)", {}, true},
        {"state", 0, "STATE", "only this state", {}, true},
        {"type", 0, "TYPE", "only this event type, e.g. created", {}, true},
        {"jq", 0, "PROGRAM", "print what this jq program makes of each event"},
        {"watch-only", 0, "", "changes only, not the current requests"},
        {"once", 0, "", "print the current requests and end"},
        {"count", 0, "N", "end after N printed lines"},
        {"until", 0, "WHAT", "end when the request of --id is so; another outcome is exit 6",
         "resolved|approved|denied"},
        {"payload", 0, "KIND", "print the event or the original plugin's body", "event|legacy"}},
       RunWatch},
      {"send",
       {},
       "Deliver by hand: a test, requests, events, or what failed",
       "[ID... | -]",
       "teleport-webhooks send --test\n"
       "teleport-webhooks send --test --url http://127.0.0.1:8080 --secret-file secret\n"
       "teleport-webhooks send 0192e1c4-...          # the present state of a request\n"
       "teleport-webhooks watch --role dba | teleport-webhooks send -\n"
       "teleport-webhooks send --failed --endpoint default",
       {{"test", 0, "", "send a made-up event (endpoint.test)"},
        {"type", 0, "TYPE", "event type of --test, e.g. access_request.created"},
        {"field", 0, "PATH=VALUE", "set a field of the --test event, e.g. data.user=alice", {}, true},
        {"failed", 0, "", "send the dead letters again, in their order"},
        {"delivered", 0, "", "send again what was delivered"},
        {"delivery", 0, "ID", "send this stored delivery again", {}, true},
        {"discard", 0, "", "drop the chosen stored deliveries instead of sending them"},
        {"endpoint", 0, "NAME", "only to this endpoint (default: all)", {}, true},
        {"url", 0, "URL", "to this URL, without any configuration file"},
        {"secret-file", 0, "FILE", "sign with the secret in this file (with --url)"},
        {"payload", 0, "KIND", "body shape with --url (default event)",
         "legacy|event|cloudevents|cloudevents-binary|form"},
        {"since", 0, "TIME",
         "with --failed or --delivered: committed at or after (RFC 3339, or a duration ago)"},
        {"stale", 0, "", "also what is older than an event since delivered for that request"},
        {"new-id", 0, "", "give each event a new webhook-id"},
        {"retries", 0, "N", "tries after the first (default 0)"},
        {"dry-run", 0, "", "print method, URL, headers and body, and send nothing"},
        {"reveal", 0, "", "show secrets in --dry-run and -v"}},
       RunSend},
      {"serve",
       "start",
       "Run the daemon: watch, deliver, take callbacks",
       {},
       "teleport-webhooks serve\n"
       "teleport-webhooks serve -c /etc/teleport-webhooks.toml\n"
       "teleport-webhooks serve --insecure-no-tls      # behind a proxy that ends TLS",
       {{"insecure-no-tls", 0, "", "the callback listener speaks plain HTTP"},
        {"notify-only", 0, "", "no callback listener"},
        {"pid-file", 0, "FILE", "write the process id there"},
        {"fail-fast", 0, "", "exit when Teleport cannot be reached at start"},
        {"shutdown-timeout", 0, "DURATION",
         "how long deliveries in flight may take to finish (default 15s)"}},
       RunServe},
      {"approve",
       {},
       "Approve access requests by id, or ids and events from stdin",
       "ID... | -",
       "teleport-webhooks approve 0192e1c4-... --reason 'on call'\n"
       "teleport-webhooks watch --once --user alice | teleport-webhooks approve -\n"
       "teleport-webhooks approve 0192e1c4-... --mode review",
       DecisionFlags(),
       RunApprove},
      {"deny",
       {},
       "Deny access requests by id, or ids and events from stdin",
       "ID... | -",
       "teleport-webhooks deny 0192e1c4-... --reason 'use the read-only role'\n"
       "teleport-webhooks deny 0192e1c4-... 0192e1c5-... --dry-run",
       DecisionFlags(),
       RunDeny},
      {"version", {}, "Print the version", {}, "teleport-webhooks version", {}, RunVersion},
      {"completion",
       {},
       "Print the completion script of a shell",
       "bash|zsh|fish",
       "teleport-webhooks completion bash > /etc/bash_completion.d/teleport-webhooks\n"
       "source <(teleport-webhooks completion zsh)",
       {},
       RunCompletion},
  };
}

std::vector<Flag> MakeGlobalFlags() {
  return {{"config", 'c', "FILE", "configuration file (- is stdin)"},
          {"set", 0, "KEY=VALUE", "override one configuration key; not for secrets", {}, true},
          {"addr", 0, "HOST:PORT", "address of the Auth Service or proxy (teleport.addr)"},
          {"identity", 'i', "FILE", "identity file (teleport.identity)"},
          {"output", 'o', "FORMAT", "output format", "text|json|ndjson", false, "format"},
          {"color", 0, "WHEN", "colours in text output", "auto|always|never"},
          {"quiet", 'q', "", "errors only on stderr"},
          {"verbose", 'v', "", "tell more on stderr"},
          {"debug", 'd', "", "tell everything on stderr"},
          {"timeout", 0, "DURATION", "give up after this time (exit 124)"},
          {"help", 'h', "", "print this help"},
          {"version", 0, "", "print the version"}};
}

}  // namespace

const std::vector<Command>& Commands() {
  static const std::vector<Command> commands = MakeCommands();
  return commands;
}

const std::vector<Flag>& GlobalFlags() {
  static const std::vector<Flag> flags = MakeGlobalFlags();
  return flags;
}

const Command* FindCommand(std::string_view name) {
  for (const Command& command : Commands()) {
    if (command.name == name || (!command.alias.empty() && command.alias == name)) return &command;
  }
  return nullptr;
}

}  // namespace tw::cli
